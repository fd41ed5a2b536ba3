"""Scorers that need no training: against counting event by event, by hand, and what all of them must do."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from offerbench.core.columns import DAY, USER, Split
from offerbench.core.rows import CEILING, FREQUENCY, HISTORY_AFFINITY, RECENCY
from offerbench.features.offers import OfferTable
from offerbench.preparation.prepared import PreparedData
from offerbench.scorers.contexts import Contexts
from offerbench.scorers.pairs import TaskPairs
from offerbench.scorers.registry import UNTRAINED
from tests.oracle import evaluation as oracle
from tests.oracle import match_counts

from ..conftest import TinyData
from ..event_log import BRANDS, EVENTS, data_of
from ..parameters import yardsticks_parameters
from .test_history_affinity import history_of
from .test_pairs import NEIGHBOURS, contexts_of, pairs_of

BASES = st.lists(st.sampled_from([0.0, 1.0]) | st.floats(0, 1, width=32), min_size=BRANDS, max_size=BRANDS)
YARDSTICKS = st.builds(
    yardsticks_parameters, prior_events=st.floats(0.5, 50), half_life_days=st.floats(0.5, 5000)
)


def all_pairs(data: PreparedData, base: list[float]) -> TaskPairs:
    """The user of each event with every brand, each event a group by itself."""
    events = len(data.events["brand"])
    keys = np.arange(BRANDS, dtype=np.int32)
    table = OfferTable(keys, np.array(base, np.float32), distributions={})
    contexts = Contexts.of_events(data, Split.TEST, np.arange(events)[:, None])
    return TaskPairs("brand", table, contexts, np.tile(keys, (events, 1)))


@dataclass(frozen=True)
class Naive:
    """Scores by loops over the log."""

    data: PreparedData
    task: str
    yardsticks: Any

    def column(self, name: str) -> list[int]:
        return self.data.events[name].tolist()

    def seen(self, name: str, row: int) -> list[int]:
        """Rows that a scorer looks at."""
        rows = match_counts.rows_of_other_days if name == CEILING else past_rows
        return rows(self.column(USER), self.column(DAY), row)

    def score(self, name: str, row: int, key: int, base: float) -> float:
        """Of the user of an event with an offer."""
        labels, days, seen = self.column(self.task), self.column(DAY), self.seen(name, row)
        matching, prior = [other for other in seen if labels[other] == key], self.yardsticks.prior_events
        if name == HISTORY_AFFINITY:
            return oracle.history_affinity([labels[other] for other in seen], key)
        if name == RECENCY:
            half_life = self.yardsticks.half_life_days
            weighed = [
                oracle.decayed([days[other] for other in rows], days[row], half_life)
                for rows in (matching, seen)
            ]
            return oracle.odds(*weighed, base, prior)
        return oracle.odds(len(matching), len(seen), base, prior)


def past_rows(users: list[int], days: list[int], row: int) -> list[int]:
    return match_counts.past_rows(users, days, row, None)


@pytest.mark.parametrize("name", UNTRAINED)
@given(EVENTS, BASES, YARDSTICKS)
def test_scores_are_those_of_counting(
    name: str, events: list[tuple[int, int, int]], base: list[float], yardsticks: Any
) -> None:
    data = data_of(events)
    pairs, naive = all_pairs(data, base), Naive(data, "brand", yardsticks)
    scores = UNTRAINED[name](yardsticks).score(pairs)
    assert scores.dtype == np.float64
    assert scores.shape == pairs.shape
    assert np.isfinite(scores).all()
    for b, i, j in np.ndindex(*scores.shape):
        expected = naive.score(name, b, j, float(np.float32(base[j])))
        assert scores[b, i, j] == pytest.approx(expected, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("name", [FREQUENCY, RECENCY, CEILING])
@pytest.mark.parametrize("task", ["brand", "product_id"])
@pytest.mark.parametrize("split", [Split.TEST, Split.VALIDATION], ids=str)
def test_scores_of_a_log(tiny_data: TinyData, split: Split, task: str, name: str) -> None:
    # History affinity, whose history is cut, has its own test.
    yardsticks, data = yardsticks_parameters(), tiny_data.data
    pairs = pairs_of(contexts_of(tiny_data, split), task)
    naive, scores = Naive(data, task, yardsticks), UNTRAINED[name](yardsticks).score(pairs)
    assert scores.shape == (*pairs.contexts.rows.shape, NEIGHBOURS)
    for b, i, j in np.ndindex(*scores.shape):
        offer = pairs.offer_of_event[b, j]
        key, base = int(pairs.offers.keys[offer]), float(pairs.offers.base[offer])
        expected = naive.score(name, int(pairs.contexts.rows[b, i]), key, base)
        assert scores[b, i, j] == pytest.approx(expected, rel=1e-9)
    assert len(set(scores.reshape(-1).tolist())) > 20


def test_the_whole_past_is_longer_than_a_history(tiny_data: TinyData) -> None:
    # What tells frequency from history affinity is there to be seen.
    pairs = pairs_of(contexts_of(tiny_data), "brand")
    rows = pairs.contexts.rows.reshape(-1).tolist()
    lengths = pairs.contexts.past(None)[1].reshape(-1).tolist()
    histories = [len(history_of(tiny_data, row, "brand")) for row in rows]
    assert any(length > history for length, history in zip(lengths, histories, strict=True))


@pytest.mark.parametrize("name", UNTRAINED)
@given(EVENTS, BASES, YARDSTICKS)
def test_who_has_nothing_to_look_at_is_like_all_users(
    name: str, events: list[tuple[int, int, int]], base: list[float], yardsticks: Any
) -> None:
    data = data_of(events)
    naive = Naive(data, "brand", yardsticks)
    alone = [row for row in range(len(events)) if not naive.seen(name, row)]
    assume(alone)
    scores = UNTRAINED[name](yardsticks).score(all_pairs(data, base))[alone, 0]  # (users, brands)
    assert len({row.tobytes() for row in scores}) == 1  # all of them tie on every offer
    if name == HISTORY_AFFINITY:
        assert not scores.any()
    else:
        shares = np.array(base, np.float32).astype(np.float64)
        assert scores[0] == pytest.approx(shares / np.maximum(1 - shares, 1e-6))


@pytest.mark.parametrize("name", UNTRAINED)
@given(EVENTS, st.integers(1, 3000), BASES, YARDSTICKS)
def test_equal_users_have_equal_bits_whoever_and_whenever(
    name: str, events: list[tuple[int, int, int]], later: int, base: list[float], yardsticks: Any
) -> None:
    # The same users once more, so many days later: all that they did is the same but the date.
    again = [(user + 4, day + later, brand) for user, day, brand in events]
    scores = UNTRAINED[name](yardsticks).score(all_pairs(data_of([*events, *again]), base))
    assert scores[: len(events)].tobytes() == scores[len(events) :].tobytes()
    alone = UNTRAINED[name](yardsticks).score(all_pairs(data_of(events), base))
    assert scores[: len(events)].tobytes() == alone.tobytes()


@pytest.mark.parametrize("name", UNTRAINED)
def test_equal_pairs_have_equal_scores_wherever_they_are(tiny_data: TinyData, name: str) -> None:
    # Ties count half. Few events, in many groups at random: each pair comes many times.
    few = np.random.default_rng(0).choice(contexts_of(tiny_data).rows.reshape(-1)[:12], (300, NEIGHBOURS))
    pairs = pairs_of(Contexts.of_events(tiny_data.data, Split.TEST, few), "brand")
    scores, of_pair = UNTRAINED[name](yardsticks_parameters()).score(pairs), defaultdict(set)
    for b, i, j in np.ndindex(*scores.shape):
        of_pair[pairs.contexts.numbers[b, i], pairs.offer_of_event[b, j]].add(scores[b, i, j].tobytes())
    assert len(of_pair) > 20
    assert all(len(bits) == 1 for bits in of_pair.values())


def by_hand(name: str, rows: list[int], **yardsticks: float) -> list[list[float]]:
    """Scores of events of one user who buys brands 1, 3, 1, 1 on days 0 to 3, with the brands 1, 2 and 3.

    A quarter of all events is of brand 1, none of brand 2, half of brand 3; that counts as 4 events.
    """
    data = data_of([(0, 0, 1), (0, 1, 3), (0, 2, 1), (0, 3, 1)])
    pairs = all_pairs(data, [0.25, 0.25, 0, 0.5])
    parameters = yardsticks_parameters(**{"prior_events": 4.0, "half_life_days": 1.0} | yardsticks)
    found: list[list[float]] = UNTRAINED[name](parameters).score(pairs)[rows, 0, 1:].tolist()
    return found


def test_frequency_by_hand() -> None:
    # Before the last day, 2 of 3 are of brand 1 and 1 of brand 3: (2 + 1) / (1 + 3), and (1 + 2) / (2 + 2).
    # Nothing was ever of brand 2. On the first day, the odds are those of all: 1/4 to 3/4, 1/2 to 1/2.
    assert by_hand(FREQUENCY, [3]) == [[0.75, 0, 0.75]]
    assert by_hand(FREQUENCY, [0]) == [pytest.approx([1 / 3, 0, 1])]
    # As 8 events: (2 + 2) / (1 + 6), (1 + 4) / (2 + 4).
    assert by_hand(FREQUENCY, [3], prior_events=8.0) == [pytest.approx([4 / 7, 0, 5 / 6])]


def test_recency_by_hand() -> None:
    # As of day 3, with a half-life of a day, the events of days 0, 1, 2 weigh 1/8, 1/4, 1/2.
    # Brand 1: (5/8 + 1) / (1/4 + 3) = 1/2; brand 3: (1/4 + 2) / (5/8 + 2) = 6/7.
    assert by_hand(RECENCY, [3]) == [pytest.approx([1 / 2, 0, 6 / 7])]
    # With one of two days, as of day 2: weights 1/2 and 2**-.5 for the days 0 and 1.
    root = 0.5**0.5
    expected = [(0.5 + 1) / (root + 3), 0, (root + 2) / (0.5 + 2)]
    assert by_hand(RECENCY, [2], half_life_days=2.0) == [pytest.approx(expected)]
    assert by_hand(RECENCY, [0]) == [pytest.approx([1 / 3, 0, 1])]
    # An event never ages where the half-life is endless: that is frequency.
    endless = by_hand(RECENCY, [0, 1, 2, 3], half_life_days=1e9)
    assert endless == [pytest.approx(row) for row in by_hand(FREQUENCY, [0, 1, 2, 3])]


def test_the_ceiling_by_hand() -> None:
    # On the second day all others are of brand 1, two of them later: (3 + 1) / (0 + 3), (0 + 2) / (3 + 2).
    # On the last day there is no later one: the same as frequency.
    assert by_hand(CEILING, [1]) == [pytest.approx([4 / 3, 0, 2 / 5])]
    assert by_hand(CEILING, [3]) == by_hand(FREQUENCY, [3])


def test_an_offer_that_no_train_user_bought() -> None:
    # Its base is 0: those who bought it before are above all others, who tie whatever else they bought.
    data = data_of([(0, 0, 2), (0, 5, 1), (1, 0, 1), (1, 5, 1), (2, 0, 1), (2, 1, 3), (2, 5, 1), (3, 5, 1)])
    pairs = all_pairs(data, [0.5, 0.5, 0, 0])
    last = [1, 3, 6, 7]  # each user's event of day 5
    for name in UNTRAINED:
        scores = UNTRAINED[name](yardsticks_parameters()).score(pairs)[last, 0, 2].tolist()
        assert scores[0] > 0
        assert scores[1:] == [0, 0, 0]


def test_an_offer_that_all_train_users_always_bought() -> None:
    # Its base is 1 and every event may match: the odds are finite all the same, and in order.
    data = data_of([(0, 0, 1), (0, 5, 1), (1, 0, 2), (1, 5, 1)])
    pairs = all_pairs(data, [0, 1, 0, 0])
    for name in UNTRAINED:
        scores = UNTRAINED[name](yardsticks_parameters()).score(pairs)[:, 0, 1]
        assert np.isfinite(scores).all()
        assert scores[1] > scores[3]
