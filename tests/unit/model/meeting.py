"""Replicas in threads of one process: they add up in NumPy, in their order."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import numpy as np
import tensorflow as tf

from offerbench.batching.shares import Share
from offerbench.model.replicas import Replica

Result = TypeVar("Result")
SECONDS = 60


class Meeting:
    """Where replicas add up."""

    def __init__(self, replicas: int) -> None:
        self.replicas = replicas
        self._barrier = threading.Barrier(replicas)
        self._brought: list[Sequence[tf.Tensor]] = [()] * replicas

    def sums(self, index: int, own: Sequence[tf.Tensor]) -> list[tf.Tensor]:
        self._brought[index] = own
        self._barrier.wait(SECONDS)
        totals = [
            np.add.reduce([tensor.numpy() for tensor in of_all])
            for of_all in zip(*self._brought, strict=True)
        ]
        self._barrier.wait(SECONDS)
        return [tf.constant(total) for total in totals]

    def run(self, groups: int, work: Callable[[Replica], Result]) -> list[Result]:
        """Let each replica work in a thread of its own; what they give, in their order."""

        def of_replica(index: int) -> Result:
            try:
                return work(MeetingReplica(self, Share(self.replicas, index, groups)))
            except BaseException:
                self._barrier.abort()
                raise

        with ThreadPoolExecutor(self.replicas) as threads:
            return list(threads.map(of_replica, range(self.replicas)))


class MeetingReplica(Replica):
    """A replica that goes to a meeting."""

    def __init__(self, meeting: Meeting, share: Share) -> None:
        super().__init__(None, share)
        self._meeting = meeting

    def run(self, step: Callable[..., Any], *arguments: Any) -> Any:
        return step(*arguments)

    def total(self, values: Any) -> Any:
        def sums(*own: tf.Tensor) -> list[tf.Tensor]:
            return self._meeting.sums(self.share.index, own)

        @tf.custom_gradient
        def add_up(*own: tf.Tensor) -> Any:
            return sums(*own), lambda *upstream: sums(*upstream)

        totals = add_up(*values) if isinstance(values, list) else add_up(values)
        return list(totals) if isinstance(values, list) else totals[0]
