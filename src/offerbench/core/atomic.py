"""Atomic writes: to a temporary name, then renamed. Readers see the old file or the complete new one."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def atomic_directory(target: Path) -> Iterator[Path]:
    """Give a temporary directory that takes the name `target` only if the block succeeds.

    What an earlier run that was killed left beside `target` is removed first.

    Parameters
    ----------
    target : Path
        The directory to make. One that exists is replaced.

    Yields
    ------
    Path
        An empty directory beside `target`.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    for leftover in target.parent.glob(f".{target.name}.*"):
        shutil.rmtree(leftover)
    temporary = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        yield temporary
        temporary.chmod(0o755)
        if target.exists():
            shutil.rmtree(target)
        temporary.rename(target)
    except OSError as error:
        error.filename = error.filename or str(target)  # a failed write does not know its file
        raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


@contextlib.contextmanager
def atomic_file(target: Path) -> Iterator[Path]:
    """Give a temporary file name that becomes `target` only if the block succeeds.

    Parameters
    ----------
    target : Path
        The file to write. One that exists is replaced.

    Yields
    ------
    Path
        A name beside `target`, with the same suffix.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{os.getpid()}.{target.name}")
    try:
        yield temporary
        temporary.replace(target)
    except OSError as error:
        error.filename = error.filename or str(target)
        raise
    finally:
        temporary.unlink(missing_ok=True)
