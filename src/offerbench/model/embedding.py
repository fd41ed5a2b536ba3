"""Embedding tables and the mean of a bag."""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from offerbench.core.errors import OfferbenchError
from offerbench.model.segment_mean import segment_mean
from offerbench.model.specification import Specification

INITIAL_RANGE = 0.05  # of the uniform distribution that Keras's Embedding starts from


def embedding_table(name: str, labels: int, dim: int, generator: np.random.Generator) -> tf.Variable:
    """Make a table of shape (labels, dim), float32, uniform in +-0.05."""
    values = generator.uniform(-INITIAL_RANGE, INITIAL_RANGE, (labels, dim))
    return tf.Variable(values.astype(np.float32), name=name)


def embedding_tables(
    side: str, sizes: dict[str, int], dim: int, generator: np.random.Generator
) -> dict[str, tf.Variable]:
    """Make a table of each feature of a side, `user` or `offer`, by its number of labels."""
    return {
        name: embedding_table(f"{side}_embedding/{name}", size, dim, generator)
        for name, size in sizes.items()
    }


def ranker_tables(
    specification: Specification, generator: np.random.Generator
) -> tuple[dict[str, tf.Variable], dict[str, tf.Variable]]:
    """Make the tables of all user features and of all offer features; some may be in both.

    Raises
    ------
    OfferbenchError
        If features that share a table have different numbers of labels.
    """
    dim, shared = specification.ranker.embedding_dim, specification.shared_tables
    sizes, offer_sizes = specification.user_features, specification.offer_features
    for name, offer_feature in shared.items():
        if sizes[name] != offer_sizes[offer_feature]:
            raise OfferbenchError(
                f"ranker.shared_embeddings: {name} has {sizes[name]} labels and {offer_feature} has "
                f"{offer_sizes[offer_feature]}, so they can't share a table. Run `dvc repro prepare`."
            )
    own = {name: size for name, size in sizes.items() if name not in shared}
    user_tables = embedding_tables("user", own, dim, generator)
    offer_tables = embedding_tables("offer", offer_sizes, dim, generator)
    of_users = {name: offer_tables[shared[name]] if name in shared else user_tables[name] for name in sizes}
    return of_users, offer_tables


def bag_means(
    tables: dict[str, tf.Variable | tf.Tensor],
    values: dict[str, tf.Tensor],
    segments: dict[str, tf.Tensor],
    weights: dict[str, tf.Tensor],
    bags: tf.Tensor,
) -> list[tf.Tensor]:
    """Mean of the bags of each feature; float32, shape (bags, dim) each.

    As in `bag_mean`, or, for a feature that has weights, as in `normalised_bag_mean`.
    """
    return [
        normalised_bag_mean(table, values[name], segments[name], weights[name], bags)
        if name in weights
        else bag_mean(table, values[name], segments[name], bags)
        for name, table in tables.items()
    ]


def bag_mean(table: tf.Variable, values: tf.Tensor, segments: tf.Tensor, bags: tf.Tensor) -> tf.Tensor:
    """Mean of the embeddings of each bag; an empty bag gives zeros.

    Parameters
    ----------
    table : float32, shape (labels, dim)
        Embeddings.
    values : int32, shape (values,)
        Labels, the distinct ones of each bag.
    segments : int32, shape (values,)
        Bag of each value, ascending.
    bags : int32, scalar
        Number of bags.

    Returns
    -------
    float32, shape (bags, dim)
    """
    # TensorFlow 2.15 leaves the gradient of a mean of no values at all uninitialised.
    return tf.cond(
        tf.size(values) > 0,
        lambda: segment_mean(table, values, segments, bags),
        lambda: tf.zeros((bags, table.shape[1])),
    )


def weighted_bag_mean(
    table: tf.Variable, values: tf.Tensor, segments: tf.Tensor, weights: tf.Tensor, bags: tf.Tensor
) -> tf.Tensor:
    """Sum of weight times embedding over each bag.

    Parameters
    ----------
    table : float32, shape (labels, dim)
        Embeddings.
    values, segments : int32, shape (values,)
        As in `bag_mean`.
    weights : float32, shape (values,)
        Weights; they sum to 1 in each bag.
    bags : int32, scalar
        Number of bags.

    Returns
    -------
    float32, shape (bags, dim)
    """
    vectors = tf.gather(table, values) * weights[:, None]  # (values, dim)
    return tf.math.unsorted_segment_sum(vectors, segments, bags)


def normalised_bag_mean(
    table: tf.Variable, values: tf.Tensor, segments: tf.Tensor, weights: tf.Tensor, bags: tf.Tensor
) -> tf.Tensor:
    """Weighted mean of each bag, whatever its weights sum to; an empty bag gives zeros.

    Parameters and returns are those of `weighted_bag_mean`. A product of sparse matrices: a tenth of the
    time of gathering each value's embedding, which matters for histories in training.
    """
    total = tf.math.unsorted_segment_sum(weights, segments, bags)  # (bags,)
    matrix = tf.raw_ops.SparseTensorToCSRSparseMatrix(
        indices=tf.cast(tf.stack([segments, values], axis=1), tf.int64),
        values=tf.math.divide_no_nan(weights, tf.gather(total, segments)),
        dense_shape=tf.cast(tf.stack([bags, tf.shape(table)[0]]), tf.int64),
    )

    # TensorFlow's own gradient would be that of the weights too, which nothing asks for.
    def product(embeddings: tf.Tensor) -> tuple[tf.Tensor, Callable[[tf.Tensor], tf.Tensor]]:
        def gradient(upstream: tf.Tensor) -> tf.Tensor:
            transposed = tf.raw_ops.SparseMatrixTranspose(input=matrix, type=tf.float32)
            return tf.raw_ops.SparseMatrixMatMul(a=transposed, b=upstream)

        return tf.raw_ops.SparseMatrixMatMul(a=matrix, b=embeddings), gradient

    return tf.ensure_shape(tf.custom_gradient(product)(tf.convert_to_tensor(table)), (None, table.shape[1]))
