"""Parameters of the stage `evaluate`."""

from pydantic import Field

from offerbench.params.section import Section


class Evaluate(Section):
    """Models and offers -> wAUC and report."""

    popular_min_positives: int = Field(ge=0)
    """An offer with more positives than this is in the segment `popular`."""
    cold_start_min_positives: int = Field(ge=0)
    """An offer with more positives than this and not popular is in the segment `cold_start`."""
    table_decimals: int = Field(ge=1, le=6)
    """Digits of a wAUC in the tables."""
