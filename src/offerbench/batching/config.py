"""Parameters of the stage `rebatch`."""

from pydantic import Field

from offerbench.core.section import Count, Section, Seed


class Rebatch(Section):
    """Target events -> batches whose neighbours are close in time."""

    users_per_group: Count
    """Users whose events are batched together."""
    events_per_user_day: Count
    """At most so many random target events of a user on a day."""
    batch_size: int = Field(ge=2, lt=2**31)
    """Events in a batch; the last, incomplete batch of a group is dropped."""
    seed: Seed
    """Seed of groups, choice and order; training draws from (seed, epoch)."""
