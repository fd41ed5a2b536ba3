"""An interrupted training goes on from its last epoch and ends with the same bytes."""

import json
import logging
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import safetensors.numpy

from offerbench.model import checkpoints, training
from offerbench.model.checkpoints import PROGRESS_FILE, STATE_FILE, Checkpoints, training_digest
from offerbench.model.optimizer import make_optimizer
from offerbench.model.progress import Progress
from offerbench.preparation.prepared import PreparedData

from ..parameters import rebatch_parameters, train_parameters
from ..rankers import weights_of
from .small_training import SHAPE, Trained, as_bytes, fresh_ranker, loyal_users, scripted, trained

EPOCHS = 4
KERAS = {"optimizer.name": "adamw_keras"}


class Interrupted(BaseException):
    """As KeyboardInterrupt, but of this test."""


class Lines(logging.Handler):
    """Keeps what a training logs, and interrupts it at the end of an epoch."""

    def __init__(self, last: int | None = None) -> None:
        super().__init__()
        self.said: list[str] = []
        self._last = last

    def emit(self, record: logging.LogRecord) -> None:
        line = record.getMessage()
        self.said.append(line)
        if line.startswith(f"epoch {self._last} "):
            raise Interrupted

    def epochs(self) -> list[int]:
        """The epochs that were trained."""
        return [int(line.split()[1]) for line in self.said if line.startswith("epoch ")]


@contextmanager
def listening(last: int | None = None) -> Iterator[Lines]:
    """Hear what offerbench logs."""
    logger, lines = logging.getLogger("offerbench"), Lines(last)
    level = logger.level
    logger.addHandler(lines)
    logger.setLevel(logging.INFO)
    try:
        yield lines
    finally:
        logger.removeHandler(lines)
        logger.setLevel(level)


def interrupt(data: PreparedData, directory: Path, epoch: int, **changes: Any) -> None:
    """Train until an epoch is over but its checkpoint is not written."""
    with listening(epoch), pytest.raises(Interrupted):
        trained(data, Checkpoints(directory), **{"epochs": EPOCHS, **changes})


def go_on(data: PreparedData, directory: Path, **changes: Any) -> tuple[Trained, Lines]:
    with listening() as lines:
        return trained(data, Checkpoints(directory), **{"epochs": EPOCHS, **changes}), lines


def assert_same(found: Trained, expected: Trained) -> None:
    assert as_bytes(found[0]) == as_bytes(expected[0])
    assert found[1] == expected[1]


@pytest.fixture(scope="module")
def data() -> PreparedData:
    return loyal_users()


@pytest.fixture(scope="module")
def undisturbed(data: PreparedData, configured_tensorflow: None) -> Trained:
    """Without any checkpoint."""
    return trained(data, epochs=EPOCHS)


