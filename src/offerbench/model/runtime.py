"""TensorFlow set up for the same bits in every run."""

import tensorflow as tf


def configure(threads: int) -> None:
    """Use deterministic operations and a fixed number of threads; call before any operation runs."""
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    tf.config.experimental.enable_op_determinism()
