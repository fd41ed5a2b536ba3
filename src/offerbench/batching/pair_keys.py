"""The keys of the offer of every pair of a batch."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from offerbench.core.ranges import concatenated_ranges
from offerbench.features.groupings import Groups, group_keys
from offerbench.features.match_counts import Ints


@dataclass(frozen=True)
class PairKeys:
    """Every key of every pair's offer, pair by pair: in a negatives group, each user with each offer."""

    pairs: int
    """Number of pairs."""
    pair: Ints
    """Pair of each of its offer's keys, ascending. Shape (keys of all pairs,)."""
    user_event: Ints
    """Event whose user the pair is of. Shape (keys of all pairs,)."""
    key: Ints
    """Shape (keys of all pairs,)."""

    def total(self, values: npt.NDArray[np.bool_ | np.integer[Any]]) -> Ints:
        """Sum over the keys of each pair, of which there is at least one; int64, shape (pairs,)."""
        if len(self.key) == self.pairs:
            return values.astype(np.int64)
        return np.bincount(self.pair, weights=values, minlength=self.pairs).astype(np.int64)


def pair_keys(groups: Groups, neighbours: int) -> tuple[PairKeys, npt.NDArray[np.float64]]:
    """Lay the keys of the groups out by pair.

    Parameters
    ----------
    groups : Groups
        Of the B events of a batch.
    neighbours : int
        Events m of a negatives group.

    Returns
    -------
    pairs : PairKeys
        Of B * m pairs.
    share : float64, shape (B,)
        Share of the batch's events that have a key of each event's group.
    """
    first, keys = group_keys(groups)
    group = groups.group_of_event.reshape(-1, neighbours)
    offers = np.repeat(group[:, None, :], neighbours, axis=1).reshape(-1)  # (pairs,)
    number = np.diff(first)[offers]
    pair = np.repeat(np.arange(len(offers)), number)
    key = keys[concatenated_ranges(first[offers], number)]
    share_of_key = np.bincount(groups.key_of_event) / len(groups.key_of_event)
    share = np.add.reduceat(share_of_key[keys], first[:-1])[groups.group_of_event]
    return PairKeys(len(offers), pair, pair // neighbours, key), share
