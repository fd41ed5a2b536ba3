"""The log of a training: its parameters, and its curves after each epoch."""

import csv
import json
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from offerbench.core.section import leaves
from offerbench.model.progress import Epoch, best_point
from offerbench.model.training_log import training_log

from ..parameters import train_parameters

EPOCHS = [Epoch(1, 8, 0.7, 0.5, 0.71, 0.51), Epoch(2, 16, 0.6, 0.75, 0.61, 0.7)]


def column(directory: Path, part: str, measure: str) -> list[tuple[int, float]]:
    with (directory / "plots" / "metrics" / part / f"{measure}.tsv").open() as file:
        return [(int(row["step"]), float(row[measure])) for row in csv.DictReader(file, delimiter="\t")]


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path / "plots" / "training" / "full"


@pytest.mark.parametrize("section", ["train_full", "train_augmented"])
def test_parameters_are_written_beside_the_curves(directory: Path, section: str) -> None:
    training = train_parameters(section, **{"optimizer.learning_rate": 0.0123})
    with training_log(directory, training):
        pass
    found = YAML(typ="safe").load((directory / "params.yaml").read_text())
    expected = dict(leaves(training.model_dump()))
    assert found["optimizer.learning_rate"] == 0.0123
    assert found["ranker.units"] == [6, 3]
    # DVCLive takes no null: it is written as a word.
    assert found == {key: "null" if value is None else value for key, value in expected.items()}
    assert found["early_stopping_patience"] == "null"


def test_curves_are_written_after_each_epoch(directory: Path) -> None:
    with training_log(directory, train_parameters()) as log:
        for number, epoch in enumerate(EPOCHS):
            log.add(epoch)
            for part in ("train", "validation"):
                for measure in ("loss", "auc"):
                    expected = [
                        (each.steps, getattr(each, f"{part}_{measure}")) for each in EPOCHS[: number + 1]
                    ]
                    assert column(directory, part, measure) == expected
    metrics = json.loads((directory / "metrics.json").read_text())
    assert metrics["train"] == {"loss": 0.6, "auc": 0.75}
    assert metrics["validation"] == {"loss": 0.61, "auc": 0.7}
    assert metrics["step"] == 16
    assert metrics["best"] == best_point(EPOCHS)


def test_a_log_starts_anew(directory: Path) -> None:
    for _ in range(2):
        with training_log(directory, train_parameters()) as log:
            log.add(EPOCHS[0])
    assert column(directory, "train", "loss") == [(8, 0.7)]


def test_it_writes_nothing_outside_its_directory(directory: Path, tmp_path: Path) -> None:
    with training_log(directory, train_parameters()) as log:
        log.add(EPOCHS[0])
    assert [path.name for path in tmp_path.iterdir()] == ["plots"]
    assert not list(tmp_path.rglob("dvc.yaml"))
