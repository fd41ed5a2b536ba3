"""What a replica takes of a batch, against a twin that goes from event to event."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offerbench.batching.batches import Bag, Batch
from offerbench.batching.shares import Share
from tests.oracle.shares import own_events, seen_by

SIZES = {"history_purchase_brand": 9, "history_cart_brand": 40}


def draw_batch(generator: np.random.Generator, events: int, histories: int, longest: int) -> Batch:
    """A batch whose histories are all seen; the first feature has weights, and bags may be empty."""
    seen = np.append(np.arange(histories), generator.integers(0, histories, max(events - histories, 0)))
    bags = {}
    for feature, size in SIZES.items():
        lengths = generator.integers(0, min(longest, size) + 1, histories)
        values = [generator.choice(size, length, replace=False) for length in lengths]
        bags[feature] = Bag(
            values=np.concatenate(values).astype(np.int32),
            segments=np.repeat(np.arange(histories, dtype=np.int32), lengths),
            weights=generator.random(lengths.sum(), np.float32) if "purchase" in feature else None,
        )
    return Batch(
        bags=bags,
        history_of_event=generator.permutation(seen).astype(np.int32),
        offer_values={"brand": np.arange(3, dtype=np.int32)},
        offer_rows={"brand": generator.integers(0, 3, events).astype(np.int32)},
    )


@given(
    seed=st.integers(0, 2**32),
    replicas=st.integers(1, 4),
    neighbours=st.integers(1, 4),
    groups=st.integers(1, 4),
    histories=st.integers(1, 12),
    longest=st.integers(0, 5),
)
def test_every_event_sees_what_it_saw(
    seed: int, replicas: int, neighbours: int, groups: int, histories: int, longest: int
) -> None:
    events = replicas * groups * neighbours
    batch = draw_batch(np.random.default_rng(seed), events, min(histories, events), longest)
    for index in range(replicas):
        share = Share(replicas, index, groups)
        taken = share.take(batch, SIZES)
        own = own_events(events, neighbours, replicas, index)
        assert share.own(np.arange(events)).tolist() == own
        assert len(taken.history_of_event) == len(own)
        assert taken.offer_values is batch.offer_values
        assert taken.offer_rows is batch.offer_rows
        for feature in SIZES:
            for place, event in enumerate(own):
                assert seen_by(taken, feature, place) == seen_by(batch, feature, event)


@given(seed=st.integers(0, 2**32), replicas=st.integers(2, 4), histories=st.integers(1, 12))
def test_all_replicas_look_the_same_rows_up(seed: int, replicas: int, histories: int) -> None:
    batch = draw_batch(np.random.default_rng(seed), replicas * 4, min(histories, replicas * 4), 5)
    taken = [Share(replicas, index, 2).take(batch, SIZES) for index in range(replicas)]
    for feature, bag in batch.bags.items():
        for share in taken:
            own = share.bags[feature]
            assert own.labels is not None
            assert own.labels.tolist() == sorted(set(bag.values.tolist()))
            assert own.values.dtype == own.segments.dtype == own.labels.dtype == np.int32
            assert np.all(np.diff(own.segments) >= 0)
            assert own.segments.max(initial=-1) <= share.history_of_event.max()


def test_rows_of_pairs_and_of_nothing_are_dealt_out_too() -> None:
    share = Share(replicas=2, index=1, groups=2)
    assert share.own(np.arange(12).reshape(4, 3)).tolist() == [[3, 4, 5], [9, 10, 11]]
    assert share.own(np.empty((8, 0), np.float32)).shape == (4, 0)


@pytest.mark.parametrize("index", [0, 1])
def test_shares_are_of_equal_size(index: int) -> None:
    assert len(Share(2, index, 3).own(np.arange(30))) == 15
