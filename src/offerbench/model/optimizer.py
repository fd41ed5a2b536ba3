"""AdamW. All that offerbench takes from tensorflow-addons, which is at its end of life, is here."""

import warnings
from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from offerbench.model.config import OptimizerParameters


def make_optimizer(parameters: OptimizerParameters) -> Any:
    """Make the optimizer that `optimizer.name` names.

    tensorflow-addons' AdamW subtracts `weight_decay * variable` at each step. Keras's subtracts
    `learning_rate * weight_decay * variable`: its decay is converted, so that both make the same
    update (Loshchilov and Hutter, "Decoupled weight decay regularization", 2019).

    Returns
    -------
    Any
        An object with `apply_gradients`.
    """
    if parameters.name == "adamw_keras":
        return tf.keras.optimizers.AdamW(
            learning_rate=parameters.learning_rate,
            weight_decay=parameters.weight_decay / parameters.learning_rate,
            jit_compile=False,  # compiled and plain updates differ in their last bits
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its notice of the end of life
        import tensorflow_addons
    return tensorflow_addons.optimizers.AdamW(
        weight_decay=parameters.weight_decay, learning_rate=parameters.learning_rate
    )


def slots(optimizer: Any, trained: Sequence[tf.Variable]) -> dict[str, tf.Variable]:
    """Variables of an optimizer, by name: its moments and the number of its steps.

    Parameters
    ----------
    optimizer : Any
        From `make_optimizer`; its variables are made if they are not there yet.
    trained : sequence of tf.Variable
        What it trains.
    """
    if isinstance(optimizer, tf.keras.optimizers.legacy.Optimizer):  # as tensorflow-addons' are
        optimizer._create_all_weights(trained)  # Keras's own loading does so too
        variables = optimizer.variables()
    else:
        optimizer.build(trained)
        variables = optimizer.variables
    return {variable.name.removesuffix(":0"): variable for variable in variables}
