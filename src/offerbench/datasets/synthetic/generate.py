"""Write the monthly files."""

import gzip
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from offerbench.core.atomic import atomic_file
from offerbench.core.errors import OfferbenchError
from offerbench.datasets.synthetic import months as calendar
from offerbench.datasets.synthetic.catalogue import Catalogue, draw_catalogue
from offerbench.datasets.synthetic.sessions import draw_rows
from offerbench.datasets.synthetic.structure import Structure
from offerbench.datasets.synthetic.text import HEADER, RowText, session_texts
from offerbench.datasets.synthetic.users import Users, draw_users

COMPRESSION_LEVEL = 1
DEFAULT_STRUCTURE = Structure()


def generate(
    directory: Path, rows: int, months: int, seed: int, structure: Structure = DEFAULT_STRUCTURE
) -> list[Path]:
    """Write synthetic monthly files; files of the same names are replaced.

    Parameters
    ----------
    directory : Path
        Gets the files.
    rows : int
        Rows in all files together.
    months : int
        Number of files, from 2019-Oct.csv.gz on.
    seed : int
        Seed of all draws.
    structure : Structure
        Parameters of the planted structure.

    Returns
    -------
    list of Path
        The files, in the order of time.

    Raises
    ------
    OfferbenchError
        If an argument is out of its range, or the directory has other files that the reader would
        take for a part of the data set.
    """
    _check(rows, months, seed)
    files = [directory / f"{name}.csv.gz" for name in calendar.NAMES[:months]]
    _refuse_other_files(directory, files)
    catalogue_seed, users_seed, *month_seeds = np.random.SeedSequence(seed).spawn(2 + months)
    products = min(
        max(rows // structure.rows_per_product, structure.fewest_products), structure.most_products
    )
    catalogue = draw_catalogue(np.random.default_rng(catalogue_seed), products, structure)
    users = draw_users(
        np.random.default_rng(users_seed), max(rows // structure.rows_per_user, 1), catalogue, structure
    )
    with tqdm(total=rows, unit=" rows", unit_scale=True, disable=None, desc="synthetic") as progress:
        for month, month_rows in enumerate(calendar.month_rows(rows, months)):
            with atomic_file(files[month], through=directory.parent) as temporary:
                _write_month(
                    temporary, month, month_rows, month_seeds[month], catalogue, users, structure, progress
                )
    return files


def _check(rows: int, months: int, seed: int) -> None:
    if rows < 1:
        raise OfferbenchError(f"rows: must be at least 1, got {rows}")
    if not 1 <= months <= len(calendar.NAMES):
        raise OfferbenchError(f"months: must be from 1 to {len(calendar.NAMES)}, got {months}")
    if seed < 0:
        raise OfferbenchError(f"seed: must be at least 0, got {seed}")


def _refuse_other_files(directory: Path, files: list[Path]) -> None:
    """Raise if files of an earlier run would be read together with the new ones."""
    found = {path for pattern in ("*.csv", "*.csv.gz") for path in directory.glob(pattern)}
    if others := sorted(path.name for path in found - set(files)):
        raise OfferbenchError(
            f"{directory}: has {', '.join(others)}, which would be read together with the new files. "
            "Remove them, or name another directory."
        )


def _write_month(
    target: Path,
    month: int,
    rows: int,
    seed: np.random.SeedSequence,
    catalogue: Catalogue,
    users: Users,
    structure: Structure,
    progress: "tqdm[Any]",
) -> None:
    """Write one file, slice by slice: a slice is compressed while the next is drawn."""
    days = calendar.DAYS[month]
    text = RowText(calendar.FIRST_DAYS[month], days, catalogue.fields)
    slices = list(calendar.month_slices(rows, days))
    with (
        target.open("wb") as raw,
        gzip.GzipFile("", "wb", COMPRESSION_LEVEL, raw, mtime=0) as file,
        ThreadPoolExecutor(max_workers=1) as compressor,
    ):
        written: Future[int] = compressor.submit(file.write, HEADER)
        for time, slice_seed in zip(slices, seed.spawn(len(slices)), strict=True):
            generator = np.random.default_rng(slice_seed)
            drawn = draw_rows(generator, time, days, catalogue, users, structure)
            lines = text(drawn, session_texts(generator, users.number[drawn.session_user]))
            written.result()
            written = compressor.submit(file.write, lines)
            progress.update(time.rows)
        written.result()
