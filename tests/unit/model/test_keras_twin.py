"""A ranker of events only on batches of the tiny data set, against Keras's layers on a row for each event."""

from dataclasses import dataclass

import numpy as np
import pytest
import tensorflow as tf

from offerbench.batching.batches import draw_pass
from offerbench.core.columns import HISTORY, Split
from offerbench.features.config import MatchingParameters
from offerbench.model.ranker import Ranker
from offerbench.model.tensors import BatchTensors, batch_signature, batch_tensors
from offerbench.model.training import Trainer
from offerbench.preparation.prepared import PreparedData
from tests.oracle.keras_ranker import KerasRanker

from ..bags import bags_of
from ..conftest import TinyData
from ..parameters import rebatch_parameters
from ..rankers import CASES, grouped_batch, random_ranker, weights_of
from .test_ranker import drop_of

NEIGHBOURS, L1, MOMENTUM = 5, 1e-3, 0.9


@dataclass(frozen=True)
class Twins:
    """A ranker without dropout, its twin, and one batch in the form that each takes."""

    data: PreparedData
    model: Ranker
    keras: KerasRanker
    batch: BatchTensors
    user_bags: dict[str, list[dict[int, float]]]
    offer_bags: dict[str, list[dict[int, float]]]


@pytest.fixture(params=["full", "mono", "weighted", "shared", "shared_mono"])
def twins(request: pytest.FixtureRequest, tiny_data: TinyData, weighted_tiny_data: TinyData) -> Twins:
    is_weighted = request.param == "weighted"
    data = (weighted_tiny_data if is_weighted else tiny_data).data
    case = "full" if is_weighted else request.param
    rows = next(draw_pass(data, Split.TRAIN, rebatch_parameters(events_per_user_day=8)))
    # The last negatives group once more, its events the other way round: histories and offers come twice.
    rows = np.concatenate([rows, rows[: -NEIGHBOURS - 1 : -1]])
    model = random_ranker(
        data, case, ranker={"dropout": 0.0, "l1": L1, "batch_normalization_momentum": MOMENTUM}
    )
    bags = [bags_of(data, history) for history in data.events[HISTORY][rows]]
    offers = {name: data.events[name][rows].tolist() for name in CASES[case].features(data)}
    return Twins(
        data=data,
        model=model,
        keras=KerasRanker(weights_of(model), MOMENTUM, L1, model.specification.shared_tables),
        batch=batch_tensors(grouped_batch(data, case, rows)),
        user_bags={name: [of_event[name] for of_event in bags] for name in data.user_sizes},
        offer_bags={name: [{label: 1.0} for label in labels] for name, labels in offers.items()},
    )


def matching_of(model: Ranker) -> MatchingParameters:
    matching = model.specification.training.matching
    assert matching == MatchingParameters(NEIGHBOURS, "none", [], None)
    return matching


def test_loss_gradients_and_moments_of_a_training_step(twins: Twins) -> None:
    signature = batch_signature(twins.data, list(twins.offer_bags), 25, matching_of(twins.model))
    trainer = Trainer(twins.model, signature, signature)
    with tf.GradientTape() as tape:
        loss, (logits, _) = trainer.loss(twins.batch, drop_of(twins.model))
    named = {variable.name.removesuffix(":0"): variable for variable in twins.model.trainable_variables}
    gradients = dict(zip(named, tape.gradient(loss, list(named.values())), strict=True))
    with tf.GradientTape() as tape:
        users = twins.keras.vectors("user", twins.user_bags, training=True)
        offers = twins.keras.vectors("offer", twins.offer_bags, training=True)
        expected_loss, expected_logits = twins.keras.loss(users, offers, NEIGHBOURS)
    variables = twins.keras.variables()
    expected = dict(zip(variables, tape.gradient(expected_loss, list(variables.values())), strict=True))

    assert any(not bag for bags in twins.user_bags.values() for bag in bags)  # empty bags are there
    assert float(loss) == pytest.approx(float(expected_loss), abs=1e-4)
    assert logits.numpy().reshape(-1) == pytest.approx(expected_logits.numpy(), abs=1e-4)
    assert set(gradients) == set(expected)
    for name, gradient in expected.items():
        found = tf.convert_to_tensor(gradients[name]).numpy()
        assert found == pytest.approx(tf.convert_to_tensor(gradient).numpy(), abs=1e-4), name
        assert np.abs(found).max() > 1e-4, f"{name}: its gradient says nothing"
    weights = weights_of(twins.model)
    for name, moment in twins.keras.moving_moments().items():
        assert weights[name] == pytest.approx(moment.numpy(), abs=1e-5), name


@pytest.mark.parametrize("twins", ["full"], indirect=True)
def test_both_steps_are_compiled_as_they_are_written(twins: Twins) -> None:
    signature = batch_signature(twins.data, list(twins.offer_bags), 25, matching_of(twins.model))
    trainer = Trainer(twins.model, signature, signature)
    plain, pairs = trainer.loss(twins.batch, None)
    loss, found = trainer.validation_step(twins.batch)
    assert float(loss) == pytest.approx(float(plain), abs=1e-5)
    assert found.logits.numpy() == pytest.approx(pairs.logits.numpy(), abs=1e-5)
    before = weights_of(twins.model)
    drop = drop_of(twins.model)
    expected, _ = trainer.loss(twins.batch, drop)
    for name, variable in {v.name.removesuffix(":0"): v for v in twins.model.variables}.items():
        variable.assign(before[name])
    stepped, _ = trainer.train_step(twins.batch, 0)
    assert float(stepped) == pytest.approx(float(expected), abs=1e-5)
    moved = {name for name, values in weights_of(twins.model).items() if (values != before[name]).any()}
    assert moved == set(before)


def test_vectors_of_evaluation(twins: Twins) -> None:
    batch = twins.batch
    histories = tf.reduce_max(batch.history_of_event) + 1
    users = twins.model.infer_users(batch.values, batch.segments, batch.weights, histories)
    found = {
        "user": tf.gather(users, batch.history_of_event),
        "offer": twins.model.interaction.offers(twins.model._own_offers(batch)),
    }
    for side, bags in (("user", twins.user_bags), ("offer", twins.offer_bags)):
        expected = twins.keras.vectors(side, bags, training=False)
        assert found[side].numpy() == pytest.approx(expected.numpy(), abs=1e-5)


def test_an_offer_of_one_value_a_feature_is_its_event(twins: Twins) -> None:
    offers = twins.model.interaction.offers(twins.model._own_offers(twins.batch))
    events = len(offers)
    labels = {name: [next(iter(bag)) for bag in bags] for name, bags in twins.offer_bags.items()}
    found = twins.model.infer_offers(
        {name: tf.constant(values, tf.int32) for name, values in labels.items()},
        {name: tf.range(events) for name in labels},
        {name: tf.ones(events) for name in labels},
        tf.constant(events),
    )
    assert found.numpy() == pytest.approx(offers.numpy(), abs=1e-6)
