"""What a reader must know of the data and of the trainings to judge the results by."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """A fact, and what it means for the results if it is beyond what they can bear."""

    text: str
    """The fact, without a stop at its end."""
    warning: str | None = None
    """Which level it is beyond, what that means and what to do; None: it is not beyond."""

    def __str__(self) -> str:
        return self.text if self.warning is None else f"{self.text}, {self.warning}"


def share_of(part: int, whole: int) -> float:
    """Give a share; 0 of nothing."""
    return part / whole if whole else 0.0


def log_findings(findings: Iterable[Finding], logger: logging.Logger) -> None:
    """Log a line for each finding."""
    for finding in findings:
        logger.log(logging.INFO if finding.warning is None else logging.WARNING, "%s", finding)
