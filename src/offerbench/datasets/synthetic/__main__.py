"""Command: write a synthetic data set of the REES46 schema."""

from pathlib import Path
from typing import Annotated

import typer

from offerbench import command
from offerbench.datasets.synthetic import months as calendar
from offerbench.datasets.synthetic.generate import generate
from offerbench.schema import RAW_DIRECTORY


def main(
    rows: Annotated[int, typer.Option(help="Rows in all files together.")] = 1_000_000,
    months: Annotated[int, typer.Option(help=f"Monthly files, 1 to {len(calendar.NAMES)}.")] = 3,
    seed: Annotated[int, typer.Option(help="Seed of all draws.")] = 7,
    directory: Annotated[Path, typer.Option(help="Where the files go.")] = RAW_DIRECTORY / "synthetic",
) -> None:
    """Write monthly CSV.gz files of the REES46 schema; the same arguments give the same bytes."""
    steps = command.Steps("synthetic")
    files = generate(directory, rows, months, seed)
    size = sum(path.stat().st_size for path in files)
    steps.done(f"wrote {rows:,} rows to {len(files)} files in {directory}, {size / 1e6:,.1f} MB")


if __name__ == "__main__":
    command.run(main)
