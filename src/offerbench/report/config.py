"""Parameters of the stage `report`."""

from pydantic import Field

from offerbench.core.section import Section


class Report(Section):
    """Results -> tables and pictures."""

    table_decimals: int = Field(ge=1, le=6)
    """Digits of a wAUC in the tables."""
