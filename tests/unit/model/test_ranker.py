"""Every kind of ranker on a batch of the tiny data set, against NumPy on one pair at a time."""

from dataclasses import dataclass

import numpy as np
import pytest
import tensorflow as tf

from offerbench.batching.batches import draw_pass
from offerbench.batching.grouped import GroupedBatch
from offerbench.core.columns import HISTORY, Split
from offerbench.model.layers import Dropout
from offerbench.model.negatives import Pairs, pair_loss
from offerbench.model.ranker import Ranker
from offerbench.model.saved_model import named_variables
from offerbench.model.tensors import BatchTensors, batch_tensors
from offerbench.preparation.prepared import PreparedData
from tests.oracle import ranker as oracle
from tests.oracle.offers import distribution

from ..bags import bags_of
from ..conftest import TinyData
from ..parameters import rebatch_parameters
from ..rankers import AS_OFFERS, CASES, EVENTS_ONLY, grouped_batch, random_ranker, weights_by_feature

NEIGHBOURS = 5
NO_DROPOUT = {"ranker.dropout": 0.0}
# Without momentum the moving moments become those of a step: evaluation then gives what the step gave.
MOVED_AT_ONCE = NO_DROPOUT | {"ranker.batch_normalization_momentum": 0.0}
# The towers' normalisation takes a constant out again: no gradient reaches it.
TAKEN_OUT = {"dot": ["user_compression/output/offset"], "bilinear": []}


@dataclass(frozen=True)
class Seen:
    """A batch as the ranker of a case is trained on it."""

    data: PreparedData
    rows: np.ndarray
    batch: GroupedBatch
    tensors: BatchTensors


def see(data: PreparedData, case: str) -> Seen:
    rows = next(draw_pass(data, Split.TRAIN, rebatch_parameters()))
    # The last negatives group once more, its events the other way round: histories and offers come twice.
    rows = np.concatenate([rows[:10], rows[: -NEIGHBOURS - 1 : -1]])
    batch = grouped_batch(data, case, rows)
    return Seen(data, rows, batch, batch_tensors(batch))


def drop_of(model: Ranker, step: int = 0) -> Dropout:
    return Dropout(model.specification.ranker.dropout, 1, tf.constant(step))


def evaluated(model: Ranker, tensors: BatchTensors) -> np.ndarray:
    return model.pairs(tensors, NEIGHBOURS).logits.numpy()


def trained(model: Ranker, tensors: BatchTensors, step: int = 0) -> Pairs:
    return model.pairs(tensors, NEIGHBOURS, drop_of(model, step))


def moving_moments(model: Ranker) -> dict[str, list[float]]:
    """Of every normalisation, by name."""
    return {
        name: variable.numpy().tolist()
        for name, variable in named_variables(model).items()
        if "/moving_" in name
    }


def distributions_of(data: PreparedData, rows: np.ndarray, names: list[str]) -> dict[str, dict[int, float]]:
    """Share of each value of each feature among some events."""
    return {name: distribution(data.events[name][rows].tolist(), len(rows)) for name in names}


