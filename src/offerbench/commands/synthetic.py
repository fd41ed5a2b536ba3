"""`offerbench synthetic`: write a synthetic data set of the REES46 schema."""

import logging
from pathlib import Path
from typing import Annotated

import typer

from offerbench.core.paths import RAW_DIRECTORY
from offerbench.datasets.synthetic import months as calendar
from offerbench.datasets.synthetic.generate import generate

LOG = logging.getLogger(__name__)


def synthetic(
    rows: Annotated[int, typer.Option(help="Rows in all files together.")] = 1_000_000,
    months: Annotated[int, typer.Option(help=f"Monthly files, 1 to {len(calendar.NAMES)}.")] = 3,
    seed: Annotated[int, typer.Option(help="Seed of all draws.")] = 7,
    directory: Annotated[Path, typer.Option(help="Where the files go.")] = RAW_DIRECTORY / "synthetic",
) -> None:
    """Write monthly CSV.gz files of the REES46 schema; the same arguments give the same bytes."""
    files = generate(directory, rows, months, seed)
    megabytes = sum(path.stat().st_size for path in files) / 1e6
    LOG.info("wrote %s rows to %d files in %s, %.1f MB", f"{rows:,}", len(files), directory, megabytes)
