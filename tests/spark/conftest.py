"""Both engines on the same raw files, in the same place."""

import importlib.util
import json
import shutil
from collections.abc import Iterator
from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from offerbench.core.errors import OfferbenchError
from offerbench.datasets.config import Custom
from offerbench.engines.preparation import prepare_dataset
from offerbench.preparation.config import Prepare
from tests.unit.parameters import resources_parameters

# Small data: the JVM's best compiler takes longer than it saves, and 200 partitions are 200 times nothing.
CONF = {
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
    "spark.sql.shuffle.partitions": "3",
}
LOCAL = {"master": "local[2]", "users_per_shard": 17, "conf": CONF}


HAS_SPARK = importlib.util.find_spec("pyspark") is not None and shutil.which("java") is not None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what starts Spark where it is not: `make test` needs neither PySpark nor Java."""
    if HAS_SPARK:
        return
    for item in items:
        if item.get_closest_marker("spark"):
            item.add_marker(pytest.mark.skip(reason="PySpark and Java are not here: make test-spark"))


@dataclass(frozen=True)
class Outcome:
    """What a run of `prepare` gave: files and counts, or a refusal."""

    files: dict[str, bytes]
    counts: str
    refusal: str | None = None


@dataclass(frozen=True)
class Engines:
    """A directory with raw files, in which both engines run."""

    directory: Path

    def run(
        self,
        dataset: str,
        prepare: Prepare,
        spark: dict[str, Any] | None,
        custom: Custom | None = None,
        until: int | None = None,
    ) -> Outcome:
        """Prepare `raw` on an engine."""
        if spark is not None:
            spark = {"work_directory": str(self.directory / "work"), **spark}
        resources = resources_parameters(spill_directory=str(self.directory / "spill"), spark=spark)
        target = self.directory / "prepared"
        target.mkdir()
        try:
            counts = prepare_dataset(
                dataset, self.directory / "raw", target, prepare, resources, custom, until
            )
            files = {path.name: path.read_bytes() for path in target.iterdir()}
            return Outcome(files, json.dumps(counts))
        except OfferbenchError as error:
            return Outcome({}, "", str(error))
        finally:
            shutil.rmtree(target)
            left = [path for name in ("spill", "work") for path in (self.directory / name).glob("*")]
            assert left == [], "nothing stays"

    def check(
        self,
        dataset: str,
        prepare: Prepare,
        custom: Custom | None = None,
        until: int | None = None,
        **spark: Any,
    ) -> Outcome:
        """Compare Spark with one machine: bytes, counts and their order, or the refusal."""
        expected = self.run(dataset, prepare, None, custom, until)
        found = self.run(dataset, prepare, {**LOCAL, **spark}, custom, until)
        assert found.refusal == expected.refusal
        assert found.counts == expected.counts
        assert found.files.keys() == expected.files.keys()
        assert [name for name in found.files if found.files[name] != expected.files[name]] == []
        return found


@pytest.fixture(scope="session", autouse=True)
def java(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Start Java in a directory that stays: its workers are in it, and a test's own is removed after it."""
    if not HAS_SPARK:
        return
    from pyspark.sql import SparkSession

    with chdir(tmp_path_factory.mktemp("java")):
        builder = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
        builder.config(map=CONF).config("spark.driver.host", "127.0.0.1").getOrCreate().stop()


@pytest.fixture(scope="session")
def configured_tensorflow() -> None:
    """TensorFlow as the stages set it up: once in a process, before any operation runs."""
    from offerbench.model import runtime

    runtime.configure(threads=2)


@pytest.fixture
def engines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engines]:
    """A directory of its own, which is where the run is: paths in messages are as the user gives them."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "raw").mkdir()
    yield Engines(Path())
