"""What preparation asks of an engine that has the canonical events."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from offerbench.preparation.config import Prepare


@dataclass(frozen=True)
class Built:
    """What the prepared tables hold."""

    kept: int
    """Kept events, target events among them."""
    days: frozenset[int]
    """Days with a kept event, since 1970-01-01."""
    target_events: int
    """Target events."""
    contexts: int
    """Distinct (user, day) of target events."""
    histories: int
    """Distinct histories."""


class Events(Protocol):
    """Canonical events where an engine has them. It counts, joins and sorts; numbers are made here.

    The methods are called once each, in this order. What an engine counts is exact and comes back sorted, so
    that no number depends on the engine.
    """

    def count(self) -> int:
        """Count the events."""

    def columns(self) -> Mapping[str, bool]:
        """Give the columns but user, day and event type: name -> whether it is text."""

    def number_users(self, target_event: str) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Give numbers from 0 to the users with a target event, in the order of the source's numbers.

        Returns
        -------
        user_numbers, target_events : int64, shape (users,)
            The source's number of each, ascending, and how many target events he has.
        """

    def has_event_before(self, event_type: str, day: int) -> bool:
        """Say whether there is an event of the type on an earlier day."""

    def count_types(self) -> Sequence[tuple[str, bool, int]]:
        """Give event type, whether its users have no number, and how many events; sorted."""

    def keep(self, types: Sequence[str]) -> None:
        """Keep the events of these types, of users with a number."""

    def histogram(
        self, column: str, until: int | None
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
        """Count the numbers of a column over the kept events; those before the day `until`, if it is given.

        Returns
        -------
        float64, int64, shape (numbers,)
            All distinct numbers, ascending, and how often each is seen.
        """

    def add_clusters(self, clusters: Mapping[str, tuple[str, pa.Table]]) -> None:
        """Add text columns: name -> numeric column, and a table of `number` and the text in its place."""

    def count_values(self, features: Sequence[str], until: int | None) -> Mapping[str, pa.Table]:
        """Count the values of text columns over the kept events; those before `until`, if it is given.

        Returns
        -------
        mapping of pyarrow.Table
            For each feature all its values, ascending, and their occurrences.
        """

    def add_labels(self, vocabularies: Mapping[str, pa.Table]) -> None:
        """Take the labels: for each feature a table with value and label."""

    def build(self, directory: Path, prepare: Prepare, users: int, events_per_chunk: int) -> Built:
        """Write the kept events and their histories, as `PreparedTables` says."""
