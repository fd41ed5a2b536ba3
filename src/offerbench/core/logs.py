"""Logs of a command: one line for each step, with the seconds that it took."""

import logging
import sys
import time


class _StepFormatter(logging.Formatter):
    """`prepare: read 1,458,000 rows (3.2 s)`: the seconds since the line before."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name
        self._last = time.perf_counter()

    def format(self, record: logging.LogRecord) -> str:
        """Give the line of a record."""
        now = time.perf_counter()
        seconds, self._last = now - self._last, now
        level = f"{record.levelname.lower()}: " if record.levelno >= logging.WARNING else ""
        return f"{self._name}: {level}{record.getMessage()} ({seconds:.1f} s)"


class _Output(logging.StreamHandler):  # type: ignore[type-arg]
    """Standard output as it is when a line is written: tests replace it."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record's line."""
        self.stream = sys.stdout
        super().emit(record)


def configure(name: str) -> None:
    """Print what offerbench logs, each line with the name of the command; call it again to rename.

    Parameters
    ----------
    name : str
        Of the stage or command.
    """
    logger = logging.getLogger("offerbench")
    for handler in [handler for handler in logger.handlers if isinstance(handler, _Output)]:
        logger.removeHandler(handler)
    output = _Output()
    output.setFormatter(_StepFormatter(name))
    logger.addHandler(output)
    logger.setLevel(logging.INFO)
