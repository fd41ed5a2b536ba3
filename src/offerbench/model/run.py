"""One training from its files to its files: load, train, save."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from offerbench.batching.batches import batches_file, draw_pass, read_batches
from offerbench.batching.config import Rebatch
from offerbench.core.atomic import atomic_directory
from offerbench.core.columns import Split
from offerbench.core.errors import OfferbenchError
from offerbench.core.paths import (
    CHECKPOINTS_DIRECTORY,
    CURVES_DIRECTORY,
    PREPARED_DIRECTORY,
)
from offerbench.model import runtime
from offerbench.model.checkpoints import Checkpoints, training_digest
from offerbench.model.config import TrainParameters
from offerbench.model.feed import Feed
from offerbench.model.progress import Epoch
from offerbench.model.ranker import Ranker
from offerbench.model.replicas import Replica, join_batches, lost_replicas_explained
from offerbench.model.saved_model import save_model
from offerbench.model.specification import specify
from offerbench.model.training import train_model
from offerbench.model.training_log import training_log
from offerbench.preparation.prepared import load_prepared

LOG = logging.getLogger(__name__)
VALIDATION_FILE = batches_file(Split.VALIDATION)


def run_training(
    name: str,
    directory: Path,
    training: TrainParameters,
    rebatch: Rebatch,
    offer_features: Sequence[str] | None = None,
    twin: str | None = None,
    replicas: int = 1,
) -> None:
    """Train a ranker on the prepared data and save it with its log.

    Another stage may have the same training, parameter by parameter: then whichever comes first leaves its
    last checkpoint to the other, which only saves it again.

    Parameters
    ----------
    name : str
        Name of the model.
    directory : Path
        Where the model goes.
    training, rebatch : TrainParameters, Rebatch
        Parameters.
    offer_features : sequence of str, optional
        The features it sees; all of them if None.
    twin : str, optional
        Name of the model whose training is the same.
    replicas : int
        Processes that share the training, of which this is one: TF_CONFIG says which. The first one alone
        writes files.

    Raises
    ------
    OfferbenchError
        If TF_CONFIG is not of so many replicas, or one of them is lost.
    """
    runtime.configure(training.threads)
    replica = join_batches(replicas, rebatch.batch_size, training.neighbours)
    data = load_prepared(PREPARED_DIRECTORY)
    validation = read_batches(VALIDATION_FILE, rebatch.batch_size)
    features = list(offer_features or data.offer_sizes)
    model = Ranker(specify(data, features, training), np.random.default_rng(training.seed))
    digest = training_digest(
        {"specification": model.specification, "rebatch": rebatch},
        [*sorted(PREPARED_DIRECTORY.iterdir()), VALIDATION_FILE],
        replicas,
    )
    checkpoints = Checkpoints(CHECKPOINTS_DIRECTORY / digest)
    feed = Feed(data, validation, rebatch, training, features, replica.share if replica else None)
    _say_passes(feed)
    with lost_replicas_explained(), _log(name, training, replica) as add:
        epochs = len(train_model(model, feed, checkpoints, add, replica))
    if not _writes(replica):
        return
    was_trained = checkpoints.restored_epochs == epochs
    if twin and was_trained:
        LOG.info(
            "the same training as that of %s, which was done once: one offer feature, equal sections", twin
        )
    _save(model, directory, checkpoints, keep_checkpoint=twin is not None and not was_trained)


def run_past_training(
    directory: Path,
    prepared: Path,
    until: int,
    training: TrainParameters,
    rebatch: Rebatch,
    replicas: int = 1,
) -> None:
    """Train a ranker as somebody would have who knows nothing of a day and later ones, and save it.

    Parameters
    ----------
    directory : Path
        Where the model goes.
    prepared : Path
        Prepared data with vocabulary and clusters of earlier days, see `prepare_dataset`; one directory
        for each day.
    until : int
        The day, since 1970-01-01. Both the training and its early stopping see earlier events only.
    training, rebatch : TrainParameters, Rebatch
        Parameters.
    replicas : int
        As in `run_training`.

    Raises
    ------
    OfferbenchError
        If there are too few earlier events of validation users for a batch; or as `run_training`.
    """
    runtime.configure(training.threads)
    replica = join_batches(replicas, rebatch.batch_size, training.neighbours)
    data = load_prepared(prepared).before(until)
    drawn = list(draw_pass(data, Split.VALIDATION, rebatch))
    if not drawn:
        raise OfferbenchError(
            f"prepare_past.cuts: before {np.datetime64(until, 'D')} the validation users have too few events "
            f"for a batch of {rebatch.batch_size}. Choose a later day or lower rebatch.batch_size."
        )
    features = list(data.offer_sizes)
    model = Ranker(specify(data, features, training), np.random.default_rng(training.seed))
    parameters = {"specification": model.specification, "rebatch": rebatch}
    digest = training_digest(parameters, sorted(prepared.iterdir()), replicas)
    checkpoints = Checkpoints(CHECKPOINTS_DIRECTORY / digest)
    feed = Feed(data, np.stack(drawn), rebatch, training, features, replica.share if replica else None)
    _say_passes(feed)
    with lost_replicas_explained():
        train_model(model, feed, checkpoints, replica=replica)
    if _writes(replica):
        _save(model, directory, checkpoints)


def _writes(replica: Replica | None) -> bool:
    return replica is None or replica.is_first


@contextmanager
def _log(name: str, training: TrainParameters, replica: Replica | None) -> Iterator[Callable[[Epoch], None]]:
    """Open the log of a training; of the replicas, the first one keeps it."""
    if not _writes(replica):
        yield lambda _: None
        return
    with training_log(CURVES_DIRECTORY / name, training) as log:
        yield log.add


def _say_passes(feed: Feed) -> None:
    if feed.passes > 1:
        LOG.info("an epoch is %d passes over the train batches (min_steps_per_epoch)", feed.passes)


def _save(model: Ranker, directory: Path, checkpoints: Checkpoints, *, keep_checkpoint: bool = False) -> None:
    """Save a trained model; what an interrupted training would have gone on from is of no use to it now."""
    with atomic_directory(directory) as temporary:
        save_model(model, temporary)
    if not keep_checkpoint:
        checkpoints.remove()
    LOG.info("saved in %s", directory)
