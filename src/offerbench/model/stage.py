"""What the training stages share: load, train, save."""

from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd

from offerbench.batching.batches import read_batches
from offerbench.batching.prepared import load_prepared
from offerbench.command import Steps
from offerbench.model import runtime
from offerbench.model.checkpoint import save_model
from offerbench.model.resume import CHECKPOINTS_DIRECTORY, Checkpoints, training_digest
from offerbench.model.specification import ModelSpecification
from offerbench.model.training import train_model
from offerbench.model.two_tower import TwoTower
from offerbench.params.model import Model
from offerbench.params.rebatch import Rebatch
from offerbench.params.train import Train
from offerbench.schema import BATCHES_DIRECTORY, CURVES_DIRECTORY, PREPARED_DIRECTORY
from offerbench.storage import whole_directory, whole_file


def train_stage(
    name: str,
    directory: Path,
    offer_features: list[str] | None,
    rebatch: Rebatch,
    model_parameters: Model,
    train: Train,
) -> None:
    """Train one model on the prepared data and save it with its curves.

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
    steps = Steps(name)
    runtime.configure(train.threads)
    data = load_prepared(PREPARED_DIRECTORY)
    specification = ModelSpecification(
        user_features=data.user_sizes,
        offer_features={feature: data.offer_sizes[feature] for feature in offer_features or data.offer_sizes},
        model=model_parameters,
    )
    model = TwoTower(specification, np.random.default_rng(train.seed))
    validation_file = BATCHES_DIRECTORY / "validation.arrow"
    validation = read_batches(validation_file, rebatch.batch_size)
    digest = training_digest(
        {"specification": specification, "rebatch": rebatch, "train": train},
        [*sorted(PREPARED_DIRECTORY.iterdir()), validation_file],
    )
    checkpoints = Checkpoints(CHECKPOINTS_DIRECTORY / digest, steps.done)
    curves = train_model(model, data, validation, rebatch, train, steps.done, checkpoints)
    with whole_directory(directory) as temporary:
        save_model(model, temporary)
    with whole_file(CURVES_DIRECTORY / "training" / f"{name}.csv") as temporary:
        pd.DataFrame([asdict(epoch) for epoch in curves]).to_csv(temporary, index=False)
    checkpoints.remove()
    steps.done(f"saved in {directory}")
