"""Training a ranker: reads from top to bottom."""

import logging
import math
from collections.abc import Callable
from dataclasses import asdict

import numpy as np
import tensorflow as tf
from tqdm import tqdm

from offerbench.core.errors import OfferbenchError
from offerbench.model.checkpoints import Checkpoints
from offerbench.model.feed import Feed
from offerbench.model.negatives import Pairs
from offerbench.model.pair_auc import PairAuc
from offerbench.model.progress import Epoch, Progress, best_point, is_finished
from offerbench.model.ranker import Ranker
from offerbench.model.replica_trainer import ReplicaTrainer
from offerbench.model.replicas import Replica
from offerbench.model.saved_model import DIVERGED
from offerbench.model.trainer import Trainer

LOG = logging.getLogger(__name__)
BEST = ("validation_auc", "epoch", "steps")


class Curve:
    """Mean loss of a pass, and AUC over its pairs: the mean of the groupings' AUC.

    Parameters
    ----------
    replica : Replica, optional
        Whose pairs are added; the AUC is over those of all replicas.
    """

    def __init__(self, replica: Replica | None = None) -> None:
        self._replica = replica
        self._losses: list[float] = []
        self._aucs: list[PairAuc] = []

    def add(self, loss: tf.Tensor, pairs: Pairs) -> None:
        """Take a batch's loss and pairs.

        Raises
        ------
        OfferbenchError
            If the loss is not finite.
        """
        self._losses.append(float(loss))
        if not math.isfinite(self._losses[-1]):
            raise OfferbenchError(
                f"batch {len(self._losses)} of an epoch has a loss of {float(loss)}: {DIVERGED}"
            )
        groupings = pairs.logits
        weights = [None] * len(groupings) if pairs.weights is None else pairs.weights
        while len(self._aucs) < len(groupings):
            self._aucs.append(PairAuc())
        for auc, logits, weight in zip(self._aucs, groupings, weights, strict=True):
            auc.add(logits, weight)

    def result(self) -> tuple[float, float]:
        """Loss and AUC of the pass, rounded to the 6 digits that are written; once, at its end."""
        if self._replica is not None:
            for auc in self._aucs:
                auc.counts = self._replica.run(self._replica.total, tf.convert_to_tensor(auc.counts)).numpy()
        mean = np.mean([auc.result() for auc in self._aucs])
        return round(float(np.mean(self._losses)), 6), round(float(mean), 6)


def train_model(
    model: Ranker,
    feed: Feed,
    checkpoints: Checkpoints | None = None,
    record: Callable[[Epoch], None] = lambda _: None,
    replica: Replica | None = None,
) -> list[Epoch]:
    """Train a model in place and give its curves.

    With `early_stopping_patience` the weights of the epoch of highest validation AUC are restored. A training
    that diverges is refused, whatever its best epoch was: another machine could part with it elsewhere.

    Parameters
    ----------
    model : Ranker
        The model; its specification says how it is trained.
    feed : Feed
        Gives its batches.
    checkpoints : Checkpoints, optional
        Where an interrupted training goes on from, to the same bytes; written after each epoch.
    record : callable, optional
        Gets each epoch, those before an interruption too.
    replica : Replica, optional
        What this process is of a training by several; the feed's batches are its share. The first one alone
        writes checkpoints, and all must be able to read them.
    """
    signatures = feed.signature, feed.validation_signature
    trainer = Trainer(model, *signatures) if replica is None else ReplicaTrainer(model, *signatures, replica)
    progress = Progress(model, trainer.optimizer)
    if checkpoints:
        checkpoints.restore(progress)
    if replica is not None:
        check_replicas(replica, progress)
    for done in progress.curves:
        record(done)
    while not is_finished(progress.curves, trainer.parameters):
        training, validation, epoch = Curve(replica), Curve(replica), len(progress.curves)
        batches = feed.training(epoch)
        for batch in tqdm(batches, desc=f"epoch {epoch + 1}", unit=" batches", disable=None):
            training.add(*trainer.train_step(batch, progress.step))
            progress.step += 1
        for batch in feed.validation():
            validation.add(*trainer.validation_step(batch))
        steps = int(progress.step)
        progress.finish_epoch(Epoch(epoch + 1, steps, *training.result(), *validation.result()))
        LOG.info(" ".join(f"{name} {value}" for name, value in asdict(progress.curves[-1]).items()))
        record(progress.curves[-1])
        if replica is not None:
            check_replicas(replica, progress)
        if checkpoints and (replica is None or replica.is_first):
            checkpoints.write(progress)
    if trainer.parameters.early_stopping_patience is not None:
        progress.restore_best()
    best = best_point(progress.curves)
    LOG.info("highest validation AUC: %s in epoch %d, step %d", *map(best.get, BEST))
    if best["note"]:
        LOG.warning("%s", best["note"])
    return progress.curves


def check_replicas(replica: Replica, progress: Progress) -> None:
    """Refuse to go on where the replicas are not at the same step with the same bits.

    Raises
    ------
    OfferbenchError
        If they have parted, or did not start from the same checkpoint.
    """
    replica.check_same(
        progress.step,
        "they don't go on from the same epoch. All must see the same data/checkpoints, or none any.",
    )
    replica.check_same(
        progress.digest(),
        "they don't have the same weights any more. Use machines of one type with the same packages.",
    )
