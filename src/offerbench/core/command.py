"""Run a command so that a user's mistake or a failure of the machine gives one clear message."""

import contextlib
import errno
import functools
import io
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import typer

from offerbench.core import logs
from offerbench.core.errors import OfferbenchError

SITE_CACHE_VARIABLE = "DVC_SITE_CACHE_DIR"
FREE_SPACE = "Free some space, then run it again"
GET_RIGHTS = "Give yourself the right to write there, then run it again"
MAKE_WAY = "Move away what has that name, then run it again"
ADVICE = {
    errno.ENOSPC: FREE_SPACE,
    errno.EDQUOT: FREE_SPACE,
    errno.EFBIG: "Raise the limit of a file's size (ulimit -f), then run it again",
    errno.EROFS: "Mount it for writing, then run it again",
    errno.EACCES: GET_RIGHTS,
    errno.EPERM: GET_RIGHTS,
    errno.EIO: "Check the disk, then run it again",
    errno.EEXIST: MAKE_WAY,
    errno.ENOTDIR: MAKE_WAY,
    errno.EISDIR: MAKE_WAY,
    errno.ENAMETOOLONG: "Choose a shorter name",
    errno.ELOOP: "Remove the links that lead in a circle, then run it again",
}
FREE_MEMORY = (
    "End other programs, or lower resources.memory_limit, resources.events_per_chunk or "
    "rebatch.batch_size in params.yaml, then run it again"
)
# Libraries that report a disk error in an exception of their own; they need not be imported.
LIBRARIES = {"_duckdb", "duckdb", "safetensors", "pyarrow"}
OUT_OF_MEMORY = {"OutOfMemoryException", "ResourceExhaustedError"}  # of DuckDB and TensorFlow


def run(main: Callable[..., None]) -> None:
    """Run `main` with its arguments from the command line, named after its script; see `guarded`."""
    logs.configure(Path(sys.argv[0]).stem)
    application = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    application.command()(guarded(main))
    application()


def guarded(main: Callable[..., None]) -> Callable[..., None]:
    """Wrap a command: what it raises becomes a message where the user can do something about it.

    Exit status: 0; 2 with one message on standard error when `main` raises `OfferbenchError` or the
    machine fails it (disk full, no right to write, no memory); 130 when the user interrupts it.
    Everything else is a programmer's mistake and keeps its trace-back.
    """

    @functools.wraps(main)  # Typer reads the arguments from the signature
    def wrapped(*arguments: Any, **options: Any) -> None:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # before TensorFlow is imported
        # LightGBM's threads spin while they wait for each other, and a core that another stage has makes
        # them wait long. Asleep they take a fraction of the processor's time. Read when OpenMP is loaded.
        os.environ.setdefault("OMP_WAIT_POLICY", "passive")
        _keep_dvc_apart()
        if isinstance(sys.stdout, io.TextIOWrapper):  # a terminal that has no letter for it gets a "?"
            sys.stdout.reconfigure(errors="replace")
        try:
            main(*arguments, **options)
        except KeyboardInterrupt:
            print("interrupted: run the same command again to go on.", file=sys.stderr)
            raise SystemExit(130) from None
        except Exception as error:
            message = str(error) if isinstance(error, OfferbenchError) else machine_fault(error)
            if message is None:
                raise
            print(f"error: {message}", file=sys.stderr)
            raise SystemExit(2) from None

    return wrapped


def _keep_dvc_apart() -> None:
    """Let DVC keep its site cache in the checkout, for the user alone.

    It unpickles what is there, which would be a directory of the system that everybody may write to.
    """
    directory = Path(".dvc").resolve()
    if directory.is_dir() and SITE_CACHE_VARIABLE not in os.environ:
        site_cache = directory / "tmp/site_cache"
        with contextlib.suppress(OSError):  # a command that needs no DVC runs without it
            site_cache.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.environ[SITE_CACHE_VARIABLE] = str(site_cache)


def machine_fault(error: Exception) -> str | None:
    """Say in one line what failed on which file and what to do; None if it is no failure of the machine."""
    text = next(iter(str(error).splitlines()), "no more is known")
    if isinstance(error, MemoryError) or type(error).__name__ in OUT_OF_MEMORY:
        return f"out of memory: {text}. {FREE_MEMORY}."
    if isinstance(error, OSError) and error.errno in ADVICE:
        return f"{_place(error, text)}. {ADVICE[error.errno]}."
    if type(error).__module__ == "sqlite3":  # a training's log opens the database of DVC
        return f"DVC's database in .dvc/tmp: {text}. {FREE_SPACE}, or raise the limit of a file's size."
    if type(error).__module__.split(".")[0] in LIBRARIES:
        for number, advice in ADVICE.items():
            if os.strerror(number) in text:
                return f"{text}. {advice}."
    return None


def _place(error: OSError, text: str) -> str:
    """File and error; the system does not name the file for a full disk: then the directory too."""
    if error.filename is not None:
        return f"{os.fsdecode(error.filename)}: {error.strerror}"
    free = shutil.disk_usage(Path.cwd()).free // 1_000_000
    return f"{text}, on a file of {Path.cwd()} ({free:,} MB free there)"
