"""Run a command so that a user's mistake gives one clear message and no trace-back."""

import os
import sys
import time
from collections.abc import Callable

import typer

from offerbench.errors import OfferbenchError


def run(main: Callable[..., None]) -> None:
    """Run `main` with its arguments from the command line.

    Exit status: 0, or 2 with a message on standard error when `main` raises `OfferbenchError`.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # before TensorFlow is imported
    application = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    application.command()(main)
    try:
        application()
    except OfferbenchError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(2) from None


class Steps:
    """Says in one line what each step of a stage did and how long it took."""

    def __init__(self, stage: str) -> None:
        self._stage = stage
        self._started = time.perf_counter()

    def done(self, what: str) -> None:
        """Print `what` with the seconds since the last step."""
        now = time.perf_counter()
        print(f"{self._stage}: {what} ({now - self._started:.1f} s)", flush=True)
        self._started = now
