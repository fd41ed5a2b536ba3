"""How much of a past has an offer's attributes, against a loop over the past's events."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offerbench.features import past_counts
from offerbench.features.match_counts import Past
from offerbench.features.offers import Distribution, feature_distribution
from offerbench.features.past_counts import (
    AttributeMatches,
    CountTable,
    count_pasts,
    expected_counts,
    expected_shares,
    without_event,
)
from tests.oracle import match_counts as oracle
from tests.oracle.offers import distribution
from tests.oracle.offers import without_event as naive_without_event

SIZE = 6  # labels of the feature; the last one has no event
LABELS = st.lists(st.integers(0, SIZE - 2), min_size=1, max_size=25)
OFFERS = st.lists(st.lists(st.integers(0, SIZE - 1), min_size=1, max_size=6), min_size=1, max_size=4)
EVENTS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=30).map(sorted)


def windows_of(labels: list[int], data: st.DataObject) -> list[tuple[int, int]]:
    """Start and length of windows of events, some of them empty."""
    place = st.integers(0, len(labels))
    ends = data.draw(st.lists(st.tuples(place, place).map(sorted), min_size=1, max_size=8), "windows")
    return [(start, stop - start) for start, stop in ends]


def offers_of(values: list[list[int]], most_frequent: int) -> tuple[Distribution, list[dict[int, float]]]:
    """Offers with so many of the events' values."""
    segments = np.repeat(np.arange(len(values), dtype=np.int32), [len(each) for each in values])
    flat = np.array([value for each in values for value in each], np.int32)
    found = feature_distribution(segments, flat, most_frequent)
    return found, [distribution(each, most_frequent) for each in values]


@pytest.mark.parametrize("at_a_time", [1, 3, 20_000])
@given(labels=LABELS, data=st.data())
def test_counts_of_windows(at_a_time: int, labels: list[int], data: st.DataObject) -> None:
    windows = windows_of(labels, data)
    start, length = np.array(windows).T
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(past_counts, "PASTS_AT_A_TIME", at_a_time)
        counts = count_pasts(np.array(labels, np.int32), start, length, SIZE)
    tables = CountTable(counts)
    asked = st.lists(st.integers(0, len(windows) - 1), max_size=8)
    for pasts in data.draw(st.lists(asked, min_size=1, max_size=4), "pasts"):  # in the same memory
        table = tables.of(np.array(pasts, np.int64))
        assert table.shape == (len(pasts), SIZE)
        assert table.dtype == np.float32
        for row, past in zip(table, pasts, strict=True):
            own = labels[start[past] : start[past] + length[past]]
            assert row.tolist() == [own.count(label) for label in range(SIZE)]


