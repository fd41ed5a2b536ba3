"""Another data set by another params.yaml: nothing of the last is in the way, or looks like the new one."""

import json
import shutil
from pathlib import Path

import pyarrow.csv as pc
import pyarrow.parquet as pq
import pytest
from ruamel.yaml import YAML

from .conftest import Workspace

pytestmark = pytest.mark.pipeline

TASKS = ["department", "maker"]
CUSTOM = {
    "files": "*.csv",
    "delimiter": ",",
    "user": "household_id",
    "time": "transaction_timestamp",
    "time_format": "timestamp",
    "event_type": {"column": None, "values": {}, "constant": "purchase"},
    "features": {"product": "product_id", "department": "department", "maker": "manufacturer_id"},
    "numbers": {},
    "tables": [{"file": "products.csv", "key": "product_id"}],
}
SHOWN = [
    "metrics/wauc.json",
    "metrics/clean",
    "metrics/headline.json",
    "reports/wauc.md",
    "reports/index.html",
]


def add_shop(workspace: Workspace) -> Path:
    """Give the workspace the same purchases as a shop's log, and presets of both; the journey's is in use."""
    raw = workspace.path / "data/raw"
    (raw / "custom").mkdir()
    journey = raw / "complete_journey"
    pc.write_csv(pq.read_table(journey / "transactions.parquet"), raw / "custom/orders.csv")
    pc.write_csv(pq.read_table(journey / "products.parquet"), raw / "custom/products.csv")
    presets = workspace.path / "presets"
    shutil.copy(workspace.path / "params.yaml", presets / "journey.yaml")
    for key, value in {
        "dataset": "custom",
        "custom": CUSTOM,
        "tasks": TASKS,
        "prepare.offer_features": ["product", *TASKS],
        "prepare.clusters": {},
        "prepare_past.cuts": [],
        "backtest.dates": [],
    }.items():
        workspace.set(key, value)
    shutil.move(workspace.path / "params.yaml", presets / "shop.yaml")
    shutil.copy(presets / "journey.yaml", workspace.path / "params.yaml")
    return raw / "custom/orders.csv"


def switch(workspace: Workspace, preset: str) -> None:
    shutil.copy(workspace.path / f"presets/{preset}.yaml", workspace.path / "params.yaml")


def specialists(workspace: Workspace) -> dict[str, list[str]]:
    """Of which tasks there are models, curves and entries in dvc.lock."""
    curves = (path.name for path in (workspace.path / "plots/training").iterdir())
    return {
        "models": sorted(path.name for path in (workspace.path / "models/mono").iterdir()),
        "curves": sorted(name.removeprefix("mono_") for name in curves if name.startswith("mono_")),
        "lock": sorted(name.partition("@")[2] for name in workspace.lock() if name.startswith("train_mono")),
    }


def results(workspace: Workspace) -> dict[str, bytes]:
    directory = workspace.path / "metrics"
    return {str(file.relative_to(directory)): file.read_bytes() for file in directory.rglob("*.json")}


@pytest.mark.slow
def test_there_and_back(workspace: Workspace) -> None:
    add_shop(workspace)
    before, lock = results(workspace), workspace.lock()
    switch(workspace, "shop")
    ran = workspace.run("dvc", "repro").stdout
    assert "removed the results of complete_journey" in ran
    assert "removed the specialists of brand, category1" in ran
    assert specialists(workspace) == {"models": TASKS, "curves": TASKS, "lock": TASKS}
    assert list(json.loads((workspace.path / "metrics/wauc.json").read_text())["all"]) == TASKS
    prepared = json.loads((workspace.path / "metrics/prepare.json").read_text())
    assert prepared["rows"] == json.loads(before["prepare.json"])["rows"]
    assert workspace.run("dvc", "status", "--json").stdout.strip() == "{}"
    switch(workspace, "journey")
    ran = workspace.run("dvc", "repro").stdout
    assert "Running stage 'validate'" in ran, "it is never taken from DVC's record of runs"
    assert "removed the results of custom" in ran
    assert specialists(workspace) == {key: ["brand", "category1"] for key in ("models", "curves", "lock")}
    assert results(workspace) == before
    assert workspace.lock() == lock


def test_where_an_early_stage_refuses_no_result_of_the_last_data_set_is_left(workspace: Workspace) -> None:
    orders = add_shop(workspace)
    orders.write_text(orders.read_text().replace("transaction_timestamp", "at", 1))
    switch(workspace, "shop")
    assert all((workspace.path / name).exists() for name in SHOWN)
    refused = workspace.run("dvc", "repro", check=False)
    assert refused.returncode != 0
    assert "error: custom.time: " in refused.stderr and "transaction_timestamp" in refused.stderr
    assert not [name for name in SHOWN if (workspace.path / name).exists()]
    assert results(workspace) == {}
    workspace.run("git", "restore", "metrics", "reports", "plots")
    assert all((workspace.path / name).exists() for name in SHOWN), "git has what was committed"


def test_a_data_set_without_files_is_refused_before_anything_is_removed(workspace: Workspace) -> None:
    orders = add_shop(workspace)
    shutil.rmtree(orders.parent)
    switch(workspace, "shop")
    before, models = results(workspace), specialists(workspace)
    refused = workspace.run("dvc", "repro", check=False)
    assert refused.returncode != 0
    assert "error: data/raw/custom: no such directory. Put the files of the data set there" in refused.stderr
    assert results(workspace) == before
    assert specialists(workspace) == models


@pytest.mark.slow
@pytest.mark.parametrize("tasks", [["brand", "category2"]])
def test_tasks_come_and_go(workspace: Workspace, tasks: list[str]) -> None:
    content = YAML(typ="safe").load((workspace.path / "params.yaml").read_text())
    assert set(tasks) <= set(content["prepare"]["offer_features"])
    workspace.set("tasks", tasks)
    workspace.run("dvc", "repro")
    assert specialists(workspace) == {"models": tasks, "curves": tasks, "lock": tasks}
    assert list(json.loads((workspace.path / "metrics/wauc.json").read_text())["all"]) == tasks
