"""Means of bags by the values that enter and leave a history: `python -m benchmarks.sliding_windows`.

Histories of one user overlap, so a bag could be made from the one before it: add what enters, take away what
leaves. Here both ways run on the histories of one batch (after `make repro`), with their gradients, in turn.
Prints the look-ups of both, how far they are apart (a running sum loses digits), and their processor time.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from offerbench.batching.batches import draw_pass, gather_bags
from offerbench.core import command
from offerbench.core.columns import HISTORY, USER, Split
from offerbench.core.paths import PREPARED_DIRECTORY
from offerbench.core.ranges import Rows
from offerbench.model import runtime
from offerbench.model.segment_mean import segment_mean
from offerbench.parameters import load_parameters
from offerbench.preparation.prepared import BagStore, load_prepared

ROUNDS, WIDTH, SEED, TOLERANCE = 15, 100, 0, 1e-3
Labels = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Side:
    """Values of some bags and the bag of each."""

    values: Labels
    segments: Labels


@dataclass(frozen=True)
class Bags:
    """The bags of one feature, whole and as changes; the histories of a user follow each other."""

    table: tf.Variable
    whole: Side
    enter: Side
    leave: Side
    first: Rows
    """First history of each history's user. Shape (histories,)."""
    size: npt.NDArray[np.float32]
    """Values of each bag, 1 for none. Shape (histories, 1)."""


def changes(store: BagStore, histories: Rows, first: Rows) -> tuple[Side, Side]:
    """Values of each history that the one before has not, and those of the one before that it has not."""
    parts: tuple[list[Labels], list[Labels]] = ([], [])
    last = np.empty(0, np.int32)
    for place, history in enumerate(histories):
        last = last[:0] if first[place] == place else last
        bag = store.values[store.start[history] : store.start[history] + store.length[history]]
        parts[0].append(np.setdiff1d(bag, last))
        parts[1].append(np.setdiff1d(last, bag))
        last = bag
    enter, leave = (
        Side(
            np.concatenate(part),
            np.repeat(np.arange(len(part), dtype=np.int32), [len(values) for values in part]),
        )
        for part in parts
    )
    return enter, leave


def bags_of(store: BagStore, histories: Rows, first: Rows, generator: np.random.Generator) -> Bags:
    """Collect the bags of some histories both ways, with a random table."""
    bag = gather_bags(store, histories)
    table = generator.standard_normal((int(store.values.max()) + 1, WIDTH), np.float32)
    enter, leave = changes(store, histories, first)
    size = np.maximum(store.length[histories], 1).astype(np.float32)[:, None]
    return Bags(tf.Variable(table), Side(bag.values, bag.segments), enter, leave, first, size)


def whole_mean(bags: Bags) -> tf.Tensor:
    """Mean of each bag, from all its values; float32, shape (histories, WIDTH)."""
    return segment_mean(bags.table, bags.whole.values, bags.whole.segments, tf.constant(len(bags.first)))


def sliding_mean(bags: Bags) -> tf.Tensor:
    """Take the same means from what enters and leaves: running sums, without those of the users before."""

    def total(side: Side) -> tf.Tensor:
        return tf.sparse.segment_sum(bags.table, side.values, side.segments, num_segments=len(bags.first))

    running = tf.cumsum(total(bags.enter) - total(bags.leave))
    before = tf.gather(tf.pad(running, [[1, 0], [0, 0]]), bags.first)
    return (running - before) / bags.size


def with_gradients(mean: Callable[[Bags], tf.Tensor], features: list[Bags]) -> Callable[[], object]:
    """Compile means of all features and the gradients of their tables."""

    def step() -> list[tf.Tensor]:
        gradients = []
        for bags in features:
            with tf.GradientTape() as tape:
                total = tf.nn.l2_loss(mean(bags))  # its gradient needs the mean
            gradients.append(tf.convert_to_tensor(tape.gradient(total, bags.table)))
        return gradients

    compiled: Callable[[], object] = tf.function(step, autograph=False)
    return compiled


def main() -> None:
    """Compare both on the first training batch of `rebatch.batch_size` events."""
    parameters, data = load_parameters(), load_prepared(PREPARED_DIRECTORY)
    runtime.configure(1)
    rows = next(draw_pass(data, Split.TRAIN, parameters.rebatch))
    histories, place = np.unique(data.events[HISTORY][rows], return_index=True)
    users = data.events[USER][rows][place]
    first = np.searchsorted(users, users)  # both ascend together
    generator = np.random.default_rng(SEED)
    features = [bags_of(store, histories, first, generator) for store in data.bags.values()]
    apart = max(float(tf.reduce_max(tf.abs(whole_mean(bags) - sliding_mean(bags)))) for bags in features)
    assert apart < TOLERANCE, apart
    steps = [with_gradients(mean, features) for mean in (whole_mean, sliding_mean)]
    times: list[list[float]] = [[], []]
    for _ in range(ROUNDS + 1):
        for step, seconds in zip(steps, times, strict=True):
            start = time.process_time()
            step()
            seconds.append(time.process_time() - start)
    whole, sliding = (statistics.median(seconds[1:]) * 1000 for seconds in times)
    values = sum(len(bags.whole.values) for bags in features)
    changed = sum(len(side.values) for bags in features for side in (bags.enter, bags.leave))
    print(f"{len(histories):,} histories of {len(np.unique(users)):,} users, means within {apart:.0e}")
    print(f"whole bags: {values:,} look-ups, {whole:.1f} ms of one core with gradients")
    print(f"what enters and leaves: {changed:,} look-ups, {sliding:.1f} ms ({sliding / whole:.2f} times)")


if __name__ == "__main__":
    command.run(main)
