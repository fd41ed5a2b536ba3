"""AdamW. All that offerbench takes from tensorflow-addons, which is at its end of life, is here."""

import warnings
from collections.abc import Sequence
from types import ModuleType
from typing import Any, cast

import tensorflow as tf

from offerbench.model.adamw import AdamW
from offerbench.model.config import OptimizerParameters


def make_optimizer(parameters: OptimizerParameters) -> Any:
    """Make the optimizer that `optimizer.name` names.

    tensorflow-addons' AdamW subtracts `weight_decay * variable` at each step. Keras's subtracts
    `learning_rate * weight_decay * variable`: its decay is converted, so that both make the same
    update (Loshchilov and Hutter, "Decoupled weight decay regularization", 2019). Where tensorflow-addons
    is not installed, the AdamW of `adamw.py` takes its place, to the same bits.

    Returns
    -------
    Any
        An object with `apply_gradients`.
    """
    if parameters.name == "adamw_keras":
        optimizer = tf.keras.optimizers.AdamW(
            learning_rate=parameters.learning_rate,
            weight_decay=parameters.weight_decay / parameters.learning_rate,
            name="adamw",  # left to itself, Keras 3 numbers them, and a checkpoint would not be found again
        )
        # Compiled and plain updates differ in their last bits. Keras 3 takes no such argument.
        optimizer.jit_compile = False
        return optimizer
    addons = _addons()
    adamw = AdamW if addons is None else addons.optimizers.AdamW
    return adamw(weight_decay=parameters.weight_decay, learning_rate=parameters.learning_rate)


def _addons() -> ModuleType | None:
    """tensorflow-addons; None where it is not installed, as it can't be beside TensorFlow 2.16 or later."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its notice of the end of life
        try:
            import tensorflow_addons
        except ImportError:
            return None
    return cast(ModuleType, tensorflow_addons)


def slots(optimizer: Any, trained: Sequence[tf.Variable]) -> dict[str, tf.Variable]:
    """Variables of an optimizer, by name: its moments and the number of its steps.

    Parameters
    ----------
    optimizer : Any
        From `make_optimizer`; its variables are made if they are not there yet.
    trained : sequence of tf.Variable
        What it trains.
    """
    if hasattr(optimizer, "_create_all_weights"):  # as Keras 2's legacy optimizers and tensorflow-addons'
        optimizer._create_all_weights(trained)  # Keras's own loading does so too
        variables = optimizer.variables()
    else:
        optimizer.build(trained)
        variables = optimizer.variables
    return dict(map(_named, variables))


def _named(variable: Any) -> tuple[str, tf.Variable]:
    """Name of an optimizer's variable, and TensorFlow's variable that holds it.

    Keras 3 wraps it: the wrapper's dtype is a text, and its name is that of the last level alone.
    """
    if isinstance(variable, tf.Variable):
        return variable.name.removesuffix(":0"), variable
    return variable.path, variable.value