@pytest.fixture(scope="module")
def after_two_epochs(
    data: PreparedData, configured_tensorflow: None, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    directory = tmp_path_factory.mktemp("interrupted") / "digest"
    interrupt(data, directory, 3)
    return directory


@pytest.fixture
def interrupted(after_two_epochs: Path, tmp_path: Path) -> Path:
    """The checkpoints of a training that was interrupted in its third epoch."""
    shutil.copytree(after_two_epochs, tmp_path / "digest")
    return tmp_path / "digest"


@pytest.mark.parametrize("epoch", [1, 3])
def test_same_bytes_wherever_it_was_interrupted(
    data: PreparedData, undisturbed: Trained, tmp_path: Path, epoch: int
) -> None:
    interrupt(data, tmp_path, epoch)
    found, lines = go_on(data, tmp_path)
    assert lines.epochs() == list(range(epoch, EPOCHS + 1))
    assert_same(found, undisturbed)


def test_same_bytes_with_the_optimizer_of_keras(data: PreparedData, tmp_path: Path) -> None:
    expected = trained(data, epochs=EPOCHS, **KERAS)
    interrupt(data, tmp_path, 3, **KERAS)
    found, lines = go_on(data, tmp_path, **KERAS)
    assert lines.epochs() == [3, 4]
    assert_same(found, expected)


def test_a_training_that_was_over_but_not_saved(
    data: PreparedData, undisturbed: Trained, tmp_path: Path
) -> None:
    go_on(data, tmp_path)
    found, lines = go_on(data, tmp_path)
    assert lines.epochs() == []
    assert_same(found, undisturbed)


AUCS = [0.6, 0.7, 0.7, 0.65]  # stops before the fifth epoch, with the weights of the second
STOPPED = {"epochs": 9, "early_stopping_patience": 2}


@pytest.fixture(scope="module")
def stopped_early(data: PreparedData, configured_tensorflow: None) -> Trained:
    """Without any checkpoint, and with the curves of `AUCS`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "Curve", scripted(AUCS))
        return trained(data, **STOPPED)


@pytest.mark.parametrize("epoch", [2, 4])
def test_early_stopping_and_the_best_weights_survive(
    data: PreparedData,
    stopped_early: Trained,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    epoch: int,
) -> None:
    monkeypatch.setattr(training, "Curve", scripted(AUCS))
    interrupt(data, tmp_path, epoch, **STOPPED)
    monkeypatch.setattr(training, "Curve", scripted(AUCS[epoch - 1 :]))
    assert_same(go_on(data, tmp_path, **STOPPED)[0], stopped_early)
    found, lines = go_on(data, tmp_path, **STOPPED)  # over, not saved
    assert lines.epochs() == []
    assert_same(found, stopped_early)


def restored(data: PreparedData, directory: Path) -> tuple[Progress, Lines]:
    """What a new training takes from the checkpoints."""
    model = fresh_ranker(data, train_parameters(**SHAPE))
    first = as_bytes(weights_of(model))
    progress = Progress(model, make_optimizer(model.specification.training.optimizer))
    with listening() as lines:
        Checkpoints(directory).restore(progress)
    assert (as_bytes(weights_of(model)) == first) == (not progress.curves), "changed whole or not at all"
    return progress, lines


def only_checkpoint(directory: Path) -> Path:
    (checkpoint,) = directory.iterdir()
    return checkpoint


def cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


def changed_bit(content: bytes) -> bytes:
    return content[:-100] + bytes([content[-100] ^ 1]) + content[-99:]


@pytest.mark.parametrize("damage", [cut, changed_bit, lambda _: b"", lambda _: b"[]", None])
@pytest.mark.parametrize("name", [STATE_FILE, PROGRESS_FILE])
def test_a_damaged_checkpoint_is_passed_over(
    data: PreparedData,
    interrupted: Path,
    name: str,
    damage: Callable[[bytes], bytes] | None,
) -> None:
    file = only_checkpoint(interrupted) / name
    file.write_bytes(damage(file.read_bytes())) if damage else file.unlink()
    progress, lines = restored(data, interrupted)
    assert len(lines.said) == 1 and "epoch_000002: passed over" in lines.said[0]
    assert (progress.curves, progress.step) == ([], 0)


def test_an_intact_checkpoint_before_a_damaged_one_is_used(data: PreparedData, interrupted: Path) -> None:
    damaged = shutil.copytree(only_checkpoint(interrupted), interrupted / "epoch_000003")
    (damaged / STATE_FILE).write_bytes(b"")
    progress, lines = restored(data, interrupted)
    assert "epoch_000003: passed over" in lines.said[0]
    assert "resumed after epoch 2" in lines.said[1]
    assert (len(progress.curves), progress.step) == (2, 16)


@pytest.mark.parametrize(
    "change",
    [
        lambda tensors: tensors.popitem(),
        lambda tensors: tensors.update(extra=np.zeros(2, np.float32)),
        lambda tensors: tensors.update({"model/user_tower/bias_0": np.zeros(99, np.float32)}),
        lambda tensors: tensors.update({"model/user_tower/bias_0": np.zeros(16)}),
    ],
    ids=["missing", "extra", "shape", "type"],
)
def test_a_foreign_checkpoint_is_passed_over(
    data: PreparedData,
    interrupted: Path,
    change: Callable[[dict[str, np.ndarray]], object],
) -> None:
    path = only_checkpoint(interrupted)
    tensors = safetensors.numpy.load_file(path / STATE_FILE)
    assert tensors["model/user_tower/bias_0"].shape == (16,)
    change(tensors)
    safetensors.numpy.save_file(tensors, path / STATE_FILE)
    content = json.loads((path / PROGRESS_FILE).read_text())
    content["seal"] = checkpoints._seal(path / STATE_FILE, content["curves"], content["step"])
    (path / PROGRESS_FILE).write_text(json.dumps(content))
    progress, lines = restored(data, interrupted)
    assert "its tensors are not those of this training" in lines.said[0]
    assert progress.curves == []


def test_one_checkpoint_is_kept_and_nothing_half_written(data: PreparedData, interrupted: Path) -> None:
    (interrupted / ".epoch_000003.killed").mkdir()
    go_on(data, interrupted)
    assert only_checkpoint(interrupted).name == f"epoch_{EPOCHS:06}"
    Checkpoints(interrupted).remove()
    assert not interrupted.exists()
    Checkpoints(interrupted).remove()  # where there is none


def test_training_goes_on_where_no_checkpoint_can_be_written(
    data: PreparedData, undisturbed: Trained, tmp_path: Path
) -> None:
    (tmp_path / "digest").write_text("a file in the way")
    found, lines = go_on(data, tmp_path / "digest")
    assert sum("no checkpoint" in line for line in lines.said) == EPOCHS
    assert_same(found, undisturbed)


@pytest.fixture
def data_file(tmp_path: Path) -> Path:
    (tmp_path / "histories.arrow").write_bytes(b"12")
    return tmp_path / "histories.arrow"


def digest(data_file: Path, **changes: Any) -> str:
    return training_digest(
        {"rebatch": rebatch_parameters(), "train": train_parameters(**changes)}, [data_file]
    )


def test_the_digest_is_that_of_the_same_training(data_file: Path) -> None:
    assert digest(data_file) == digest(data_file)
    assert len(digest(data_file)) == 20


@pytest.mark.parametrize(
    "changes",
    [
        {"seed": 77},
        {"epochs": 3},
        {"optimizer.learning_rate": 0.011},
        {"ranker.dropout": 0.2},
        {
            "ranker.match_score": {
                "windows": [None],
                "attribute_values": None,
                "hidden_units": 1,
                "prior_events": 1.0,
            }
        },
        {"remove_accidental_hits": "bought_that_day"},
    ],
    ids=str,
)
def test_the_digest_changes_with_each_parameter(data_file: Path, changes: dict[str, Any]) -> None:
    assert digest(data_file, **changes) != digest(data_file)


def test_the_digest_changes_with_the_data(data_file: Path) -> None:
    before = digest(data_file)
    data_file.write_bytes(b"21")
    assert digest(data_file) != before
    data_file.write_bytes(b"12")
    assert digest(data_file) == before
    moved = data_file.rename(data_file.with_name("other.arrow"))
    assert digest(moved) != before


def test_the_digest_changes_with_the_code_that_is_imported(
    data_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = shutil.copytree(Path(checkpoints.__file__).parents[1], tmp_path / "package")
    names = ["model.tower", "batching.sampling", "preparation.history", "core.tables", "features.keys"]
    for name in names:
        copy = package / f"{name.replace('.', '/')}.py"
        monkeypatch.setattr(sys.modules[f"offerbench.{name}"], "__file__", str(copy))
    found = [digest(data_file)]
    for name in names:
        with (package / f"{name.replace('.', '/')}.py").open("a") as source:
            source.write("# changed\n")
        found.append(digest(data_file))
    assert len(set(found)) == len(found)
    monkeypatch.setitem(sys.modules, "elsewhere", ModuleType("elsewhere"))
    sys.modules["elsewhere"].__file__ = str(data_file)
    (package / "report/tables.py").write_text("# no matter: a copy that nothing was imported from")
    assert digest(data_file) == found[-1]


def test_the_code_of_a_training_is_what_its_stage_imports() -> None:
    # A stage that trains imports neither the report nor the evaluation; one that does not load its code
    # has a digest without it.
    listed = (
        "import sys; from offerbench.model import run, checkpoints; print(*dict(checkpoints.imported_code()))"
    )
    found = subprocess.run([sys.executable, "-c", listed], capture_output=True, text=True, check=True)
    modules = set(found.stdout.split())
    wanted = {"model.ranker", "model.training", "model.dot", "model.bilinear", "batching.grouped"}
    assert {f"offerbench.{name}" for name in wanted} <= modules
    rooms = {name.split(".")[1] for name in modules if "." in name}
    assert rooms == {"batching", "core", "features", "model", "preparation"}
