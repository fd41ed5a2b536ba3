"""One training from its files to its files: load, train, save."""

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from offerbench.batching.batches import batches_file, read_batches
from offerbench.batching.config import Rebatch
from offerbench.core.atomic import atomic_directory
from offerbench.core.columns import Split
from offerbench.core.paths import (
    CHECKPOINTS_DIRECTORY,
    CURVES_DIRECTORY,
    PREPARED_DIRECTORY,
)
from offerbench.model import runtime
from offerbench.model.checkpoints import Checkpoints, training_digest
from offerbench.model.config import TrainParameters
from offerbench.model.feed import Feed
from offerbench.model.ranker import Ranker
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
) -> None:
    """Train a ranker on the prepared data and save it with its log.

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
    """
    runtime.configure(training.threads)
    data = load_prepared(PREPARED_DIRECTORY)
    validation = read_batches(VALIDATION_FILE, rebatch.batch_size)
    features = list(offer_features or data.offer_sizes)
    model = Ranker(specify(data, features, training), np.random.default_rng(training.seed))
    digest = training_digest(
        {"specification": model.specification, "rebatch": rebatch},
        [*sorted(PREPARED_DIRECTORY.iterdir()), VALIDATION_FILE],
    )
    checkpoints = Checkpoints(CHECKPOINTS_DIRECTORY / digest)
    with training_log(CURVES_DIRECTORY / name, training) as log:
        train_model(model, Feed(data, validation, rebatch, training, features), checkpoints, log.add)
    with atomic_directory(directory) as temporary:
        save_model(model, temporary)
    checkpoints.remove()
    LOG.info("saved in %s", directory)
