"""Checkpoints: an interrupted training goes on from its last finished epoch, to the same bytes.

They stand in an ignored directory that is no output of DVC, since DVC deletes outputs before a stage
runs. Its name is a digest of all that the training depends on, so that a change of parameters, data
or code starts anew. The directory may be deleted at any time; only the progress is lost.
"""

import hashlib
import json
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pydantic
import safetensors
import safetensors.numpy
import tensorflow as tf

from offerbench.errors import OfferbenchError
from offerbench.model.progress import Epoch, Progress
from offerbench.storage import read_json, whole_directory, write_json

STATE_FILE = "state.safetensors"
PROGRESS_FILE = "progress.json"

PACKAGE = Path(__file__).parents[1]
CODE = ("batching", "model", "preparation/history.py", "schema.py", "storage.py")  # as in dvc.yaml


def file_digest(file: Path) -> str:
    """SHA-256 of a file's content: some 1.5 GB a second."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def training_digest(parameters: Mapping[str, pydantic.BaseModel], data: Iterable[Path]) -> str:
    """Digest of all that the bytes of a trained model depend on.

    Parameters
    ----------
    parameters : mapping to pydantic.BaseModel
        By any name.
    data : iterable of Path
        The files of the data.
    """
    sources = [file for path in CODE for file in (PACKAGE / path, *(PACKAGE / path).rglob("*.py"))]
    content = {
        "parameters": {name: section.model_dump() for name, section in parameters.items()},
        "data": {file.as_posix(): file_digest(file) for file in data},
        "code": {str(file.relative_to(PACKAGE)): file_digest(file) for file in sources if file.is_file()},
        "versions": {"tensorflow": tf.__version__, "numpy": np.__version__},
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:20]


class Checkpoints:
    """The checkpoints of one training: one directory for each epoch, of which the last is kept.

    Parameters
    ----------
    directory : Path
        A directory of its own.
    report : callable
        Called with one line when something is worth saying.
    """

    def __init__(self, directory: Path, report: Callable[[str], None]) -> None:
        self._directory = directory
        self._report = report

    def write(self, progress: Progress) -> None:
        """Write a checkpoint whole or not at all, and remove those before it.

        A training goes on without a checkpoint where none can be written (a full disk, or a loss
        that is not finite, which JSON has no name for): the one before it stays.
        """
        target = self._directory / f"epoch_{len(progress.curves):06}"
        curves = [asdict(epoch) for epoch in progress.curves]
        try:
            with whole_directory(target) as temporary:
                safetensors.numpy.save_file(progress.tensors(), temporary / STATE_FILE)
                seal = _seal(temporary / STATE_FILE, curves, progress.step)
                content = {"seal": seal, "step": progress.step, "curves": curves}
                write_json(temporary / PROGRESS_FILE, content)
        except (OSError, ValueError, safetensors.SafetensorError) as error:
            self._report(f"no checkpoint {target} ({error}); training goes on")
            return
        for other in self._directory.iterdir():  # half-written ones of a killed run too
            if other != target:
                shutil.rmtree(other, ignore_errors=True)

    def restore(self, progress: Progress) -> None:
        """Take `progress` to the last checkpoint that is intact; leave it as it is if there is none."""
        for path in sorted(self._directory.glob("epoch_*"), reverse=True):
            try:
                _read(path, progress)
            except (OfferbenchError, OSError, ValueError, LookupError, TypeError) as error:
                self._report(f"{path}: passed over, not a checkpoint of this training ({error})")
            else:
                self._report(f"resumed after epoch {len(progress.curves)} from {path}")
                return

    def remove(self) -> None:
        """Remove all: the training has ended well."""
        shutil.rmtree(self._directory, ignore_errors=True)


def _read(path: Path, progress: Progress) -> None:
    content = read_json(path / PROGRESS_FILE)
    curves, step = content["curves"], content["step"]
    if content["seal"] != _seal(path / STATE_FILE, curves, step):
        raise ValueError("damaged")
    tensors = safetensors.numpy.load_file(path / STATE_FILE)  # what was sealed is a safetensors file
    progress.resume([Epoch(**epoch) for epoch in curves], step, tensors)


def _seal(state: Path, curves: list[dict[str, Any]], step: int) -> str:
    """Digest of a checkpoint: safetensors has no check sum, a changed bit would pass."""
    return hashlib.sha256(json.dumps([file_digest(state), curves, step]).encode()).hexdigest()
