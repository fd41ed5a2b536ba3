"""An interrupted training goes on from its last epoch and ends with the same bytes."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

from offerbench.batching.prepared import PreparedData
from offerbench.model import resume, training
from offerbench.model.optimizer import make_optimizer
from offerbench.model.progress import Progress
from offerbench.model.resume import PROGRESS_FILE, STATE_FILE, Checkpoints, training_digest
from offerbench.model.specification import ModelSpecification
from offerbench.model.two_tower import TwoTower

from ..model_builder import weights_of
from ..parameters import rebatch_parameters, train_parameters
from .small_training import MODEL, Trained, as_bytes, loyal_users, scripted, trained

EPOCHS = 4


class Interrupted(BaseException):
    """As KeyboardInterrupt, but of this test."""


class Lines:
    """Keeps what a training reports, and interrupts it at the end of an epoch."""

    def __init__(self, last: int | None = None) -> None:
        self.said: list[str] = []
        self._last = last

    def __call__(self, line: str) -> None:
        self.said.append(line)
        if line.startswith(f"epoch {self._last} "):
            raise Interrupted

    def epochs(self) -> list[int]:
        """The epochs that were trained."""
        return [int(line.split()[1]) for line in self.said if line.startswith("epoch ")]


def interrupt(data: PreparedData, directory: Path, epoch: int, **changes: object) -> None:
    """Train until an epoch is over but its checkpoint is not written."""
    lines = Lines(epoch)
    with pytest.raises(Interrupted):
        trained(data, Checkpoints(directory, lines), lines, **{"epochs": EPOCHS, **changes})


def go_on(data: PreparedData, directory: Path, **changes: object) -> tuple[Trained, Lines]:
    lines = Lines()
    return trained(data, Checkpoints(directory, lines), lines, **{"epochs": EPOCHS, **changes}), lines


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
    expected = trained(data, epochs=EPOCHS, optimizer="adamw_keras")
    interrupt(data, tmp_path, 3, optimizer="adamw_keras")
    found, lines = go_on(data, tmp_path, optimizer="adamw_keras")
    assert lines.epochs() == [3, 4]
    assert_same(found, expected)


def test_a_training_that_was_over_but_not_saved(
    data: PreparedData, undisturbed: Trained, tmp_path: Path
) -> None:
    go_on(data, tmp_path)
    found, lines = go_on(data, tmp_path)
    assert lines.epochs() == []
    assert_same(found, undisturbed)


@pytest.mark.parametrize("epoch", [2, 4])
def test_early_stopping_and_the_best_weights_survive(
    data: PreparedData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, epoch: int
) -> None:
    aucs = [0.6, 0.7, 0.7, 0.65]  # stops before the fifth epoch, with the weights of the second
    changes = {"epochs": 9, "early_stopping_patience": 2}
    monkeypatch.setattr(training, "Curve", scripted(aucs))
    expected = trained(data, **changes)
    monkeypatch.setattr(training, "Curve", scripted(aucs))
    interrupt(data, tmp_path, epoch, **changes)
    monkeypatch.setattr(training, "Curve", scripted(aucs[epoch - 1 :]))
    assert_same(go_on(data, tmp_path, **changes)[0], expected)
    found, lines = go_on(data, tmp_path, **changes)  # over, not saved
    assert lines.epochs() == []
    assert_same(found, expected)


def restored(data: PreparedData, directory: Path) -> tuple[Progress, Lines]:
    """What a new training takes from the checkpoints."""
    specification = ModelSpecification(
        user_features=data.user_sizes, offer_features=data.offer_sizes, model=MODEL
    )
    model, lines = TwoTower(specification, np.random.default_rng(0)), Lines()
    first = as_bytes(weights_of(model))
    progress = Progress(model, make_optimizer(train_parameters()))
    Checkpoints(directory, lines).restore(progress)
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
    content["seal"] = resume._seal(path / STATE_FILE, content["curves"], content["step"])
    (path / PROGRESS_FILE).write_text(json.dumps(content))
    progress, lines = restored(data, interrupted)
    assert "its tensors are not those of this training" in lines.said[0]
    assert progress.curves == []


def test_one_checkpoint_is_kept_and_nothing_half_written(data: PreparedData, interrupted: Path) -> None:
    (interrupted / ".epoch_000003.killed").mkdir()
    go_on(data, interrupted)
    assert only_checkpoint(interrupted).name == f"epoch_{EPOCHS:06}"
    Checkpoints(interrupted, print).remove()
    assert not interrupted.exists()
    Checkpoints(interrupted, print).remove()  # where there is none


def test_training_goes_on_where_no_checkpoint_can_be_written(
    data: PreparedData, undisturbed: Trained, tmp_path: Path
) -> None:
    (tmp_path / "digest").write_text("a file in the way")
    found, lines = go_on(data, tmp_path / "digest")
    assert sum("no checkpoint" in line for line in lines.said) == EPOCHS
    assert_same(found, undisturbed)


def test_the_digest_changes_with_parameters_data_and_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = shutil.copytree(resume.PACKAGE, tmp_path / "package")
    monkeypatch.setattr(resume, "PACKAGE", package)
    file = tmp_path / "views.arrow"
    file.write_bytes(b"12")

    def digest(**changes: object) -> str:
        return training_digest(
            {"rebatch": rebatch_parameters(), "train": train_parameters(**changes)}, [file]
        )

    found = [digest(), digest(seed=77)]
    assert digest() == found[0]
    file.write_bytes(b"21")
    found.append(digest())
    for name in ("model/tower.py", "batching/sampling.py", "preparation/history.py", "storage.py"):
        with (package / name).open("a") as source:
            source.write("# changed\n")
        found.append(digest())
    assert len(set(found)) == len(found)
    (package / "report/tables.py").write_text("# no matter")
    assert digest() == found[-1]
