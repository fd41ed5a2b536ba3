"""A tower of Keras's own layers that takes one row for each event."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import tensorflow as tf


class KerasTower:
    """BatchNormalization, then Dense and tanh for each layer; no dropout.

    Parameters
    ----------
    scale, offset, moving_mean, moving_variance : float32, shape (inputs,)
    kernels, biases : sequences of float32
    momentum : float
    """

    def __init__(
        self,
        scale: npt.NDArray[np.float32],
        offset: npt.NDArray[np.float32],
        moving_mean: npt.NDArray[np.float32],
        moving_variance: npt.NDArray[np.float32],
        kernels: Sequence[npt.NDArray[np.float32]],
        biases: Sequence[npt.NDArray[np.float32]],
        momentum: float,
    ) -> None:
        self.normalisation = tf.keras.layers.BatchNormalization(momentum=momentum)
        self.normalisation.build((None, len(scale)))
        self.normalisation.set_weights([scale, offset, moving_mean, moving_variance])
        self.layers = []
        for kernel, bias in zip(kernels, biases, strict=True):
            layer = tf.keras.layers.Dense(kernel.shape[1], activation="tanh")
            layer.build((None, kernel.shape[0]))
            layer.set_weights([kernel, bias])
            self.layers.append(layer)

    def __call__(self, rows: tf.Tensor, training: bool) -> tf.Tensor:
        """Vector of each row."""
        vectors = self.normalisation(rows, training=training)
        for layer in self.layers:
            vectors = layer(vectors)
        return vectors

    def variables(self) -> list[tf.Variable]:
        """scale, offset, then kernel and bias of each layer."""
        dense = [variable for layer in self.layers for variable in (layer.kernel, layer.bias)]
        return [self.normalisation.gamma, self.normalisation.beta, *dense]
