"""Checkpoints: an interrupted training goes on from its last finished epoch, to the same bytes.

They stand in an ignored directory that is no output of DVC, since DVC deletes outputs before a stage
runs. Its name is a digest of all that the training depends on, so that a change of parameters, data
or code starts anew. The directory may be deleted at any time; only the progress is lost.
"""

import hashlib
import json
import logging
import shutil
import sys
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pydantic
import safetensors
import safetensors.numpy
import tensorflow as tf

from offerbench.core.atomic import atomic_directory
from offerbench.core.errors import OfferbenchError
from offerbench.core.json_files import read_json, write_json
from offerbench.model.progress import Epoch, Progress

STATE_FILE = "state.safetensors"
PROGRESS_FILE = "progress.json"

LOG = logging.getLogger(__name__)


def file_digest(file: Path) -> str:
    """SHA-256 of a file's content: some 1.5 GB a second."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def training_digest(
    parameters: Mapping[str, pydantic.BaseModel], data: Iterable[Path], replicas: int = 1
) -> str:
    """Digest of all that the bytes of a trained model depend on.

    Parameters
    ----------
    parameters : mapping to pydantic.BaseModel
        By any name.
    data : iterable of Path
        The files of the data.
    replicas : int
        Processes that share the training; more of them add up in another order.
    """
    content = {
        "parameters": {name: section.model_dump() for name, section in parameters.items()},
        "data": {file.as_posix(): file_digest(file) for file in data},
        "code": {name: file_digest(file) for name, file in imported_code()},
        "versions": {"tensorflow": tf.__version__, "numpy": np.__version__},
        "replicas": replicas,
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:20]


def imported_code() -> list[tuple[str, Path]]:
    """Modules of offerbench that this process has imported so far, with their files, sorted by name."""
    modules = {name: getattr(module, "__file__", None) for name, module in sys.modules.items()}
    return sorted(
        (name, Path(file)) for name, file in modules.items() if file and name.split(".")[0] == "offerbench"
    )


class Checkpoints:
    """The checkpoints of one training: one directory for each epoch, of which the last is kept.

    Parameters
    ----------
    directory : Path
        A directory of its own.

    Attributes
    ----------
    restored_epochs : int
        Epochs that the restored checkpoint had behind it; 0 without one.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.restored_epochs = 0

    def write(self, progress: Progress) -> None:
        """Write a checkpoint atomically, and remove those before it.

        A training goes on without a checkpoint where none can be written (a full disk): the one before it
        stays.
        """
        target = self._directory / f"epoch_{len(progress.curves):06}"
        curves = [asdict(epoch) for epoch in progress.curves]
        try:
            with atomic_directory(target) as temporary:
                safetensors.numpy.save_file(progress.tensors(), temporary / STATE_FILE)
                seal = _seal(temporary / STATE_FILE, curves, progress.step)
                content = {"seal": seal, "step": progress.step, "curves": curves}
                write_json(temporary / PROGRESS_FILE, content)
        except (OSError, ValueError, safetensors.SafetensorError) as error:
            LOG.warning("no checkpoint %s (%s); training goes on", target, error)
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
                LOG.warning("%s: passed over, not a checkpoint of this training (%s)", path, error)
            else:
                self.restored_epochs = len(progress.curves)
                LOG.info("resumed after epoch %d from %s", len(progress.curves), path)
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
