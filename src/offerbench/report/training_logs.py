"""Read the training logs that the training stages wrote."""

from pathlib import Path

import pandas as pd

from offerbench.errors import OfferbenchError
from offerbench.schema import MEASURES


def read_training_logs(directory: Path, models: list[str]) -> dict[str, list[dict[str, float]]]:
    """Loss and AUC by epoch of each model.

    Parameters
    ----------
    directory : Path
        Where a directory of each model's DVCLive log is.
    models : list of str
        The trained models.

    Returns
    -------
    dict of list of dict
        For each model, rows of epoch (from 1), train_loss, train_auc, validation_loss, validation_auc.

    Raises
    ------
    OfferbenchError
        If a log is missing or is none.
    """
    logs = {}
    for model in models:
        columns = {}
        for measure in MEASURES:
            file = directory / model / "plots" / "metrics" / f"{measure}.tsv"
            try:
                columns[measure.replace("/", "_")] = pd.read_csv(file, sep="\t")[measure.rpartition("/")[2]]
            except (FileNotFoundError, KeyError, pd.errors.ParserError) as error:
                raise OfferbenchError(f"{file}: no log of a training ({error}). Run `dvc repro`.") from None
        frame = pd.DataFrame(columns)
        frame.insert(0, "epoch", range(1, len(frame) + 1))
        logs[model] = [
            {str(name): float(value) for name, value in row.items()} for row in frame.to_dict("records")
        ]
    return logs
