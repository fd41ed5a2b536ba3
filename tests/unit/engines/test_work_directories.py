"""A directory of its own for each run, at a path or a URL: gone at the end, however the run ends."""

import logging
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest

from offerbench.core.atomic import PARTIAL
from offerbench.core.errors import OfferbenchError
from offerbench.engines.work_directories import run_directory, shared_directory
from offerbench.preparation.resources import Resources, Spark

from ..parameters import resources_parameters
from .s3_server import s3_server


def resources_of(work_directory: str, spill: Path) -> Resources:
    spark = {"master": "local[1]", "work_directory": work_directory, "users_per_shard": 10, "conf": {}}
    return resources_parameters(spill_directory=str(spill), spark=spark)


def directory_of(work_directory: str, spill: Path) -> Any:
    resources = resources_of(work_directory, spill)
    assert resources.spark is not None
    return run_directory(resources.spark, resources, "prepare")


def files_at(url: str) -> list[str]:
    system, path = fsspec.core.url_to_fs(url)
    system.invalidate_cache()
    return sorted(system.find(path)) if system.exists(path) else []


@pytest.fixture(params=["path", "file", "s3"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "s3":
        with s3_server() as url:
            yield url
    else:
        yield f"{'file://' if request.param == 'file' else ''}{tmp_path}/work"


def test_runs_have_directories_of_their_own_that_go_with_them(place: str, tmp_path: Path) -> None:
    with directory_of(place, tmp_path / "spill") as one, directory_of(place, tmp_path / "spill") as other:
        assert one.place != other.place
        for exchange in (one, other):
            assert exchange.place.startswith(f"{place}/{PARTIAL}prepare.")
            with exchange.inside("events").drafts() as drafts:
                (drafts / "x").write_bytes(b"1")
                exchange.inside("events").leave(drafts / "x")
        assert len([file for file in files_at(place) if file.endswith("/events/x")]) == 2
    assert files_at(place) == []
    assert list((tmp_path / "spill").glob("*")) == []


def test_a_run_that_fails_leaves_nothing(place: str, tmp_path: Path) -> None:
    with pytest.raises(KeyError), directory_of(place, tmp_path / "spill") as exchange:
        with exchange.drafts() as drafts:
            (drafts / "x").write_bytes(b"1")
            exchange.leave(drafts / "x")
        raise KeyError
    assert files_at(place) == []
    assert list((tmp_path / "spill").glob("*")) == []


KILLED = """
import sys, time
from pathlib import Path
from tests.unit.engines.test_work_directories import directory_of
with directory_of(sys.argv[1], Path(sys.argv[2])) as exchange:
    with exchange.drafts() as drafts:
        (drafts / "x").write_bytes(b"1")
        exchange.leave(drafts / "x")
    print(exchange.place, flush=True)
    time.sleep(60)
"""


def test_what_a_killed_run_left_is_removed_by_the_next_and_that_of_a_running_one_stays(
    place: str, tmp_path: Path
) -> None:
    command = [sys.executable, "-c", KILLED, place, str(tmp_path / "spill")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[3]) as run:
        assert run.stdout is not None
        left = run.stdout.readline().strip()
        try:
            with directory_of(place, tmp_path / "spill"):
                assert f"{left.split('://')[-1]}/x" in files_at(place)  # it is running
        finally:
            os.kill(run.pid, signal.SIGKILL)
    assert f"{left.split('://')[-1]}/x" in files_at(place)
    with directory_of(place, tmp_path / "spill"):
        assert f"{left.split('://')[-1]}/x" not in files_at(place)
    assert files_at(place) == []
    assert list((tmp_path / "spill").glob("*")) == []


def test_what_cannot_be_removed_is_told_and_tried_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    spill = tmp_path / "spill"
    spill.mkdir()
    kept = f"nothing://bucket/{PARTIAL}prepare.0"
    (spill / f"{PARTIAL}0.url").write_text(kept)
    (tmp_path / "data").mkdir()
    (spill / f"{PARTIAL}1.url").write_text(f"file://{tmp_path}/data")  # of no run
    (spill / f"{PARTIAL}2.url").write_text("")  # killed before it was written
    with caplog.at_level(logging.WARNING), directory_of(str(tmp_path / "work"), spill):
        pass
    assert f"{kept}: can't be read" in caplog.text
    assert "data: is no directory of a run, so it is not removed" in caplog.text
    assert sorted(path.name for path in spill.iterdir()) == [f"{PARTIAL}0.url", f"{PARTIAL}1.url"]
    assert (tmp_path / "data").exists()


def test_a_url_that_cannot_be_written_to_is_refused_before_anything_starts(tmp_path: Path) -> None:
    said = r"^s3://nobody-has-this/work/\S+: can't be written \("
    with (
        s3_server(),
        pytest.raises(OfferbenchError, match=said) as refused,
        directory_of("s3://nobody-has-this/work", tmp_path / "spill"),
    ):
        pass
    assert "\n" not in str(refused.value)
    assert list((tmp_path / "spill").glob("*")) == []


def test_a_path_is_asked_for_where_a_url_does_not_do(tmp_path: Path) -> None:
    spark = Spark(master="local[1]", work_directory="s3://shop/work", users_per_shard=10, conf={})
    with (
        pytest.raises(OfferbenchError, match="is s3://shop/work, but evaluate on Spark needs a path"),
        shared_directory(spark, "evaluate"),
    ):
        pass
    path = spark.model_copy(update={"work_directory": str(tmp_path / "work")})
    with shared_directory(path, "evaluate") as directory:
        assert directory.is_dir()
    assert list((tmp_path / "work").iterdir()) == []
