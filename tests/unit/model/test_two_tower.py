"""The model on the batches of the tiny data set, against Keras's layers on a row for each event."""

from dataclasses import dataclass

import numpy as np
import pytest
import tensorflow as tf

from offerbench.batching.batches import draw_pass, make_batch
from offerbench.model.tensors import BatchTensors, batch_signature, batch_tensors
from offerbench.model.training import Trainer
from offerbench.model.two_tower import TwoTower
from offerbench.schema import Split
from tests.oracle.two_tower import KerasTwoTower

from ..bags import bags_of
from ..conftest import TinyData
from ..model_builder import random_model, weights_of
from ..parameters import rebatch_parameters, train_parameters

MINIBATCH = 5


@dataclass(frozen=True)
class Case:
    """A model without dropout, its twin, and one batch in the form that each takes."""

    model: TwoTower
    keras: KerasTwoTower
    batch: BatchTensors
    user_bags: dict[str, list[dict[int, float]]]
    offer_bags: dict[str, list[dict[int, float]]]


@pytest.fixture(params=["full", "mono", "weighted", "shared", "shared_mono"])
def case(request: pytest.FixtureRequest, tiny_data: TinyData, weighted_tiny_data: TinyData) -> Case:
    data = (weighted_tiny_data if request.param == "weighted" else tiny_data).data
    features = ["brand"] if "mono" in request.param else list(data.offer_sizes)
    rows = next(draw_pass(data, Split.TRAIN, rebatch_parameters(events_per_user_day=8)))
    # The last minibatch once more, its events the other way round: histories and offers come twice.
    rows = np.concatenate([rows, rows[: -MINIBATCH - 1 : -1]])
    sizes = {name: data.offer_sizes[name] for name in features}
    shared = data.shared_tables(features) if "shared" in request.param else {}
    model = random_model(data.user_sizes, sizes, shared_tables=shared, dropout=0.0, l1=1e-3)
    of_views = [bags_of(data, view) for view in data.events["view"][rows]]
    return Case(
        model=model,
        keras=KerasTwoTower(weights_of(model), momentum=0.9, l1=1e-3, shared_tables=shared),
        batch=batch_tensors(make_batch(data, rows, features)),
        user_bags={name: [bags[name] for bags in of_views] for name in data.user_sizes},
        offer_bags={name: [{label: 1.0} for label in data.events[name][rows].tolist()] for name in features},
    )


def made_trainer(model: TwoTower, events: int) -> Trainer:
    specification = model.specification
    signature = batch_signature(specification.user_features, specification.offer_features, events)
    return Trainer(model, train_parameters(number_of_negatives=MINIBATCH - 1), signature)


def test_loss_gradients_and_moments_of_a_training_step(case: Case) -> None:
    trainer = made_trainer(case.model, 25)
    with tf.GradientTape() as tape:
        loss, (logits, _) = trainer.loss(case.batch, tf.constant(0))
    named = {variable.name.removesuffix(":0"): variable for variable in case.model.trainable_variables}
    gradients = dict(zip(named, tape.gradient(loss, list(named.values())), strict=True))
    with tf.GradientTape() as tape:
        users = case.keras.vectors("user", case.user_bags, training=True)
        offers = case.keras.vectors("offer", case.offer_bags, training=True)
        expected_loss, expected_logits = case.keras.loss(users, offers, MINIBATCH)
    twins = case.keras.variables()
    expected = dict(zip(twins, tape.gradient(expected_loss, list(twins.values())), strict=True))

    assert any(not bag for bags in case.user_bags.values() for bag in bags)  # empty bags are there
    assert float(loss) == pytest.approx(float(expected_loss), abs=1e-4)
    assert logits.numpy().reshape(-1) == pytest.approx(expected_logits.numpy(), abs=1e-4)
    assert set(gradients) == set(expected)
    for name, gradient in expected.items():
        found = tf.convert_to_tensor(gradients[name]).numpy()
        assert found == pytest.approx(tf.convert_to_tensor(gradient).numpy(), abs=1e-4), name
        assert np.abs(found).max() > 1e-4, f"{name}: its gradient says nothing"
    weights = weights_of(case.model)
    for name, moment in case.keras.moving_moments().items():
        assert weights[name] == pytest.approx(moment.numpy(), abs=1e-5), name


def test_gradients_of_both_sides_reach_a_shared_table(case: Case) -> None:
    shared = case.model.specification.shared_tables
    with tf.GradientTape(persistent=True) as tape:
        sides = case.model.train_vectors(case.batch, tf.constant([2, 0]))
    for name, offer_feature in shared.items():  # none in the cases that share nothing
        table = case.model.offer_tables[offer_feature]
        assert case.model.user_tables[name] is table
        for side in sides:
            assert np.abs(tf.convert_to_tensor(tape.gradient(side, table)).numpy()).max() > 1e-4
    tables = [*case.model.user_tables.values(), *case.model.offer_tables.values()]
    distinct = {id(table) for table in tables}
    assert len(distinct) == len(tables) - len(shared)
    regularised = [id(variable) for variable in case.model.regularised()]
    assert sorted(set(regularised)) == sorted(regularised)
    assert distinct <= set(regularised)


def test_inference_of_a_batch(case: Case) -> None:
    users, offers = case.model.infer_vectors(case.batch)
    for side, found, bags in (("user", users, case.user_bags), ("offer", offers, case.offer_bags)):
        expected = case.keras.vectors(side, bags, training=False)
        assert found.numpy() == pytest.approx(expected.numpy(), abs=1e-5)


def test_an_offer_of_one_value_a_feature_is_its_event(case: Case) -> None:
    _, offers = case.model.infer_vectors(case.batch)
    events = len(offers)
    labels = {name: [next(iter(bag)) for bag in bags] for name, bags in case.offer_bags.items()}
    found = case.model.infer_offers(
        {name: tf.constant(values, tf.int32) for name, values in labels.items()},
        {name: tf.range(events) for name in labels},
        {name: tf.ones(events) for name in labels},
        tf.constant(events),
    )
    assert found.numpy() == pytest.approx(offers.numpy(), abs=1e-6)


def test_dropout_differs_between_towers_and_steps(tiny_data: TinyData) -> None:
    # Kernels of zero and biases of .01 leave an output of zero where dropout hits, and nowhere else.
    data = tiny_data.data
    sizes = {"brand": data.offer_sizes["brand"]}
    model = random_model(data.user_sizes, sizes, dropout=0.5, tower_units=[30])
    for tower in (model.user_tower, model.offer_tower):
        tower.kernels[0].assign(tf.zeros_like(tower.kernels[0]))
        tower.biases[0].assign(tf.fill(tower.biases[0].shape, 0.01))
    rows = next(draw_pass(data, Split.TRAIN, rebatch_parameters()))
    batch = batch_tensors(make_batch(data, rows, ["brand"]))
    trainer = made_trainer(model, len(rows))
    users, offers = (vectors.numpy() == 0 for vectors in model.train_vectors(batch, tf.constant([2, 0])))
    assert users.any()
    assert (users != offers).any()
    first, again, second = (trainer.loss(batch, tf.constant(step))[1].logits.numpy() for step in (0, 0, 1))
    assert first.tobytes() == again.tobytes()
    assert first.tobytes() != second.tobytes()