def naive_scores(model: Ranker, seen: Seen) -> np.ndarray:
    """Score of every pair of every grouping; (groupings, groups, m, m)."""
    weights, shape = weights_by_feature(model), model.specification.ranker
    groupings, names = seen.batch.groupings or [None], list(model.specification.offer_features)
    bags = [bags_of(seen.data, history) for history in seen.data.events[HISTORY][seen.rows]]
    scores = np.zeros((len(groupings), len(seen.rows) // NEIGHBOURS, NEIGHBOURS, NEIGHBOURS))
    for g, b, i, j in np.ndindex(*scores.shape):
        user, offer, own = b * NEIGHBOURS + i, b * NEIGHBOURS + j, groupings[g]
        if own is None:  # an event's offer is its own product
            of_offer, matches = seen.rows[[offer]], ()
        else:
            of_offer = seen.rows[own.group_of_event == own.group_of_event[offer]]
            lengths = seen.batch.past_lengths[user].tolist()
            matches = own.counts[b, i, j].tolist(), lengths, own.base[offer].tolist()
        offered = distributions_of(seen.data, of_offer, names)
        scores[g, b, i, j] = oracle.pair_score(weights, shape, bags[user], offered, *matches)
    return scores


@pytest.mark.parametrize("data", ["tiny_data", "weighted_tiny_data"])
@pytest.mark.parametrize("case", CASES)
def test_scores_are_those_of_each_pair_by_itself(
    request: pytest.FixtureRequest, data: str, case: str
) -> None:
    seen = see(request.getfixturevalue(data).data, case)
    model = random_ranker(seen.data, case)
    pairs = model.pairs(seen.tensors, NEIGHBOURS)
    expected = naive_scores(model, seen)
    assert np.std(expected, axis=(1, 2, 3)).min() > 0.01  # the scores differ, so agreement says something
    assert pairs.logits.numpy() == pytest.approx(expected, abs=1e-4)
    if case in EVENTS_ONLY:
        assert pairs.weights is None
    else:
        weights = [grouping.weights.tolist() for grouping in seen.batch.groupings]
        assert pairs.weights.numpy().tolist() == weights
    if data == "weighted_tiny_data":  # the weights matter
        other = evaluated(model, seen.tensors._replace(weights={}))
        assert np.abs(pairs.logits.numpy() - other).max() > 0.01


@pytest.mark.parametrize("case", AS_OFFERS)
def test_offers_of_several_events_are_there(tiny_data: TinyData, case: str) -> None:
    batch = see(tiny_data.data, case).batch
    if CASES[case].groupings is not None:
        sizes = [np.bincount(grouping.group_of_event).max() for grouping in batch.groupings]
        assert max(sizes) > 2
    matches = CASES[case].ranker.get("match_score")
    assert matches is None or batch.past_lengths.max() > 1
    if matches and matches["attribute_values"]:
        of_attributes = [grouping.counts[..., len(matches["windows"]) :] for grouping in batch.groupings]
        assert all((counts > 0).any() for counts in of_attributes)
        # Expected over several values, some are no whole numbers, where an offer is of several events.
        assert any((counts % 1 > 0).any() for counts in of_attributes) == (CASES[case].groupings is not None)


@pytest.mark.parametrize(
    ("case", "grouping"),
    [(name, place) for name in CASES for place in ((0, 2) if CASES[name].groupings else (0,))],
)
def test_a_training_step_without_dropout(tiny_data: TinyData, case: str, grouping: int) -> None:
    tensors = see(tiny_data.data, case).tensors
    tensors = tensors._replace(groupings=tensors.groupings[grouping : grouping + 1])
    model = random_ranker(tiny_data.data, case, **MOVED_AT_ONCE)
    before, moments = evaluated(model, tensors), moving_moments(model)
    found = trained(model, tensors)
    moved = {name for name, values in moving_moments(model).items() if values != moments[name]}
    assert moved == set(moments) != set()
    after = model.pairs(tensors, NEIGHBOURS)
    assert found.logits.numpy() == pytest.approx(after.logits.numpy(), abs=1e-4)
    assert before != pytest.approx(found.logits.numpy(), abs=1e-2)
    if case in EVENTS_ONLY:
        assert found.weights is after.weights is None
    else:
        assert found.weights.numpy().tolist() == after.weights.numpy().tolist()


@pytest.mark.parametrize("case", CASES)
def test_a_training_step_on_weighted_histories(weighted_tiny_data: TinyData, case: str) -> None:
    tensors = see(weighted_tiny_data.data, case).tensors
    tensors = tensors._replace(groupings=tensors.groupings[:1])
    model = random_ranker(weighted_tiny_data.data, case, **MOVED_AT_ONCE)
    found = trained(model, tensors).logits.numpy()
    assert found == pytest.approx(evaluated(model, tensors), abs=1e-4)


@pytest.mark.parametrize("case", ["shared", "shared_mono", "variance_matches_shared"])
def test_tables_shared_by_both_sides(tiny_data: TinyData, case: str) -> None:
    seen = see(tiny_data.data, case)
    model = random_ranker(tiny_data.data, case, **NO_DROPOUT)
    shared = model.specification.shared_tables
    assert len(shared) == 2 * len(CASES[case].features(tiny_data.data))  # of carts and of purchases
    features = len(model.user_tables) + len(model.offer_tables)
    for variables in (model.regularised(), model.trainable_variables):
        assert sum("_embedding/" in variable.name for variable in variables) == features - len(shared)
    with tf.GradientTape(persistent=True) as tape:
        histories = tf.reduce_max(seen.tensors.history_of_event) + 1
        sides = model.infer_users(*seen.tensors[:3], histories), model._events(seen.tensors)
    for name, offer_feature in shared.items():
        table = model.offer_tables[offer_feature]
        assert model.user_tables[name] is table
        for side in sides:
            gradient = tf.convert_to_tensor(tape.gradient(side, table))
            assert np.abs(gradient.numpy()).max() > 1e-4


@pytest.mark.parametrize("case", CASES)
def test_gradient_reaches_every_variable(tiny_data: TinyData, case: str) -> None:
    model = random_ranker(tiny_data.data, case, **NO_DROPOUT)
    with tf.GradientTape() as tape:
        loss = pair_loss(trained(model, see(tiny_data.data, case).tensors))
    variables = {variable.name.removesuffix(":0"): variable for variable in model.trainable_variables}
    gradients = tape.gradient(loss, variables)
    taken_out = TAKEN_OUT[model.specification.ranker.interaction]
    for name, gradient in gradients.items():
        assert gradient is not None, name
        largest = np.abs(tf.convert_to_tensor(gradient).numpy()).max()
        assert (largest > 1e-5) == (name not in taken_out), f"{name}: {largest}"


@pytest.mark.parametrize("case", CASES)
def test_a_step_drops_out_and_repeats_itself(tiny_data: TinyData, case: str) -> None:
    tensors = see(tiny_data.data, case).tensors
    first, again, other = (
        trained(random_ranker(tiny_data.data, case, ranker={"dropout": 0.4}), tensors, step).logits.numpy()
        for step in (0, 0, 1)
    )
    assert first.tobytes() == again.tobytes()
    assert first != pytest.approx(other, abs=1e-2)


@pytest.mark.parametrize("case", CASES)
def test_evaluation_moves_nothing(tiny_data: TinyData, case: str) -> None:
    model = random_ranker(tiny_data.data, case)
    before = {name: variable.numpy().tobytes() for name, variable in named_variables(model).items()}
    evaluated(model, see(tiny_data.data, case).tensors)
    assert before == {name: variable.numpy().tobytes() for name, variable in named_variables(model).items()}


def test_dropout_differs_between_towers_and_steps(tiny_data: TinyData) -> None:
    # Kernels of zero and biases of .01 leave an output of zero where dropout hits, and nowhere else.
    model = random_ranker(tiny_data.data, "mono", ranker={"dropout": 0.5, "units": [30]})
    for tower in (model.interaction.users, model.interaction.offers):
        tower.kernels[0].assign(tf.zeros_like(tower.kernels[0]))
        tower.biases[0].assign(tf.fill(tower.biases[0].shape, 0.01))
    tensors = see(tiny_data.data, "mono").tensors
    sides = {}

    def keep_vectors(users: tf.Tensor, offers: tf.Tensor, *_: object) -> tf.Tensor:
        sides.setdefault("users", users.numpy() == 0)
        sides.setdefault("offers", offers.numpy() == 0)
        return tf.matmul(users, offers, transpose_b=True)

    model.interaction.logits = keep_vectors
    first, again, second = (trained(model, tensors, step).logits.numpy() for step in (0, 0, 1))
    assert sides["users"].any()
    assert (sides["users"] != sides["offers"]).any()
    assert first.tobytes() == again.tobytes()
    assert first.tobytes() != second.tobytes()


def bag_tensors(
    distributions: list[dict[str, dict[int, float]]], name: str
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Labels, the offer of each, and weights of one feature."""
    listed = [
        (offer, label, weight)
        for offer, parts in enumerate(distributions)
        for label, weight in parts[name].items()
    ]
    offers, labels, weights = zip(*listed, strict=True)
    return tf.constant(labels, tf.int32), tf.constant(offers, tf.int32), tf.constant(weights, tf.float32)


@pytest.mark.parametrize("case", ["groupings", "variance_matches", "everything"])
def test_moments_of_groups_are_those_of_their_distributions(tiny_data: TinyData, case: str) -> None:
    model, seen = random_ranker(tiny_data.data, case), see(tiny_data.data, case)
    names, weights, varied = list(tiny_data.data.offer_sizes), weights_by_feature(model), []
    moments = slice(2 if model.specification.ranker.variance else 1)
    for grouping in seen.tensors.groupings:
        offers = [
            distributions_of(tiny_data.data, seen.rows[grouping.group_of_event == group], names)
            for group in range(grouping.group_of_event.max() + 1)
        ]
        naive = [[oracle.offer_moments(weights, name, offer[name]) for name in names] for offer in offers]
        expected = [
            np.array([np.concatenate([both[moment] for both in offer]) for offer in naive])
            for moment in (0, 1)
        ]
        bags = {name: bag_tensors(offers, name) for name in names}
        columns = ({name: bag[part] for name, bag in bags.items()} for part in range(3))
        for found in (
            model._grouped(model._events(seen.tensors), grouping),
            model._moments(*columns, tf.constant(len(offers))),
        ):
            assert [part is None for part in found] == [False, not model.specification.ranker.variance]
            for part, wanted in zip(found[moments], expected[moments], strict=True):
                assert part.numpy() == pytest.approx(wanted, abs=1e-5)
        varied.append(expected[1].max() > 0.01)
    assert sum(varied) >= 2  # the groups of some groupings have events that differ


@pytest.mark.parametrize("case", CASES)
def test_names_of_variables_are_unique(tiny_data: TinyData, case: str) -> None:
    model = random_ranker(tiny_data.data, case)
    assert len(named_variables(model)) == len(model.variables)
    assert {id(variable) for variable in model.trainable_variables} < {id(one) for one in model.variables}


@pytest.mark.parametrize("case", CASES)
def test_embeddings_kernels_and_biases_are_under_l1(tiny_data: TinyData, case: str) -> None:
    model = random_ranker(tiny_data.data, case)
    names = [variable.name.removesuffix(":0") for variable in model.regularised()]
    expected = {
        name
        for name in named_variables(model)
        if "_embedding/" in name or name.rsplit("/", 1)[-1].startswith(("kernel", "bias"))
    }
    assert len(set(names)) == len(names)
    assert set(names) == expected
