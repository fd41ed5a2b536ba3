"""Batches of a training: as their signature says, and the same for the same seed and epoch."""

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from offerbench.batching.batches import draw_pass
from offerbench.core.columns import Split
from offerbench.core.errors import OfferbenchError
from offerbench.model.feed import Feed, passes_per_epoch
from offerbench.model.tensors import BatchTensors
from tests.oracle import batches as oracle

from ..conftest import TinyData
from ..parameters import rebatch_parameters
from ..rankers import AS_OFFERS, CASES, EVENTS_ONLY

REBATCH = rebatch_parameters()
SMALL = rebatch_parameters(users_per_group=10)  # groups: the number of batches differs from pass to pass


def feed(tiny: TinyData, case: str, **changes: Any) -> Feed:
    validation = np.stack(list(draw_pass(tiny.data, Split.VALIDATION, REBATCH)))
    training, features = CASES[case].training(**changes), CASES[case].features(tiny.data)
    return Feed(tiny.data, validation, REBATCH, training, features)


def as_bytes(batches: list[BatchTensors]) -> list[bytes]:
    return [b"".join(np.asarray(array).tobytes() for array in tf.nest.flatten(batch)) for batch in batches]


@pytest.mark.parametrize("tiny", ["tiny_data", "weighted_tiny_data"])
@pytest.mark.parametrize("case", CASES)
def test_batches_are_as_their_signature_says(request: pytest.FixtureRequest, tiny: str, case: str) -> None:
    made = feed(request.getfixturevalue(tiny), case)
    for signature, batches in (
        (made.signature, made.training(0)),
        (made.validation_signature, made.validation()),
    ):
        batch = next(iter(batches))
        tf.nest.assert_same_structure(signature, batch)
        for spec, array in zip(tf.nest.flatten(signature), tf.nest.flatten(batch), strict=True):
            assert spec.is_compatible_with(tf.convert_to_tensor(array))
        assert bool(batch.weights) == (tiny == "weighted_tiny_data")


@pytest.mark.parametrize("case", CASES)
def test_how_a_batch_is_seen(tiny_data: TinyData, case: str) -> None:
    made, features = feed(tiny_data, case), CASES[case].features(tiny_data.data)
    training, validation = next(iter(made.training(0))), next(iter(made.validation()))
    if case in EVENTS_ONLY:
        assert training.groupings == validation.groupings == []
        return
    of_training = CASES[case].training().groupings
    assert len(training.groupings) == (of_training.number if of_training else 1)
    assert len(validation.groupings) == len(features)  # the tasks' offers
    for feature, grouping in zip(features, validation.groupings, strict=True):
        assert grouping.group_of_event.tolist() == validation.offer_rows[feature].tolist()
    for grouping in [*training.groupings, *validation.groupings]:
        by_group = grouping.group_of_event[grouping.by_group]
        assert (np.diff(by_group) >= 0).all()
        assert sorted(grouping.by_group.tolist()) == list(range(REBATCH.batch_size))


@pytest.mark.parametrize("case", ["full", "variance_matches"])
def test_an_epoch_depends_on_seed_and_epoch_only(tiny_data: TinyData, case: str) -> None:
    made, changes = feed(tiny_data, case), {"history_dropout": 0.3}
    first = as_bytes(list(made.training(0)))
    assert as_bytes(list(made.training(1))) != first
    assert as_bytes(list(made.training(0))) == first
    assert as_bytes(list(feed(tiny_data, case).training(0))) == first
    thinned = as_bytes(list(feed(tiny_data, case, **changes).training(0)))
    assert thinned != first
    assert as_bytes(list(feed(tiny_data, case, **changes, seed=2).training(0))) != thinned
    assert as_bytes(list(made.validation())) == as_bytes(list(feed(tiny_data, case, seed=2).validation()))


