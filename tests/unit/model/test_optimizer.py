"""Both optimizers make the update of AdamW."""

import numpy as np
import pytest
import tensorflow as tf

from offerbench.model.config import OptimizerParameters
from offerbench.model.optimizer import make_optimizer
from tests.oracle.optimizer import adamw

STEPS, LEARNING_RATE, WEIGHT_DECAY = 6, 0.02, 0.05
SHAPES = [(4, 3), (7,)]


def parameters(name: str, weight_decay: float) -> OptimizerParameters:
    return OptimizerParameters(name=name, learning_rate=LEARNING_RATE, weight_decay=weight_decay)


def draws() -> tuple[list[np.ndarray], list[list[np.ndarray]]]:
    """First values of two variables, and their gradients at each step."""
    generator = np.random.default_rng(0)
    first = [generator.normal(size=shape) for shape in SHAPES]
    return first, [[generator.normal(size=shape) for shape in SHAPES] for _ in range(STEPS)]


def updated(optimizer: str, weight_decay: float) -> list[np.ndarray]:
    first, gradients = draws()
    variables = [tf.Variable(values, dtype=tf.float32) for values in first]
    made = make_optimizer(parameters(optimizer, weight_decay))
    for step in gradients:
        made.apply_gradients(
            (tf.constant(gradient, tf.float32), variable)
            for gradient, variable in zip(step, variables, strict=True)
        )
    return [variable.numpy() for variable in variables]


@pytest.mark.parametrize("optimizer", ["adamw_tfa", "adamw_keras"])
@pytest.mark.parametrize("weight_decay", [0.0, WEIGHT_DECAY])
def test_update_is_that_of_adamw(optimizer: str, weight_decay: float) -> None:
    first, gradients = draws()
    found = updated(optimizer, weight_decay)
    for number, values in enumerate(first):
        expected = adamw(values, [step[number] for step in gradients], LEARNING_RATE, weight_decay)
        assert found[number] == pytest.approx(expected, abs=2e-6)


def test_both_optimizers_make_the_same_update() -> None:
    for tfa, keras in zip(
        updated("adamw_tfa", WEIGHT_DECAY), updated("adamw_keras", WEIGHT_DECAY), strict=True
    ):
        assert tfa == pytest.approx(keras, abs=1e-6)


def test_the_decay_is_not_multiplied_by_the_learning_rate() -> None:
    # No gradient: Adam does nothing, the decay takes 5 % at each of two steps, 1 -> .95 -> .9025.
    for optimizer in ("adamw_tfa", "adamw_keras"):
        variable = tf.Variable([1.0])
        made = make_optimizer(parameters(optimizer, WEIGHT_DECAY))
        for _ in range(2):
            made.apply_gradients([(tf.zeros(1), variable)])
        assert variable.numpy() == pytest.approx([0.9025], abs=1e-6)
