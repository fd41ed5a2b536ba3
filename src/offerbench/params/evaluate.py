"""Parameters of the stage `evaluate`."""

from pydantic import Field

from offerbench.params.section import Section


class Bootstrap(Section):
    """Samples of the test users, drawn with replacement, behind every interval."""

    samples: int = Field(ge=2)
    """Number of samples; 200 give the half width of an interval to about 5%."""
    seed: int = Field(ge=0)
    """Seed of the draws."""


class Evaluate(Section):
    """Models and offers -> wAUC and report."""

    popular_min_positives: int = Field(ge=0)
    """An offer with more positives than this is in the segment `popular`."""
    cold_start_min_positives: int = Field(ge=0)
    """An offer with more positives than this and not popular is in the segment `cold_start`."""
    bootstrap: Bootstrap
    """Behind the 95% intervals."""
    table_decimals: int = Field(ge=1, le=6)
    """Digits of a wAUC in the tables."""
