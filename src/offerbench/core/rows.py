"""The rows of the results, in the order of the tables: what each is called and what it is there for."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

FULL_MODEL = "full"
AUGMENTED_MODEL = "augmented"
HISTORY_AFFINITY = "history_affinity"
FREQUENCY = "frequency"
RECENCY = "recency"
CEILING = "ceiling"
BOOSTED_MODEL = "boosted"
LIGHTGBM_BY_TASK = "lightgbm_by_task"
LIGHTGBM = "lightgbm"
ITEM_ITEM = "item_item"
LEAST_SQUARES = "least_squares"
ALL_TASKS = "all_tasks"  # in file names: of trees that serve every task


class Role(StrEnum):
    """What a row is there for."""

    GENERALIST = "generalist"
    """One model that is to serve every task."""
    SPECIALIST = "specialist"
    """A model made for one task."""
    YARDSTICK = "yardstick"
    """Untrained: who loses to it is not finished."""
    PEER = "peer"
    """Somebody else's method, fitted on the same users."""
    CEILING = "ceiling"
    """Sees what nobody can know: how far a row could come."""


@dataclass(frozen=True)
class Row:
    """A row of the results."""

    name: str
    """In metrics and files."""
    title: str
    """In tables."""
    role: Role
    task: str | None = None
    """The task of a specialist."""

    @property
    def short_title(self) -> str:
        """The title without what the row is made of."""
        return self.title.partition(" (")[0]


GENERALISTS = {
    FULL_MODEL: "full model (all features)",
    AUGMENTED_MODEL: "augmented model",
    BOOSTED_MODEL: "boosted model (trees on the augmented one, for all tasks)",
}
YARDSTICKS = {
    HISTORY_AFFINITY: "history affinity (no training)",
    FREQUENCY: "frequency (no training, whole past)",
    RECENCY: "recency (no training, whole past, decayed by days)",
}
PEERS = {
    LIGHTGBM_BY_TASK: "LightGBM by task (one for each)",
    LIGHTGBM: "LightGBM (one for all tasks)",
    ITEM_ITEM: "item-item cosine",
    LEAST_SQUARES: "ALS (implicit, folded in)",
}
CEILINGS = {CEILING: "ceiling (sees the future)"}


def mono_model(task: str) -> str:
    """Name of the specialist of a task."""
    return f"mono_{task}"


def table_rows(tasks: Iterable[str]) -> list[Row]:
    """List the rows of the results: generalists, each task's specialist, yardsticks, peers, the ceiling."""
    return [
        *(Row(name, title, Role.GENERALIST) for name, title in GENERALISTS.items()),
        *(Row(mono_model(task), f"mono: {task}", Role.SPECIALIST, task) for task in tasks),
        *(Row(name, title, Role.YARDSTICK) for name, title in YARDSTICKS.items()),
        *(Row(name, title, Role.PEER) for name, title in PEERS.items()),
        *(Row(name, title, Role.CEILING) for name, title in CEILINGS.items()),
    ]
