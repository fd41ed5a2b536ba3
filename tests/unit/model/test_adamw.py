"""The project's AdamW makes the update of tensorflow-addons' to the bit, eagerly and compiled."""

import importlib.util
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from offerbench.model.adamw import AdamW
from offerbench.model.config import OptimizerParameters
from offerbench.model.optimizer import make_optimizer, slots

LEARNING_RATE, WEIGHT_DECAY, STEPS = 0.008, 4e-4, 12
SHAPES = [(40, 7), (13,), (5, 3, 2)]
with_addons = pytest.mark.skipif(
    importlib.util.find_spec("tensorflow_addons") is None, reason="tensorflow-addons is of Python 3.11 alone"
)
Gradient = tf.Tensor | tf.IndexedSlices


def first_values() -> list[tf.Variable]:
    generator = np.random.default_rng(1)
    drawn = [generator.normal(size=shape).astype(np.float32) for shape in SHAPES]
    return [tf.Variable(values, name=f"part_{number}") for number, values in enumerate(drawn)]


def dense_gradients(generator: np.random.Generator, step: int) -> list[Gradient]:
    """Of all sizes, among them exact zeros, and all of them in every fourth step."""
    scale = 0.0 if step % 4 == 3 else 10.0 ** -generator.integers(0, 9)
    drawn = [generator.normal(size=shape) * (generator.random(shape) < 0.7) for shape in SHAPES]
    return [tf.constant(values * scale, tf.float32) for values in drawn]


def sparse_gradients(generator: np.random.Generator, step: int) -> list[Gradient]:
    """Of some rows of the first variable, some of them twice; the others are dense."""
    rows = generator.integers(0, SHAPES[0][0], 9)
    rows[-1] = rows[0]
    values = tf.constant(generator.normal(size=(9, *SHAPES[0][1:])), tf.float32)
    slices = tf.IndexedSlices(values, tf.constant(rows, tf.int32), tf.constant(SHAPES[0]))
    return [slices, *dense_gradients(generator, step)[1:]]


def run(
    optimizer: Any, gradients: Callable[[np.random.Generator, int], list[Gradient]], compiled: bool
) -> list[list[np.ndarray]]:
    """Variables and moments after each step."""
    variables, generator = first_values(), np.random.default_rng(2)
    of_optimizer = slots(optimizer, variables)

    def step(of_step: list[Gradient]) -> None:
        optimizer.apply_gradients(zip(of_step, variables, strict=True))

    make = tf.function(step) if compiled else step
    states = []
    for number in range(STEPS):
        make(gradients(generator, number))
        moments = [slot for slot in of_optimizer.values() if slot.dtype == tf.float32 and slot.shape.rank]
        states.append([variable.numpy() for variable in variables + _in_order(moments)])
    return states


def _in_order(moments: list[tf.Variable]) -> list[tf.Variable]:
    """First moments before second ones, each in the order of what is trained."""
    return sorted(moments, key=lambda moment: moment.name.removesuffix(":0").rpartition("/")[2])


@with_addons
@pytest.mark.parametrize("gradients", [dense_gradients, sparse_gradients])
@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("weight_decay", [WEIGHT_DECAY, 0.0])
def test_the_bits_are_those_of_tensorflow_addons(
    gradients: Callable[[np.random.Generator, int], list[Gradient]], compiled: bool, weight_decay: float
) -> None:
    parameters = OptimizerParameters(name="adamw_tfa", learning_rate=LEARNING_RATE, weight_decay=weight_decay)
    of_addons = make_optimizer(parameters)
    assert type(of_addons).__module__.startswith("tensorflow_addons")
    expected = run(of_addons, gradients, compiled)
    found = run(AdamW(LEARNING_RATE, weight_decay), gradients, compiled)
    for step, (ours, theirs) in enumerate(zip(found, expected, strict=True)):
        assert len(ours) == len(theirs) == 3 * len(SHAPES)
        for number, (own, other) in enumerate(zip(ours, theirs, strict=True)):
            assert own.tobytes() == other.tobytes(), f"step {step}, variable {number}"


def test_without_tensorflow_addons_the_parameter_gives_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorflow_addons", None)
    parameters = OptimizerParameters(name="adamw_tfa", learning_rate=LEARNING_RATE, weight_decay=0.1)
    assert type(make_optimizer(parameters)) is AdamW


@pytest.mark.parametrize("compiled", [True, False])
def test_a_sparse_gradient_is_adams_of_its_dense_form_and_decays_its_rows_alone(compiled: bool) -> None:
    def dense_form(generator: np.random.Generator, step: int) -> list[Gradient]:
        return [tf.convert_to_tensor(gradient) for gradient in sparse_gradients(generator, step)]

    sparse = run(AdamW(LEARNING_RATE, 0.0), sparse_gradients, compiled)
    dense = run(AdamW(LEARNING_RATE, 0.0), dense_form, compiled)
    for own, other in zip(sparse[-1], dense[-1], strict=True):
        assert own == pytest.approx(other, abs=1e-6)
    variable = tf.Variable([[1.0], [1.0], [1.0]])
    optimizer = AdamW(LEARNING_RATE, 0.25)
    for rows in ([0, 0], [2]):
        slices = tf.IndexedSlices(tf.zeros((len(rows), 1)), tf.constant(rows), tf.constant([3, 1]))
        optimizer.apply_gradients([(slices, variable)])
    assert variable.numpy().ravel().tolist() == [0.75, 1.0, 0.75]


def test_its_variables_have_names_of_their_own_and_are_made_once() -> None:
    variables = first_values()
    optimizer = AdamW(LEARNING_RATE, WEIGHT_DECAY)
    named = slots(optimizer, variables)
    assert list(named)[:3] == ["adamw/iterations", "adamw/part_0/m", "adamw/part_0/v"]
    assert len(named) == 1 + 2 * len(variables)
    optimizer.apply_gradients((tf.ones(variable.shape), variable) for variable in variables)
    assert all(kept is slot for kept, slot in zip(optimizer.variables, named.values(), strict=True))
    assert int(named["adamw/iterations"]) == 1
