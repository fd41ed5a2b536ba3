"""Parameters of the gate: no stage reads them, so that nothing is rerun when they change."""

from typing import Annotated

from pydantic import Field

from offerbench.core.section import Section

Fall = Annotated[float, Field(ge=0, le=1)]


class Tolerance(Section):
    """How far a wAUC may fall below the baseline's; null: half the width of the difference's interval."""

    all: Fall | None
    """In the segment of all offers."""
    popular: Fall | None
    """In the segment of popular offers."""
    cold_start: Fall | None
    """In the segment of rare offers."""


class Gate(Section):
    """Results of another revision -> pass or fail (`offerbench gate`)."""

    tolerance: Tolerance
    """How far a wAUC may fall; that of the baseline counts."""
