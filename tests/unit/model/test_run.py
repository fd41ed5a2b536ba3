"""A whole training, from files to files; two stages with the same one train once."""

import logging
from pathlib import Path

import pytest

from offerbench.batching.batches import batches_file, draw_pass, write_batches
from offerbench.core.columns import Split
from offerbench.core.paths import CHECKPOINTS_DIRECTORY, CURVES_DIRECTORY, PREPARED_DIRECTORY
from offerbench.model import run

from ..conftest import TinyData
from ..parameters import rebatch_parameters, train_parameters

REBATCH = rebatch_parameters()


@pytest.fixture(autouse=True)
def checkout(
    tiny_data: TinyData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, configured_tensorflow: None
) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(run.runtime, "configure", lambda threads: None)  # once in a process
    PREPARED_DIRECTORY.parent.mkdir()
    PREPARED_DIRECTORY.symlink_to(tiny_data.directory)
    file = batches_file(Split.VALIDATION)
    file.parent.mkdir(parents=True)
    write_batches(file, draw_pass(tiny_data.data, Split.VALIDATION, REBATCH))
    return tmp_path


def train(name: str, twin: str | None, **changes: object) -> dict[str, bytes]:
    """The files of the model and of its log."""
    directory = Path("models") / name
    run.run_training(name, directory, train_parameters(**changes), REBATCH, ["brand"], twin)
    files = {file.name: file.read_bytes() for file in directory.iterdir()}
    log = CURVES_DIRECTORY / name
    return files | {str(file.relative_to(log)): file.read_bytes() for file in log.rglob("*.*")}


def epochs(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [line for line in caplog.messages if line.startswith("epoch ")]


def test_what_is_one_training_for_two_stages_is_done_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="offerbench")
    first = train("full", "mono_brand")
    assert len(epochs(caplog)) == 2
    assert not any("the same training" in line for line in caplog.messages)
    caplog.clear()
    assert train("mono_brand", "full") == first
    assert epochs(caplog) == []
    assert any("the same training as that of full" in line for line in caplog.messages)
    assert not list(CHECKPOINTS_DIRECTORY.iterdir())
    assert train("mono_brand", None) == first, "trained by itself"


def test_another_training_is_none_of_the_twins(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="offerbench")
    train("full", "mono_brand")
    caplog.clear()
    train("mono_brand", "full", seed=7)
    assert len(epochs(caplog)) == 2


def test_without_a_twin_no_checkpoint_is_left() -> None:
    train("full", None)
    assert not list(CHECKPOINTS_DIRECTORY.iterdir())


def test_passes_of_an_epoch_are_said(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="offerbench")
    train("full", None, epochs=1, min_steps_per_epoch=60)
    assert any(
        line.endswith("passes over the train batches (min_steps_per_epoch)") for line in caplog.messages
    )
