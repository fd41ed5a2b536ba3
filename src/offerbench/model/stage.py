"""What the training stages share: load, train, save."""

from pathlib import Path

import numpy as np

from offerbench.batching.batches import read_batches
from offerbench.batching.prepared import PreparedData, load_prepared
from offerbench.batching.sampling import Rows
from offerbench.command import Steps
from offerbench.model import runtime
from offerbench.model.checkpoint import make_model, save_model
from offerbench.model.feed import AugmentedFeed, EventFeed, Feed
from offerbench.model.log import training_log
from offerbench.model.resume import Checkpoints, training_digest
from offerbench.model.specification import AugmentedSpecification, ModelSpecification
from offerbench.model.training import train_model
from offerbench.params.model import Model
from offerbench.params.rebatch import Rebatch
from offerbench.params.section import Section
from offerbench.params.train import Train
from offerbench.params.train_augmented import TrainAugmented
from offerbench.schema import BATCHES_DIRECTORY, CHECKPOINTS_DIRECTORY, CURVES_DIRECTORY, PREPARED_DIRECTORY
from offerbench.storage import whole_directory

VALIDATION_FILE = BATCHES_DIRECTORY / "validation.arrow"


def train_two_tower(
    name: str,
    directory: Path,
    offer_features: list[str] | None,
    rebatch: Rebatch,
    model_parameters: Model,
    train: Train,
) -> None:
    """Train a two-tower model on the prepared data and save it with its log.

    Parameters
    ----------
    name : str
        Name of the model.
    directory : Path
        Where the model goes.
    offer_features : list of str, optional
        The features it sees; all of them if None.
    rebatch, model_parameters, train : Rebatch, Model, Train
        Parameters.
    """
    runtime.configure(train.threads)
    data = load_prepared(PREPARED_DIRECTORY)
    validation = read_batches(VALIDATION_FILE, rebatch.batch_size)
    features = offer_features or list(data.offer_sizes)
    specification, feed = two_tower_set_up(data, validation, features, rebatch, model_parameters)
    _train(name, directory, specification, feed, train, {"rebatch": rebatch})


def two_tower_set_up(
    data: PreparedData, validation: Rows, offer_features: list[str], rebatch: Rebatch, model_parameters: Model
) -> tuple[ModelSpecification, EventFeed]:
    """Give what a two-tower model is trained with: its specification and its batches."""
    specification = ModelSpecification(
        user_features=data.user_sizes,
        offer_features={feature: data.offer_sizes[feature] for feature in offer_features},
        model=model_parameters,
        shared_tables=data.shared_tables(offer_features) if model_parameters.shared_embeddings else {},
    )
    return specification, EventFeed(data, validation, rebatch, offer_features)


def train_augmented(
    name: str,
    directory: Path,
    rebatch: Rebatch,
    model_parameters: Model,
    train: Train,
    augmented: TrainAugmented,
) -> None:
    """Train the augmented model on the prepared data and save it with its log.

    Parameters
    ----------
    name : str
        Name of the model.
    directory : Path
        Where the model goes.
    rebatch, model_parameters, train, augmented : Rebatch, Model, Train, TrainAugmented
        Parameters.
    """
    runtime.configure(train.threads)
    data = load_prepared(PREPARED_DIRECTORY)
    validation = read_batches(VALIDATION_FILE, rebatch.batch_size)
    specification, feed, train = augmented_set_up(
        data, validation, rebatch, model_parameters, train, augmented
    )
    _train(name, directory, specification, feed, train, {"rebatch": rebatch, "augmented": augmented})


def augmented_set_up(
    data: PreparedData,
    validation: Rows,
    rebatch: Rebatch,
    model_parameters: Model,
    train: Train,
    augmented: TrainAugmented,
) -> tuple[AugmentedSpecification, AugmentedFeed, Train]:
    """Give what an augmented model is trained with: its specification, its batches, its own `train`."""
    model_parameters, train = augmented.overrides.applied(model_parameters, train)
    specification = AugmentedSpecification(
        user_features=data.user_sizes,
        offer_features=data.offer_sizes,
        model=model_parameters,
        shared_tables=data.shared_tables(data.offer_sizes) if model_parameters.shared_embeddings else {},
        parts=augmented.parts,
    )
    minibatch = train.number_of_negatives + 1
    return specification, AugmentedFeed(data, validation, rebatch, augmented, minibatch, train.seed), train


def _train(
    name: str,
    directory: Path,
    specification: ModelSpecification,
    feed: Feed,
    train: Train,
    parameters: dict[str, Section],
) -> None:
    steps = Steps(name)
    model = make_model(specification, np.random.default_rng(train.seed))
    digest = training_digest(
        {"specification": specification, "train": train, **parameters},
        [*sorted(PREPARED_DIRECTORY.iterdir()), VALIDATION_FILE],
    )
    checkpoints = Checkpoints(CHECKPOINTS_DIRECTORY / digest, steps.done)
    with training_log(CURVES_DIRECTORY / name) as log:
        train_model(model, feed, train, steps.done, checkpoints, log)
    with whole_directory(directory) as temporary:
        save_model(model, temporary)
    checkpoints.remove()
    steps.done(f"saved in {directory}")
