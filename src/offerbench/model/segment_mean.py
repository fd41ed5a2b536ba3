"""The mean of rows over segments, with a gradient that is fast on every version of TensorFlow."""

from collections.abc import Callable

import tensorflow as tf

VERSION = tuple(int(number) for number in tf.__version__.split(".")[:2])
OWN_GRADIENT_IS_SLOW = VERSION >= (2, 20)
"""From 2.20 on, the gradient of `tf.sparse.segment_mean` takes four to six times as long."""


def segment_mean(
    table: tf.Tensor, rows: tf.Tensor, segments: tf.Tensor, number: tf.Tensor | None = None
) -> tf.Tensor:
    """Mean of some rows of a table over each segment; a segment without one gets zeros.

    Parameters
    ----------
    table : float32, shape (n, dim)
        Rows.
    rows : int32, shape (values,)
        Which of them; those of one segment are distinct.
    segments : int32, shape (values,)
        Segment of each, ascending.
    number : int32, scalar, optional
        Number of segments; without it, the last one has a row.

    Returns
    -------
    float32, shape (number, dim)
    """
    if not OWN_GRADIENT_IS_SLOW:
        return tf.sparse.segment_mean(table, rows, segments, num_segments=number)
    return segment_mean_by_product(table, rows, segments, segments[-1] + 1 if number is None else number)


def segment_mean_by_product(
    table: tf.Tensor, rows: tf.Tensor, segments: tf.Tensor, number: tf.Tensor
) -> tf.Tensor:
    """Mean as `segment_mean`, whose gradient is a product of sparse matrices: the bits of TensorFlow's."""

    def mean(whole: tf.Tensor) -> tuple[tf.Tensor, Callable[[tf.Tensor], tf.Tensor]]:
        def gradient(upstream: tf.Tensor) -> tf.Tensor:
            # The pattern has ones, and the shares go into the rows: a share in the pattern would be
            # multiplied and added in one rounding where TensorFlow's own gradient rounds twice.
            counts = tf.math.unsorted_segment_sum(tf.ones_like(segments, tf.float32), segments, number)
            shares = upstream * tf.math.reciprocal_no_nan(counts)[:, None]  # (number, dim)
            pattern = tf.raw_ops.SparseTensorToCSRSparseMatrix(
                indices=tf.cast(tf.stack([segments, rows], axis=1), tf.int64),
                values=tf.ones_like(rows, tf.float32),
                dense_shape=tf.cast(tf.stack([number, tf.shape(whole)[0]]), tf.int64),
            )
            transposed = tf.raw_ops.SparseMatrixTranspose(input=pattern, type=tf.float32)
            return tf.raw_ops.SparseMatrixMatMul(a=transposed, b=shares)

        return tf.sparse.segment_mean(whole, rows, segments, num_segments=number), gradient

    return tf.custom_gradient(mean)(tf.convert_to_tensor(table))
