"""A batch whose events are seen as events of offers: grouped by keys, once or several times."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from offerbench.batching.batches import Batch, make_batch
from offerbench.batching.grouping_keys import Key
from offerbench.batching.pair_keys import PairKeys, pair_keys
from offerbench.batching.pasts import BatchPasts, batch_pasts
from offerbench.core.columns import DAY, USER
from offerbench.core.ranges import Rows
from offerbench.features.config import MatchingParameters
from offerbench.features.groupings import Groups, draw_groups
from offerbench.features.keys import number_keys
from offerbench.features.match_counts import MatchIndex, Past
from offerbench.features.offers import feature_distribution
from offerbench.features.past_counts import AttributeMatches, count_pasts, without_event
from offerbench.preparation.prepared import PreparedData

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Grouping:
    """A batch of B events, in negatives groups of m neighbours, seen as events of offers."""

    group_of_event: npt.NDArray[np.int32]
    """Offer of each event. Shape (B,)."""
    weights: npt.NDArray[np.float32]
    """1 for a pair that counts; 0 for an accidental hit. Shape (B / m, m, m)."""
    counts: Floats
    """Events of the user's past that match the offer, by kind of match. Shape (B / m, m, m, kinds)."""
    base: Floats
    """Share of all events that match each event's offer, by kind of match. Shape (B, kinds)."""


@dataclass(frozen=True)
class GroupedBatch:
    """A batch and its groupings."""

    batch: Batch
    past_lengths: Floats
    """Events of each event's past that a kind of match looks at. Shape (B, kinds)."""
    groupings: list[Grouping]


