"""Read the training logs that the training stages wrote."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from offerbench.core.columns import MODEL
from offerbench.core.errors import OfferbenchError
from offerbench.core.json_files import read_json

EPOCH = "epoch"
MEASURES = ("train_loss", "train_auc", "validation_loss", "validation_auc")
"""Of an epoch, written down in files like `train/loss.tsv`."""


def read_training_logs(directory: Path, models: Iterable[str]) -> pd.DataFrame:
    """Loss and AUC by epoch of each model that has a log.

    Parameters
    ----------
    directory : Path
        Where a directory of each model's DVCLive log is.
    models : iterable of str
        Names of models; those that are not trained by epochs have no log.

    Returns
    -------
    DataFrame
        model, epoch (from 1), train_loss, train_auc, validation_loss, validation_auc.

    Raises
    ------
    OfferbenchError
        If a log is incomplete or is none.
    """
    logs = [pd.DataFrame(columns=[MODEL, EPOCH, *MEASURES])]
    for model in models:
        log = directory / model
        if log.is_dir():
            values = {measure: _read(log, measure) for measure in MEASURES}
            frame = pd.DataFrame(values)
            frame.insert(0, EPOCH, range(1, len(frame) + 1))
            frame.insert(0, MODEL, model)
            logs.append(frame)
    return pd.concat(logs[1:] or logs, ignore_index=True)


def read_best_points(directory: Path, models: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Read where the training of each model that has a log was best.

    Parameters
    ----------
    directory, models
        As for `read_training_logs`.

    Returns
    -------
    dict
        For each model epoch, steps, validation_auc, and a note if that is its first or last epoch, or None.

    Raises
    ------
    OfferbenchError
        If a log is none.
    """
    found = {}
    for model in models:
        if (directory / model).is_dir():
            file = directory / model / "metrics.json"
            found[model] = read_json(file).get("best")
            if not isinstance(found[model], dict) or not {"epoch", "steps", "note"} <= set(found[model]):
                raise OfferbenchError(f"{file}: does not say where the training was best. Run `dvc repro`.")
    return found


def _read(log: Path, measure: str) -> "pd.Series[float]":
    part, _, name = measure.partition("_")
    file = log / "plots" / "metrics" / part / f"{name}.tsv"
    try:
        return pd.read_csv(file, sep="\t")[name]
    except (FileNotFoundError, KeyError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise OfferbenchError(f"{file}: no log of a training ({error}). Run `dvc repro`.") from None
