"""Parameters of the stage `group_test`."""

from pydantic import Field

from offerbench.params.section import Section


class GroupTest(Section):
    """Test batches -> one table of offers for each task."""

    values_per_feature: int = Field(ge=1)
    """Most frequent values kept of the distribution of a feature among an offer's events."""
