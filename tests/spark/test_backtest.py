"""The stage `backtest` on Spark against one machine: every file the same bytes."""

import hashlib
import logging
import runpy
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ruamel.yaml import YAML
from threadpoolctl import threadpool_limits

from offerbench.campaigns import backtest as backtest_module
from offerbench.core.errors import OfferbenchError
from offerbench.core.paths import METRICS_DIRECTORY, PARAMETERS_FILE
from offerbench.engines.session import spark_session
from offerbench.engines.tasks import run_tasks
from offerbench.preparation.resources import Spark
from tests.unit.campaigns.conftest import TASKS, make_checkout
from tests.unit.parameters import COMPLETE, merged

from .conftest import LOCAL

pytestmark = [pytest.mark.spark, pytest.mark.usefixtures("configured_tensorflow")]
STAGE = Path(__file__).parents[2] / "stages/backtest.py"
FILES = ["campaign.json", "campaign_curves.json", "campaign_samples.parquet", "campaign_sizes.json"]


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The checkout as working directory; users are scored in some parts."""
    monkeypatch.setattr("offerbench.model.runtime.configure", lambda threads: None)  # it is set up already
    monkeypatch.setattr(backtest_module, "USERS_AT_A_TIME", 4)
    make_checkout(tmp_path / "checkout")
    monkeypatch.chdir(tmp_path / "checkout")


def run_stage(spark: dict[str, Any] | None) -> dict[str, bytes]:
    """Run the stage; give all files that it writes."""
    shutil.rmtree(METRICS_DIRECTORY, ignore_errors=True)
    METRICS_DIRECTORY.mkdir()
    with PARAMETERS_FILE.open("w") as file:
        YAML().dump(merged(COMPLETE, {"tasks": TASKS, "resources.spark": spark}), file)
    runpy.run_path(str(STAGE))["main"]()
    return {file.name: file.read_bytes() for file in METRICS_DIRECTORY.iterdir()}


def test_a_worker_multiplies_as_the_driver_does(tmp_path: Path) -> None:
    """Rows at the end of a thread's part of a product are added up in another order."""

    def digest(number: int) -> str:
        generator = np.random.default_rng(number)
        features, weights = generator.normal(size=(503, 22)).astype(np.float32), generator.normal(size=22)
        return hashlib.sha256((features @ weights).tobytes()).hexdigest()

    spark = Spark.model_validate({**LOCAL, "work_directory": str(tmp_path)})
    with spark_session(spark) as session:
        for threads in (1, 2):
            with threadpool_limits(threads, "blas"):
                assert run_tasks(session, 3, digest) == [digest(number) for number in range(3)]


@pytest.mark.usefixtures("checkout")
def test_files_are_those_of_one_machine(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    expected = run_stage(None)
    with caplog.at_level(logging.INFO):
        found = run_stage({**LOCAL, "work_directory": str(tmp_path / "work"), "users_per_shard": 5})
    assert sorted(expected) == FILES
    assert found == expected
    assert "at local[2]" in caplog.text
    assert list((tmp_path / "work").iterdir()) == []
    # A machine without a model refuses as the driver would, and leaves nothing.
    Path("models/past/2019-10-20/model.json").unlink()
    refusals = []
    for spark in (None, {**LOCAL, "work_directory": str(tmp_path / "work")}):
        with pytest.raises(OfferbenchError) as refused:
            run_stage(spark)
        refusals.append(str(refused.value))
    assert refusals[0] == refusals[1]
    assert list((tmp_path / "work").iterdir()) == []
