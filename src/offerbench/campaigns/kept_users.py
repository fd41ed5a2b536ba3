"""What is known of all users as of a day, kept from one audience to the next.

The vectors, expected events and counts of a million users take most of an audience's time, and none of them
depends on the offer. They stand in an ignored directory that is no output of DVC; its name is a digest of all
that their bytes depend on, so that a change of data, models, day or code makes them anew. The directory may
be deleted at any time; only the time is lost.
"""

import hashlib
import json
import logging
import shutil
import zlib
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import safetensors
import safetensors.numpy

from offerbench.campaigns.cuts import Cut
from offerbench.campaigns.users_as_of import UsersAsOf
from offerbench.core.atomic import atomic_file
from offerbench.core.paths import entries, history_events_file
from offerbench.model.checkpoints import file_digest
from offerbench.model.ranker import Ranker
from offerbench.preparation.prepared import PreparedData

LOG = logging.getLogger(__name__)
SEAL = "crc32"
MAX_DAYS = 2  # directories that stay: those used last


def digest_of(files: Iterable[Path], settings: Mapping[str, Any]) -> str:
    """Give a digest of the content of files, of settings, and of the code and libraries that read them."""
    package = Path(__file__).parents[1]
    code = {path.relative_to(package).as_posix(): path for path in sorted(package.rglob("*.py"))}
    data = {path.as_posix(): path for path in files}
    with ThreadPoolExecutor() as pool:
        digests = [
            dict(zip(some, pool.map(file_digest, some.values()), strict=True)) for some in (data, code)
        ]
    versions = {name: version(name) for name in ("tensorflow", "numpy")}
    content = json.dumps([*digests, dict(settings), versions], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:20]


def files_of(cut: Cut, data: PreparedData) -> list[Path]:
    """List the files that the users of a cut are described by."""
    prepared = [cut.prepared / "target_events.arrow", cut.prepared / "features.json"]
    others = [history_events_file(cut.prepared, event_type) for event_type in data.history_events]
    return [*prepared, *others, *entries(cut.ranker), cut.activity]


class KeptUsers:
    """The parts of the users as of one day, a file each.

    Parameters
    ----------
    directory : Path
        Of all days; the day's own is below it.
    digest : str
        From `digest_of`.
    """

    def __init__(self, directory: Path, digest: str) -> None:
        self._all, self._directory = directory, directory / digest

    def restore(self, number: int, users: UsersAsOf, model: Ranker) -> bool:
        """Take what is kept of a part of the users; say whether it was there."""
        file = self._file(number)
        try:
            with safetensors.safe_open(file, "numpy") as opened:
                tensors = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
                seal = (opened.metadata() or {}).get(SEAL)
            if seal != _seal(tensors):
                raise ValueError("a bit has changed")
        except FileNotFoundError:
            return False
        except (OSError, safetensors.SafetensorError, ValueError) as error:
            LOG.warning("%s: made anew, it is damaged (%s)", file, error)
            return False
        users.restore(tensors, model)
        return True

    def keep(self, number: int, users: UsersAsOf, model: Ranker) -> None:
        """Keep a part of the users; if it can't be written (a full disk) the next audience takes longer."""
        try:
            with atomic_file(self._file(number)) as temporary:
                tensors = {name: np.ascontiguousarray(each) for name, each in users.tensors(model).items()}
                safetensors.numpy.save_file(tensors, temporary, {SEAL: _seal(tensors)})
        except (OSError, safetensors.SafetensorError) as error:
            LOG.warning("%s: not kept (%s)", self._file(number), error)

    def remove_older(self) -> None:
        """Remove the directories of other days but for those used last."""
        if not self._directory.is_dir():
            return
        self._directory.touch()
        for other in _latest_first(entries(self._all))[MAX_DAYS:]:
            shutil.rmtree(other, ignore_errors=True)

    def _file(self, number: int) -> Path:
        return self._directory / f"part_{number:05}.safetensors"


def _seal(tensors: Mapping[str, npt.NDArray[Any]]) -> str:
    """Check sum of tensors: safetensors has none, a changed bit would pass."""
    seal = 0
    for name in sorted(tensors):
        seal = zlib.crc32(np.ascontiguousarray(tensors[name]).data, seal)
    return f"{seal:08x}"


def _latest_first(paths: Sequence[Path]) -> list[Path]:
    return sorted(paths, key=lambda path: path.stat().st_mtime_ns, reverse=True)
