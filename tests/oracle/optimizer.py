"""AdamW (Loshchilov and Hutter, 2019) with a decay that the learning rate does not multiply."""

import numpy as np
import numpy.typing as npt

FIRST_DECAY, SECOND_DECAY, EPSILON = 0.9, 0.999, 1e-7  # Keras's defaults


def adamw(
    variable: npt.NDArray[np.float64],
    gradients: list[npt.NDArray[np.float64]],
    learning_rate: float,
    weight_decay: float,
) -> npt.NDArray[np.float64]:
    """The variable after a step with each of the gradients."""
    variable = variable.copy()
    first, second = np.zeros_like(variable), np.zeros_like(variable)
    for step, gradient in enumerate(gradients, start=1):
        variable -= weight_decay * variable
        first = FIRST_DECAY * first + (1 - FIRST_DECAY) * gradient
        second = SECOND_DECAY * second + (1 - SECOND_DECAY) * gradient**2
        rate = learning_rate * np.sqrt(1 - SECOND_DECAY**step) / (1 - FIRST_DECAY**step)
        variable -= rate * first / (np.sqrt(second) + EPSILON)
    return variable
