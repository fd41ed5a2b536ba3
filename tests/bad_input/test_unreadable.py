"""Raw files that the user may not read, of every data set, end to end through the stage `prepare`."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import pytest

from offerbench.datasets import raw_files

from ..unit.parameters import COMPLETE
from . import custom_log, test_complete_journey, test_movielens, test_rees46
from .stage import Bench


def _rees46(bench: Bench) -> None:
    bench.set(COMPLETE)
    test_rees46.write(bench, test_rees46.log())


def _custom(bench: Bench) -> None:
    bench.set(custom_log.parameters())
    (bench.raw("custom") / "orders.csv").write_bytes(custom_log.as_csv(custom_log.rows()))


def _custom_parquet(bench: Bench) -> None:
    bench.set(custom_log.parameters(files="orders.parquet"))
    (bench.raw("custom") / "orders.parquet").write_bytes(b"PAR1")


CASES: dict[str, tuple[Callable[[Bench], None], str]] = {
    "REES46": (_rees46, "rees46/2019-Oct.csv"),
    "Complete Journey": (
        lambda bench: test_complete_journey.write(bench, test_complete_journey.GOOD),
        "complete_journey/transactions.parquet",
    ),
    "your own log": (_custom, "custom/orders.csv"),
    "your own log, Parquet": (_custom_parquet, "custom/orders.parquet"),
    "ratings.csv": (
        lambda bench: test_movielens.write(bench, "movielens_imdb"),
        "movielens_imdb/ratings.csv",
    ),
    "title.crew.tsv": (
        lambda bench: test_movielens.write(bench, "movielens_imdb"),
        "movielens_imdb/title.crew.tsv",
    ),
    "u.data": (lambda bench: test_movielens.write(bench, "movielens_100k"), "movielens_100k/u.data"),
}


@pytest.mark.parametrize("case", CASES)
def test_a_file_that_may_not_be_read(bench: Bench, monkeypatch: pytest.MonkeyPatch, case: str) -> None:
    write, name = CASES[case]
    write(bench)
    file = Path("data/raw") / name
    file.chmod(0)
    if os.access(file, os.R_OK):  # the administrator may read everything: refuse as the system would
        opened = raw_files.opened

        def refusing(path: Path) -> BinaryIO:
            if path == file:
                raise PermissionError(13, "Permission denied", str(path))
            return opened(path)

        monkeypatch.setattr(raw_files, "opened", refusing)
    assert f"{file}: you have no right to read it. Give yourself the right" in bench.refused()


@pytest.mark.parametrize("case", CASES)
def test_a_directory_in_the_place_of_a_file(bench: Bench, case: str) -> None:
    write, name = CASES[case]
    write(bench)
    file = Path("data/raw") / name
    file.unlink()
    file.mkdir()
    assert f"{file}: is a directory, a file is needed" in bench.refused()
