"""What tasks and driver of a run leave for each other: files in a directory that all see, or at a URL.

A file for a URL is written on the machine's own disk first, and uploaded when it is whole, under a name of
this attempt alone. Who reads it fetches it to the own disk, and looks whether it is as it was left.
"""

import hashlib
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from offerbench.core.atomic import temporary_directory
from offerbench.core.errors import OfferbenchError
from offerbench.engines.file_systems import download, is_url, upload
from offerbench.engines.tasks import not_as_left


@dataclass(frozen=True)
class Written:
    """A file that was left, and how."""

    place: str
    """Path or URL."""
    size: int
    """Bytes."""
    digest: str | None
    """SHA-256 of a file at a URL, which goes over the network both ways."""

    @property
    def name(self) -> str:
        """Its name in its directory."""
        return self.place.rsplit("/", 1)[-1]

    def refusal(self) -> OfferbenchError:
        """Say that it is not there as it was left."""
        return not_as_left(self.place)


@dataclass(frozen=True)
class Exchange:
    """A directory of a run."""

    place: str
    """Path or URL."""
    spill_directory: str
    """Of each machine: has the files of a URL for a while."""

    @property
    def is_remote(self) -> bool:
        """Whether it is at a URL: Spark itself does not read there, nor write."""
        return is_url(self.place)

    def inside(self, name: str) -> "Exchange":
        """Give a directory in it."""
        return Exchange(f"{self.place}/{name}", self.spill_directory)

    @contextmanager
    def drafts(self) -> Iterator[Path]:
        """Give the directory on this machine from which `leave` takes files: this one, unless it is a URL."""
        if self.is_remote:
            with temporary_directory(Path(self.spill_directory), "exchange") as directory:
                yield directory
        else:
            directory = Path(self.place)
            directory.mkdir(parents=True, exist_ok=True)
            yield directory

    def leave(self, file: Path) -> Written:
        """Leave a file of the drafts under its name, which belongs to this attempt alone.

        Raises
        ------
        OfferbenchError
            If it can't be uploaded.
        """
        size = file.stat().st_size
        if not self.is_remote:
            return Written(str(file), size, None)
        url = f"{self.place}/{file.name}"
        upload(file, url)
        return Written(url, size, _digest(file))

    @contextmanager
    def fetched(self, files: Sequence[Written]) -> Iterator[list[Path]]:
        """Give files where this machine can read them: where they are, or as copies for the time being.

        Raises
        ------
        OfferbenchError
            If one is gone, or is not as it was left.
        """
        if not self.is_remote:
            for file in files:
                _check(file, Path(file.place))
            yield [Path(file.place) for file in files]
            return
        with temporary_directory(Path(self.spill_directory), "exchange") as directory:
            copies = [directory / f"{number}-{file.name}" for number, file in enumerate(files)]
            for file, copy in zip(files, copies, strict=True):
                if not download(file.place, copy):
                    raise file.refusal()
                _check(file, copy)
            yield copies


def attempt_name(name: str) -> str:
    """Give a name that no other attempt at the same has."""
    return f"{name}-{secrets.token_hex(4)}"


def _check(file: Written, here: Path) -> None:
    if not here.exists() or here.stat().st_size != file.size:
        raise file.refusal()
    if file.digest is not None and _digest(here) != file.digest:
        raise file.refusal()


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
