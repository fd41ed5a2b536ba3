"""Replicas: processes, on one machine or several, each of which trains on its share of every batch.

All hold the whole model and draw the same batches. What depends on a whole batch is added up over the
replicas within a step: moments, gradients, the loss. So all make the same update, and keep the same bits.
"""

import atexit
import functools
import json
import logging
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import tensorflow as tf

from offerbench.batching.shares import Share
from offerbench.core.errors import LostReplicaError, OfferbenchError

CLUSTER_VARIABLE = "TF_CONFIG"
LOST = (
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
    tf.errors.InternalError,
    tf.errors.UnavailableError,
)
"""What TensorFlow raises in the others when a replica has ended."""


class Replica:
    """One of the replicas: this process.

    Parameters
    ----------
    strategy : tf.distribute.Strategy
        Adds up over the replicas.
    share : Share
        What this one takes of each batch.
    """

    def __init__(self, strategy: tf.distribute.Strategy, share: Share) -> None:
        self.share = share
        self._strategy = strategy

    @property
    def is_first(self) -> bool:
        """Whether it is the one that writes files."""
        return self.share.index == 0

    def run(self, step: Callable[..., Any], *arguments: Any) -> Any:
        """Call a function that adds up over the replicas: all must call it, and in the same order."""
        return self._strategy.run(step, args=arguments)

    def total(self, values: Any) -> Any:
        """Sum over the replicas of a tensor, or of each tensor of a list; within `run`.

        A gradient through it is the sum of the replicas' gradients: the loss is the sum of their parts, and
        each part depends on the sum.
        """
        return tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, values)

    def own(self, values: tf.Tensor) -> tf.Tensor:
        """Rows of this share, as `Share.own`; (replicas * groups * n, ...) becomes (groups * n, ...)."""
        share = self.share
        rows = values.shape[0] or tf.shape(values)[0]
        rows_of_group = rows // (share.groups * share.replicas)
        shape = (share.groups, share.replicas, rows_of_group, *values.shape[1:])
        return tf.reshape(
            tf.reshape(values, shape)[:, share.index], (share.groups * rows_of_group, *values.shape[1:])
        )

    def dropout(self, values: tf.Tensor, rate: float, seed: tf.Tensor) -> tf.Tensor:
        """Set those entries to zero that `stateless_dropout` would in a whole batch.

        Parameters
        ----------
        values : float32, shape (groups * n, units)
            Rows of this share.
        rate : float
            Share of entries set to zero; the others are scaled up.
        seed : int32, shape (2,)
            The same for all replicas.
        """
        rows = tf.shape(values)[0] * self.share.replicas
        drawn = tf.random.stateless_uniform([rows, *values.shape[1:]], seed)
        return tf.where(self.own(drawn) >= rate, values * (1 / (1 - rate)), tf.zeros_like(values))

    def check_same(self, value: int, what: str) -> None:
        """Refuse to go on where the replicas don't have the same number.

        Parameters
        ----------
        value : int
            Below 2 ** 32.
        what : str
            What it says, and what to do if it differs.

        Raises
        ------
        OfferbenchError
            In all replicas alike.
        """
        sums = self.run(self.total, tf.constant([value, value * value % 2**31], tf.int64))
        replicas = self.share.replicas
        if sums.numpy().tolist() != [value * replicas, value * value % 2**31 * replicas]:
            raise OfferbenchError(f"resources.replicas: {what}")


@functools.cache
def join(replicas: int) -> tf.distribute.Strategy:
    """Meet the other replicas, those that TF_CONFIG names; before TensorFlow's first operation.

    Raises
    ------
    OfferbenchError
        If TF_CONFIG is missing or names another number of replicas, or one has several GPUs.
    """
    _check_cluster(os.environ.get(CLUSTER_VARIABLE), replicas)
    logging.getLogger("tensorflow").setLevel(
        logging.CRITICAL
    )  # what it says of a lost replica, in many lines
    implementation = tf.distribute.experimental.CommunicationImplementation.RING
    options = tf.distribute.experimental.CommunicationOptions(implementation=implementation)
    with lost_replicas_explained():
        strategy = tf.distribute.MultiWorkerMirroredStrategy(communication_options=options)
    if strategy.num_replicas_in_sync != replicas:
        raise OfferbenchError(
            f"resources.replicas: {replicas} processes see {strategy.num_replicas_in_sync} devices. Give "
            "each one of its own, by CUDA_VISIBLE_DEVICES."
        )
    # When Python takes its threads down at the end, they complain in many lines of what is gone already.
    atexit.register(setattr, sys, "unraisablehook", lambda _: None)
    return strategy


def _check_cluster(text: str | None, replicas: int) -> None:
    advice = 'It is {"cluster": {"worker": ["host:port", ...]}, "task": {"type": "worker", "index": 0}}.'
    try:
        content = json.loads(text or "")
        workers, task = content["cluster"]["worker"], content["task"]
        index = task["index"] if task["type"] == "worker" and set(content["cluster"]) == {"worker"} else None
    except (ValueError, LookupError, TypeError):
        workers, index = None, None
    if not isinstance(workers, list) or not isinstance(index, int) or not 0 <= index < len(workers):
        raise OfferbenchError(f"{CLUSTER_VARIABLE}: names no workers, or not which of them this is. {advice}")
    if len(workers) != replicas:
        raise OfferbenchError(
            f"{CLUSTER_VARIABLE}: names {len(workers)} workers, and resources.replicas is {replicas}. "
            "Make them one number."
        )


def join_batches(replicas: int, batch_size: int, neighbours: int) -> Replica | None:
    """Become one of the replicas of a training; None if there is only one.

    Parameters
    ----------
    replicas : int
        How many there are.
    batch_size, neighbours : int
        Events of a batch, and of a negatives group.

    Raises
    ------
    OfferbenchError
        As `join`, or if the negatives groups of a batch can't be shared out evenly.
    """
    if replicas == 1:
        return None
    groups, rest = divmod(batch_size, neighbours * replicas)
    if rest:
        raise OfferbenchError(
            f"rebatch.batch_size: {batch_size} events in groups of {neighbours} can't be shared out evenly "
            f"to {replicas} replicas. Choose another number of resources.replicas."
        )
    strategy = join(replicas)
    return Replica(strategy, Share(replicas, strategy.cluster_resolver.task_id, groups))


@contextmanager
def lost_replicas_explained() -> Iterator[None]:
    """Say in one line that another replica has ended; TensorFlow says it in many.

    Raises
    ------
    LostReplicaError
        Where TensorFlow can't add up any more.
    """
    try:
        yield
    except LOST as error:
        first = next(iter(str(error.message).splitlines()), "").rpartition("}} ")[2][:120]
        raise LostReplicaError(
            f"resources.replicas: another of the replicas has ended ({type(error).__name__}: {first}). "
            "Look what it said, then start all again: they go on from the last epoch that was finished."
        ) from error
