"""Atomic writes: to a temporary name, then renamed. Readers see the old file or the complete new one.

git and DVC are told to pass over the temporary names, so that what a killed process leaves gets into no
commit and into no hash. It is removed by the next one that writes the same.
"""

import contextlib
import errno
import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

PARTIAL = ".partial."
"""What temporary names begin with, in .gitignore and .dvcignore too."""


@contextlib.contextmanager
def temporary_directory(parent: Path, name: str) -> Iterator[Path]:
    """Give an empty directory that is removed at the end.

    Those of the same name that killed processes have left are removed first; those of running ones stay.

    Parameters
    ----------
    parent : Path
        Where it is made.
    name : str
        What it is for.

    Yields
    ------
    Path
        The directory; its mode is that of any new directory.
    """
    parent.mkdir(parents=True, exist_ok=True)
    for leftover in parent.glob(f"{PARTIAL}{name}.*"):
        _remove_unless_used(leftover)
    directory, lock = _make_locked(parent, name)
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)
        os.close(lock)


def _make_locked(parent: Path, name: str) -> tuple[Path, int]:
    """Make a directory and lock it: the system drops the lock when its process ends, however it ends."""
    while True:
        directory = parent / f"{PARTIAL}{name}.{secrets.token_hex(4)}"
        directory.mkdir()
        try:
            lock = os.open(directory, os.O_RDONLY)
        except FileNotFoundError:  # another process took it for a leftover
            continue
        with contextlib.suppress(OSError):  # a file system without locks: nobody removes it then
            fcntl.flock(lock, fcntl.LOCK_EX)
        if directory.exists():
            return directory, lock
        os.close(lock)


def _remove_unless_used(leftover: Path) -> None:
    try:
        lock = os.open(leftover, os.O_RDONLY)
    except OSError:  # just removed by its owner
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(leftover, ignore_errors=True)
    except OSError:  # its owner is running
        pass
    finally:
        os.close(lock)


@contextlib.contextmanager
def atomic_directory(target: Path) -> Iterator[Path]:
    """Give a temporary directory that takes the name `target` only if the block succeeds.

    Parameters
    ----------
    target : Path
        The directory to make. One that exists is replaced.

    Yields
    ------
    Path
        An empty directory beside `target`.
    """
    with _naming(target), temporary_directory(target.parent, target.name) as temporary:
        yield temporary
        while True:
            try:
                temporary.rename(target)
                return
            except OSError as error:
                if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                    raise
            with (
                contextlib.suppress(FileNotFoundError),  # another process was faster
                temporary_directory(target.parent, target.name) as old,
            ):
                target.rename(old)


@contextlib.contextmanager
def atomic_file(target: Path, through: Path | None = None) -> Iterator[Path]:
    """Give a temporary file name that becomes `target` only if the block succeeds.

    Parameters
    ----------
    target : Path
        The file to write. One that exists is replaced.
    through : Path, optional
        Directory on the same disk in which the temporary file is; that of `target` if None.

    Yields
    ------
    Path
        A path that ends with the name of `target`.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with _naming(target), temporary_directory(through or target.parent, target.name) as directory:
        yield directory / target.name
        (directory / target.name).replace(target)


@contextlib.contextmanager
def _naming(target: Path) -> Iterator[None]:
    """Say in an error of the system which file it is about: a failed write does not know."""
    try:
        yield
    except OSError as error:
        if error.filename is None or error.filename2 is not None:  # of a renaming it is the temporary name
            error.filename = str(target)
        raise