@pytest.mark.parametrize("case", ["full", "variance_matches"])
def test_values_are_left_out_of_histories_in_training_alone(tiny_data: TinyData, case: str) -> None:
    whole, thinned = feed(tiny_data, case), feed(tiny_data, case, history_dropout=0.5)
    for name in ("training", "validation"):
        numbers = [
            sum(len(values) for batch in batches for values in batch.values.values())
            for batches in (
                (made.training(0) if name == "training" else made.validation()) for made in (whole, thinned)
            )
        ]
        assert numbers[1] / numbers[0] == pytest.approx(0.5 if name == "training" else 1, abs=0.1)


@pytest.mark.parametrize("case", AS_OFFERS)
@pytest.mark.parametrize("hits", ["none", "offer", "bought_that_day"])
def test_accidental_hits_count_unless_they_are_left_out(tiny_data: TinyData, case: str, hits: str) -> None:
    made = feed(tiny_data, case, remove_accidental_hits=hits)
    for batches in (made.training(0), made.validation()):
        weights = [grouping.weights for batch in batches for grouping in batch.groupings]
        assert (np.concatenate(weights) == 1).all() == (hits == "none")


def test_leaving_hits_out_needs_offers(tiny_data: TinyData) -> None:
    # The ranker of events with its own products alone; then what is a hit is looked at, and all is counted.
    plain, *without_hits = (
        feed(tiny_data, "full", remove_accidental_hits=hits) for hits in ("none", "offer", "bought_that_day")
    )
    assert next(iter(plain.training(0))).groupings == []
    kept = []
    for made in without_hits:
        (grouping,) = next(iter(made.training(0))).groupings
        kept.append((grouping.weights == 1).mean())
        assert grouping.counts.shape[-1] == 0
    assert 0.5 < kept[1] <= kept[0]


@pytest.mark.parametrize("case", AS_OFFERS)
def test_kinds_of_match_are_windows_and_attributes(tiny_data: TinyData, case: str) -> None:
    made, matches = feed(tiny_data, case), CASES[case].training().ranker.match_score
    batch = next(iter(made.training(0)))
    features = len(CASES[case].features(tiny_data.data))
    kinds = 0 if matches is None else len(matches.windows) + features * bool(matches.attribute_values)
    assert batch.past_lengths.shape[-1] == kinds
    for grouping in batch.groupings:
        assert grouping.counts.shape[-1] == grouping.base.shape[-1] == kinds
        if kinds > 2:  # expected over distributions: not all are whole numbers
            assert (grouping.counts[..., :2] % 1 == 0).all()
            assert (grouping.counts[..., 2:] > 0).any()


@pytest.mark.parametrize("epoch", [0, 2])
@pytest.mark.parametrize("min_steps", [1, 13, 50])
@pytest.mark.parametrize("case", [next(iter(EVENTS_ONLY)), next(iter(AS_OFFERS))])
def test_an_epoch_is_whole_passes_with_enough_steps(
    tiny_data: TinyData, case: str, min_steps: int, epoch: int
) -> None:
    made, one = feed(tiny_data, case, min_steps_per_epoch=min_steps), feed(tiny_data, case)
    expected = oracle.passes_of_epoch(len(list(one.training(0))), min_steps, epoch)
    assert made.passes == len(expected)
    found = as_bytes(list(made.training(epoch)))
    assert found == [batch for number in expected for batch in as_bytes(list(one.training(number)))]


def test_passes_are_counted_by_the_first(tiny_data: TinyData) -> None:
    rows = [passes_per_epoch(tiny_data.data, SMALL, steps) for steps in (1, 1000)]
    first = len(list(draw_pass(tiny_data.data, Split.TRAIN, SMALL)))
    assert rows == [1, -(-1000 // first)]


def test_no_batch_is_refused(tiny_data: TinyData) -> None:
    with pytest.raises(OfferbenchError, match=r"rebatch\.batch_size: 100000 events are more than a group"):
        passes_per_epoch(tiny_data.data, rebatch_parameters(batch_size=100_000), 40)
