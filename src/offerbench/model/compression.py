"""Compression of features to a few meta features, after Tinyclues' group-by augmentation study."""

import numpy as np
import tensorflow as tf

from offerbench.model.layers import (
    BatchNormalization,
    Dense,
    Dropout,
    LayerNormalization,
    dropped,
    glorot,
    k_winners,
)


class UserCompression(tf.Module):
    """User features to meta features, the same mixture for every user.

    Parameters
    ----------
    features, meta_features, dim : int
        Features that come in and go out, and the length of each.
    momentum : float
        Of the batch normalisation at the end.
    generator : numpy.random.Generator
        Source of the first weights.
    """

    def __init__(
        self, features: int, meta_features: int, dim: int, momentum: float, generator: np.random.Generator
    ) -> None:
        super().__init__(name="user_compression")
        hidden = 2 * meta_features
        self.hidden_shape = (hidden, dim)
        self.expand = Dense("user_compression/expand", features * dim, hidden * dim, generator)
        self.normalization = LayerNormalization("user_compression/normalization", dim)
        kernel = glorot(generator, hidden, meta_features)
        self.mix = tf.Variable(kernel, name="user_compression/mix/kernel")
        self.bias = tf.Variable(tf.zeros([meta_features, 1]), name="user_compression/mix/bias")
        self.output = BatchNormalization("user_compression/output", dim, momentum)

    def __call__(self, features: tf.Tensor, drop: Dropout | None) -> tf.Tensor:
        """Compress (n, features, dim) to (n, meta_features, dim)."""
        flat = tf.reshape(features, (-1, features.shape[1] * features.shape[2]))
        hidden = tf.reshape(tf.nn.gelu(self.expand(flat)), (-1, *self.hidden_shape))
        hidden = self.normalization(dropped(hidden, drop))  # (n, 2 meta_features, dim)
        mixed = tf.einsum("nhd,hk->nkd", hidden, self.mix) + self.bias
        return self.output(tf.nn.selu(mixed), training=drop is not None)


class _OfferNetwork(tf.Module):
    """An offer's mean and variance -> dense, gelu, k winners, dense, tanh."""

    def __init__(
        self, name: str, inputs: int, hidden: int, outputs: int, generator: np.random.Generator
    ) -> None:
        super().__init__(name=name.replace("/", "_"))
        self.winners = max(hidden // 3, 1)
        self.hidden = Dense(f"{name}/hidden", inputs, hidden, generator)
        self.normalization = LayerNormalization(f"{name}/normalization", hidden)
        self.output = Dense(f"{name}/output", hidden, outputs, generator)

    def __call__(self, moments: tf.Tensor, drop: Dropout | None) -> tf.Tensor:
        """Map (n, inputs) to (n, outputs)."""
        hidden = self.normalization(tf.nn.gelu(self.hidden(dropped(moments, drop))))
        return tf.tanh(self.output(dropped(k_winners(hidden, self.winners), drop)))


class OfferCompression(tf.Module):
    """Offer features to meta features, by a mixture that depends on the offer, and a mask.

    Parameters
    ----------
    features, meta_features, dim : int
        Features that come in and go out, and the length of each.
    moments : int
        1 if the networks see the features' means, 2 if their variances too.
    mask : bool
        Whether the meta features are masked.
    generator : numpy.random.Generator
        Source of the first weights.
    """

    def __init__(
        self,
        features: int,
        meta_features: int,
        dim: int,
        moments: int,
        mask: bool,
        generator: np.random.Generator,
    ) -> None:
        super().__init__(name="offer_compression")
        self.shape = (meta_features, dim)
        inputs, mixture = moments * features * dim, features * meta_features
        self.kernel = _OfferNetwork("offer_compression/kernel", inputs, mixture, mixture, generator)
        self.mask = None
        if mask:
            outputs = meta_features * dim
            self.mask = _OfferNetwork("offer_compression/mask", inputs, dim, outputs, generator)

    def __call__(self, means: tf.Tensor, moments: tf.Tensor, drop: Dropout | None) -> tf.Tensor:
        """Compress means (n, features, dim), seeing moments (n, moments * features * dim).

        Returns
        -------
        float32, shape (n, meta_features, dim)
        """
        features = means.shape[1]
        kernel = tf.reshape(self.kernel(moments, drop), (-1, features, self.shape[0]))
        compressed = tf.einsum("nfd,nfk->nkd", means, kernel)
        if self.mask is not None:
            compressed *= tf.reshape(self.mask(moments, drop), (-1, *self.shape))
        return compressed
