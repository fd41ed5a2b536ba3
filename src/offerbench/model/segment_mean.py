"""The mean of rows over segments, fast on every version of TensorFlow."""

from collections.abc import Callable

import tensorflow as tf

VERSION = tuple(int(number) for number in tf.__version__.split(".")[:2])
OWN_IS_SLOW = VERSION >= (2, 20)
"""From 2.20 on, `tf.sparse.segment_mean` takes almost twice as long, and its gradient six times."""


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
    if not OWN_IS_SLOW:
        return tf.sparse.segment_mean(table, rows, segments, num_segments=number)
    return segment_mean_by_product(table, rows, segments, segments[-1] + 1 if number is None else number)


def segment_mean_by_product(
    table: tf.Tensor, rows: tf.Tensor, segments: tf.Tensor, number: tf.Tensor
) -> tf.Tensor:
    """Mean as `segment_mean`, by products with a sparse matrix that has a one for each row of a segment.

    The gradient has the bits of TensorFlow's. The mean may differ in its last digit where a segment has more
    than eight rows, which TensorFlow adds eight at a time.
    """

    def mean(whole: tf.Tensor) -> tuple[tf.Tensor, Callable[[tf.Tensor], tf.Tensor]]:
        ones = places(segments, rows)
        # The pattern has ones, and the shares go into the rows: a share in the pattern would be
        # multiplied and added in one rounding where TensorFlow's own gradient rounds twice.
        share = tf.math.reciprocal_no_nan(rows_of_segments(segments, number))[:, None]  # (number, 1)

        def pattern() -> tf.Tensor:  # made twice: a sparse matrix can't be handed out of a branch of tf.cond
            return tf.raw_ops.SparseTensorToCSRSparseMatrix(
                indices=ones,
                values=tf.ones_like(rows, tf.float32),
                dense_shape=tf.cast(tf.stack([number, tf.shape(whole)[0]]), tf.int64),
            )

        def gradient(upstream: tf.Tensor) -> tf.Tensor:
            transposed = tf.raw_ops.SparseMatrixTranspose(input=pattern(), type=tf.float32)
            return tf.raw_ops.SparseMatrixMatMul(a=transposed, b=upstream * share)

        return tf.raw_ops.SparseMatrixMatMul(a=pattern(), b=whole) * share, gradient

    return tf.custom_gradient(mean)(tf.convert_to_tensor(table))


def rows_of_segments(segments: tf.Tensor, number: tf.Tensor) -> tf.Tensor:
    """Count the rows of each segment, whose numbers ascend; float32, shape (number,)."""
    stop = tf.searchsorted(segments, tf.range(number), side="right")
    return tf.cast(stop - tf.concat([[0], stop[:-1]], axis=0), tf.float32)


def places(first: tf.Tensor, second: tf.Tensor) -> tf.Tensor:
    """Put two columns side by side; int64, shape (n, 2).

    `tf.stack` copies number by number and takes four times as long as a complex number of both, whose parts
    are copied as they are: nothing is computed with them.

    Parameters
    ----------
    first, second : int32, shape (n,)
    """
    parts = (tf.bitcast(tf.cast(column, tf.int64), tf.float64) for column in (first, second))
    return tf.bitcast(tf.complex(*parts), tf.int64)