@pytest.mark.parametrize("at_a_time", [1, 4, 200_000])
@given(labels=LABELS, offers=OFFERS, most_frequent=st.integers(1, 4), data=st.data())
def test_expected_counts_of_pairs(
    at_a_time: int, labels: list[int], offers: list[list[int]], most_frequent: int, data: st.DataObject
) -> None:
    windows = windows_of(labels, data)
    of_offers, naive = offers_of(offers, most_frequent)
    pair = st.tuples(st.integers(0, len(windows) - 1), st.integers(0, len(offers) - 1))
    pairs = data.draw(st.lists(pair, min_size=1, max_size=12), "pairs")
    start, length = np.array(windows).T
    table = CountTable(count_pasts(np.array(labels, np.int32), start, length, SIZE)).of(
        np.arange(len(windows))
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(past_counts, "PAIRS_AT_A_TIME", at_a_time)
        found = expected_counts(table, *np.array(pairs).T, of_offers)
    assert found.dtype == np.float32
    for value, (past, offer) in zip(found, pairs, strict=True):
        rows = range(start[past], start[past] + length[past])
        assert value == pytest.approx(oracle.expected_count(labels, rows, naive[offer]), rel=1e-5)


@given(LABELS, OFFERS, st.integers(1, 4))
def test_expected_shares_of_offers(labels: list[int], offers: list[list[int]], most_frequent: int) -> None:
    of_offers, naive = offers_of(offers, most_frequent)
    shares = np.bincount(labels, minlength=SIZE) / len(labels)
    found = expected_shares(of_offers, shares)
    every = range(len(labels))
    expected = [oracle.expected_share(labels, every, offer) for offer in naive]
    assert found.dtype == np.float32
    assert found.tolist() == pytest.approx(expected, rel=1e-5)


@given(LABELS, OFFERS, st.integers(1, 4), st.data())
def test_an_event_is_taken_out_of_its_own_offer(
    labels: list[int], offers: list[list[int]], most_frequent: int, data: st.DataObject
) -> None:
    windows, (of_offers, _) = windows_of(labels, data), offers_of(offers, most_frequent)
    own = np.array([value for offer in offers for value in offer], np.int32)
    offer_of_event = np.repeat(np.arange(len(offers)), [len(offer) for offer in offers])
    past = st.integers(0, len(windows) - 1)
    pasts = np.array(data.draw(st.lists(past, min_size=len(own), max_size=len(own)), "past of each event"))
    start, length = np.array(windows).T
    table = CountTable(count_pasts(np.array(labels, np.int32), start, length, SIZE)).of(
        np.arange(len(windows))
    )
    whole = expected_counts(table, pasts, offer_of_event, of_offers)
    found = without_event(whole, table[pasts, own], offer_of_event, own, of_offers)
    assert found.dtype == np.float32
    assert (found >= 0).all()
    for event, past in enumerate(pasts):
        rows = range(start[past], start[past] + length[past])
        offer = naive_without_event(offers[offer_of_event[event]], int(own[event]), most_frequent)
        assert found[event] == pytest.approx(oracle.expected_count(labels, rows, offer), abs=1e-4)


@given(EVENTS, st.data())
def test_attributes_of_the_pasts_of_contexts(events: list[tuple[int, int]], data: st.DataObject) -> None:
    users, days = zip(*events, strict=True)
    past = Past(*np.array(events, np.int32).T)
    lists = st.lists(st.integers(0, SIZE - 1), min_size=len(events), max_size=len(events))
    labels = {name: data.draw(lists, name) for name in ("brand", "category1")}
    shares = {name: np.bincount(own, minlength=SIZE) / len(events) for name, own in labels.items()}
    columns = {name: np.array(own, np.int32) for name, own in labels.items()}
    pasts = {name: count_pasts(column, past.start, past.length, SIZE) for name, column in columns.items()}
    matches = AttributeMatches(pasts, shares)
    both = {name: offers_of(data.draw(OFFERS.filter(lambda offers: len(offers) > 1)), 3) for name in labels}
    distributions = {name: found for name, (found, _) in both.items()}
    row = st.integers(0, len(events) - 1)
    pairs = data.draw(st.lists(st.tuples(row, st.integers(0, 1)), min_size=1, max_size=8), "pairs")
    rows, offer_of_pair = np.array(pairs).T
    contexts, past_of_pair = np.unique(past.context_of_event[rows], return_inverse=True)
    tables = matches.tables(contexts)
    counts = matches.counts(tables, past_of_pair, offer_of_pair, distributions)
    assert counts.shape == (len(pairs), 2)
    for place, (name, (_, naive)) in enumerate(both.items()):
        for found, (own, offer) in zip(counts[:, place], pairs, strict=True):
            earlier = oracle.past_rows(users, days, own, None)
            expected = oracle.expected_count(labels[name], earlier, naive[offer])
            assert found == pytest.approx(expected, rel=1e-5)


def test_attributes_by_hand() -> None:
    # A past of brands 3, 5, 3, 3 and one of nothing. An offer that is three quarters brand 3 and a quarter
    # brand 4 matches 3 * 3/4 of the four; one of brands 4 and 5, half each, 1/2.
    counts = count_pasts(np.array([3, 5, 3, 3], np.int32), np.array([0, 4]), np.array([4, 0]), SIZE)
    offers, _ = offers_of([[3, 3, 3, 4], [4, 5]], 9)
    pairs = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])
    assert expected_counts(CountTable(counts).of(np.array([0, 1])), *pairs, offers).tolist() == [
        2.25,
        0.5,
        0,
        0,
    ]
    # Of all events a tenth is of brand 3, a fifth of brand 4 and none of brand 5.
    shares = np.array([0.7, 0, 0, 0.1, 0.2, 0])
    assert expected_shares(offers, shares).tolist() == pytest.approx([0.125, 0.1])


def test_equal_pairs_have_equal_bits_wherever_they_are() -> None:
    # Long sums: one in another order would have other last bits.
    generator = np.random.default_rng(0)
    size, pasts, offers = 200, 8, 5
    table = generator.integers(0, 50, (pasts, size)).astype(np.float32)
    values = [generator.integers(0, size, 400).tolist() for _ in range(offers)]
    distributions, _ = offers_of(values, 100)
    past_of_pair, offer_of_pair = generator.integers(0, pasts, 5000), generator.integers(0, offers, 5000)
    found = expected_counts(table, past_of_pair, offer_of_pair, distributions)
    pairs = set(zip(past_of_pair, offer_of_pair, found.view(np.int32), strict=True))
    assert len(pairs) == pasts * offers


def test_no_past_at_all() -> None:
    nothing = np.empty(0, np.int64)
    counts = count_pasts(np.array([3, 5], np.int32), nothing, nothing, SIZE)
    assert CountTable(counts).of(nothing).shape == (0, SIZE)
