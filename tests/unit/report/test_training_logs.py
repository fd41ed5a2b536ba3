"""Training logs: those that are there are read whole, damaged ones are refused."""

from pathlib import Path

import pytest

from offerbench.core.errors import OfferbenchError
from offerbench.core.json_files import write_json
from offerbench.report.training_logs import MEASURES, read_best_points, read_training_logs

from ..parameters import train_parameters


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """Logs of two models, of two epochs and of one."""
    for model, epochs in (("full", 2), ("mono_brand", 1)):
        for number, measure in enumerate(MEASURES):
            part, name = measure.split("_")
            file = tmp_path / model / "plots" / "metrics" / part / f"{name}.tsv"
            file.parent.mkdir(parents=True, exist_ok=True)
            lines = [f"{epoch}\t{number + epoch / 10}" for epoch in range(epochs)]
            file.write_text("\n".join([f"step\t{name}", *lines, ""]))
    return tmp_path


def test_logs_are_one_table_by_epoch(logs: Path) -> None:
    table = read_training_logs(logs, ["full", "augmented", "mono_brand"])  # augmented has none
    assert table.to_dict("list") == {
        "model": ["full", "full", "mono_brand"],
        "epoch": [1, 2, 1],
        "train_loss": [0.0, 0.1, 0.0],
        "train_auc": [1.0, 1.1, 1.0],
        "validation_loss": [2.0, 2.1, 2.0],
        "validation_auc": [3.0, 3.1, 3.0],
    }


def test_names_are_those_that_the_training_log_writes() -> None:
    from offerbench.model import progress

    assert tuple(measure.replace("/", "_") for measure in progress.MEASURES) == MEASURES


def test_no_log_is_no_row(tmp_path: Path) -> None:
    table = read_training_logs(tmp_path, ["history_affinity"])
    assert (len(table), list(table)) == (0, ["model", "epoch", *MEASURES])


def test_best_points_are_those_of_the_logs(logs: Path) -> None:
    best = {"epoch": 2, "steps": 16, "validation_auc": 0.7, "note": None}
    for model in ("full", "mono_brand"):
        write_json(logs / model / "metrics.json", {"best": best, "step": 24})
    assert read_best_points(logs, ["full", "recency", "mono_brand"]) == {"full": best, "mono_brand": best}


def test_they_are_what_the_training_log_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from offerbench.model.progress import Epoch, best_point
    from offerbench.model.training_log import training_log

    monkeypatch.chdir(tmp_path)
    epochs = [Epoch(1, 8, 0.7, 0.5, 0.71, 0.51), Epoch(2, 16, 0.6, 0.75, 0.61, 0.7)]
    with training_log(tmp_path / "logs" / "full", train_parameters()) as log:
        for epoch in epochs:
            log.add(epoch)
    assert read_best_points(tmp_path / "logs", ["full"]) == {"full": best_point(epochs)}
    assert len(read_training_logs(tmp_path / "logs", ["full"])) == 2


@pytest.mark.parametrize("content", [{}, {"best": 3}, {"best": {"epoch": 1}}])
def test_a_log_without_its_best_point_is_refused(logs: Path, content: dict) -> None:
    write_json(logs / "full" / "metrics.json", content)
    with pytest.raises(OfferbenchError, match=r"full/metrics\.json: does not say .*dvc repro"):
        read_best_points(logs, ["full"])


@pytest.mark.parametrize("content", [None, "", "step\tother\n0\t1\n", 'step\tauc\n"0\t1\n2\t3\t4\t5\n'])
def test_damaged_log_is_refused(logs: Path, content: str | None) -> None:
    file = logs / "full" / "plots" / "metrics" / "validation" / "auc.tsv"
    if content is None:
        file.unlink()
    else:
        file.write_text(content)
    with pytest.raises(OfferbenchError, match=r"full/plots/metrics/validation/auc\.tsv: no log .*dvc repro"):
        read_training_logs(logs, ["full"])