class BatchMaker:
    """Makes batches with their groupings.

    Kinds of match are: events of the offer in each window, then, if attributes are matched, events of
    the whole past that share each offer feature with the offer.

    Parameters
    ----------
    data : PreparedData
        The data set.
    offer_features : sequence of str
        Those that the model sees: keys are made of them.
    matching : MatchingParameters
        Negatives groups, accidental hits, windows, attributes.
    """

    def __init__(
        self, data: PreparedData, offer_features: Sequence[str], matching: MatchingParameters
    ) -> None:
        self._data = data
        self._offer_features = list(offer_features)
        self._matching = matching
        # Whether anything is counted in the pasts and days of users.
        self._looks_back = bool(matching.windows) or matching.remove_accidental_hits == "bought_that_day"

    @cached_property
    def _past(self) -> Past:
        return Past(self._data.events[USER], self._data.events[DAY])

    @cached_property
    def _attributes(self) -> AttributeMatches | None:
        if self._matching.attribute_values is None:
            return None
        shares = self._data.train_shares(self._offer_features)
        past, events = self._past, self._data.events
        counts = {
            name: count_pasts(events[name], past.start, past.length, len(of_values))
            for name, of_values in shares.items()
        }
        return AttributeMatches(counts, shares)

    def make(self, rows: Rows, keys: Sequence[Key], generator: np.random.Generator) -> GroupedBatch:
        """Make a batch and its groupings.

        Parameters
        ----------
        rows : int64, shape (B,)
            Rows of target events.
        keys : sequence of Key
            One for each grouping; none: the events stay what they are.
        generator : numpy.random.Generator
            Source of the random changes of the groups.
        """
        batch = make_batch(self._data, rows, self._offer_features)
        if not keys:
            return GroupedBatch(batch, np.empty((len(rows), 0), np.float32), [])
        pasts = batch_pasts(self._past, rows, self._matching.windows)
        tables = self._attributes.tables(pasts.contexts) if self._attributes else {}
        return GroupedBatch(
            batch=batch,
            past_lengths=_columns([*pasts.lengths, *(pasts.whole for _ in tables)], (len(rows),)),
            groupings=[self._grouping(rows, pasts, tables, key, generator) for key in keys],
        )

    def _grouping(
        self,
        rows: Rows,
        pasts: BatchPasts,
        tables: Mapping[str, Floats],
        key: Key,
        generator: np.random.Generator,
    ) -> Grouping:
        labels = [self._data.events[self._offer_features[place]] for place in key.features]
        seen = pasts.rows if self._looks_back else pasts.rows[:0]
        key_of_event, key_of_past = number_keys(
            [column[rows] for column in labels], [column[seen] for column in labels]
        )
        index = MatchIndex(key_of_past)
        groups = draw_groups(key_of_event, key.change, generator)
        neighbours = self._matching.neighbours
        pairs, share = pair_keys(groups, neighbours)
        of_pairs = [length[pairs.user_event] for length in pasts.lengths]
        counts = index.count_before(pasts.stop[pairs.user_event], of_pairs, pairs.key) if of_pairs else []
        attributes, attribute_base = self._attribute_matches(rows, pasts, tables, groups)
        shape = (len(rows) // neighbours, neighbours, neighbours)
        return Grouping(
            group_of_event=groups.group_of_event.astype(np.int32),
            weights=self._weights(rows, pasts, groups, pairs, index).reshape(shape),
            counts=_columns([*(pairs.total(count) for count in counts), *attributes], shape),
            base=_columns([*(share for _ in counts), *attribute_base], (len(rows),)),
        )

    def _attribute_matches(
        self, rows: Rows, pasts: BatchPasts, tables: Mapping[str, Floats], groups: Groups
    ) -> tuple[list[Floats], list[Floats]]:
        """Events of each pair's past that share each feature with the offer, and all users' share of them.

        Returns
        -------
        counts : list of float32, shape (pairs,)
            For each feature.
        base : list of float32, shape (B,)
            For each feature.
        """
        if self._attributes is None or self._matching.attribute_values is None:
            return [], []
        neighbours, group = self._matching.neighbours, groups.group_of_event
        offers = {
            name: feature_distribution(
                group.astype(np.int32), self._data.events[name][rows], self._matching.attribute_values
            )
            for name in self._offer_features
        }
        offer_of_pair = np.repeat(group.reshape(-1, 1, neighbours), neighbours, axis=1).reshape(-1)
        past_of_pair = np.repeat(pasts.context_of_event, neighbours)
        counts = self._attributes.counts(tables, past_of_pair, offer_of_pair, offers)
        # An event is no part of the offer that its own user is asked about: it is not known yet.
        own = np.resize(np.eye(neighbours, dtype=bool), len(counts))
        for place, (name, distribution) in enumerate(offers.items()):
            labels = self._data.events[name][rows]
            own_count = tables[name][pasts.context_of_event, labels]
            counts[own, place] = without_event(counts[own, place], own_count, group, labels, distribution)
        return list(counts.T), list(self._attributes.base(offers)[group].T)

    def _weights(
        self, rows: Rows, pasts: BatchPasts, groups: Groups, pairs: PairKeys, index: MatchIndex
    ) -> Floats:
        """1 for each pair that counts; float32, shape (pairs,)."""
        neighbours, remove = self._matching.neighbours, self._matching.remove_accidental_hits
        if remove == "none":
            return np.ones(pairs.pairs, np.float32)
        is_hit = pairs.total(groups.key_of_event[pairs.user_event] == pairs.key) > 0
        if remove == "bought_that_day":
            day = pasts.day[pairs.user_event]
            is_hit |= pairs.total(index.count(pasts.stop[pairs.user_event], day, pairs.key)) > 0
            users = self._data.events[USER][rows].reshape(-1, neighbours)
            is_hit |= (users[:, :, None] == users[:, None, :]).reshape(-1)
        is_positive = np.resize(np.eye(neighbours, dtype=bool), pairs.pairs)
        counts: npt.NDArray[np.bool_] = ~is_hit | is_positive
        return counts.astype(np.float32)


def _columns(values: Sequence[npt.NDArray[Any]], shape: tuple[int, ...]) -> Floats:
    """Arrays side by side along a last axis; float32."""
    if not values:
        return np.empty((*shape, 0), np.float32)
    return np.stack([array.reshape(shape).astype(np.float32) for array in values], axis=-1)
