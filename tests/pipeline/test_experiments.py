"""Experiments of docs/experiments.md, as a user runs them: at once, in DVC's queue, over seeds.

Some minutes of trainings, so every night and on demand:
`OFFERBENCH_LONG=1 python -m pytest tests/pipeline/test_experiments.py`.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from .conftest import REPOSITORY, Workspace

pytestmark = [
    pytest.mark.pipeline,
    pytest.mark.skipif("OFFERBENCH_LONG" not in os.environ, reason="set OFFERBENCH_LONG=1 for these"),
]

GUIDE = REPOSITORY / "docs/experiments.md"
TITLE = "wAUC on the test users"
SECONDS = 500


def run(workspace: Workspace, line: str) -> str:
    return workspace.run(*shlex.split(line)).stdout


def start(workspace: Workspace, line: str) -> None:
    # The workers stay in the background with the output of the command: a pipe would be open as long.
    silent = subprocess.DEVNULL
    done = subprocess.run(
        shlex.split(line),
        cwd=workspace.path,
        env=workspace.environment,
        stdout=silent,
        stderr=silent,
        check=False,
    )
    assert done.returncode == 0


def copy(workspace: Workspace, path: Path) -> Workspace:
    shutil.copytree(workspace.path, path, symlinks=True)
    return Workspace(path, {**workspace.environment, "PYTHONPATH": str(path / "src")})


def queue_states(workspace: Workspace) -> dict[str, str]:
    rows = run(workspace, "dvc queue status").partition("\n\n")[0].splitlines()[1:]
    return {row.split()[1]: row.split()[-1] for row in rows}


def wait_for_queue(workspace: Workspace) -> dict[str, str]:
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        states = queue_states(workspace)
        if not {"Queued", "Running"} & set(states.values()):
            return states
        time.sleep(2)
    raise AssertionError(f"after {SECONDS} seconds: {states}")


def revision(workspace: Workspace, name: str) -> str:
    found = workspace.run(
        "git", "for-each-ref", "--format=%(objectname)", f"refs/exps/**/{name}"
    ).stdout.split()
    assert len(found) == 1, found
    return found[0]


def file_of(workspace: Workspace, name: str, file: str) -> str:
    return workspace.run("git", "show", f"{revision(workspace, name)}:{file}").stdout


@pytest.fixture(scope="module")
def tried(finished: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    workspace = copy(finished, tmp_path_factory.mktemp("tried") / "copy")
    run(workspace, "dvc exp run --name quick --set-param train.epochs=1")
    return workspace


def test_experiment_is_applied_and_kept(tried: Workspace) -> None:
    assert "epochs: 1" in (tried.path / "params.yaml").read_text()
    assert (tried.path / "metrics/wauc.json").read_text() == file_of(tried, "quick", "metrics/wauc.json")
    assert json.loads(run(tried, "dvc status --json")) == {}


def test_parameters_and_metrics_are_compared_with_the_last_commit(tried: Workspace) -> None:
    assert re.search(r"train\.epochs +2 +1", run(tried, "dvc params diff"))
    assert "gap_to" in run(tried, "dvc metrics diff") or "to_specialist" in run(tried, "dvc metrics diff")
    before = json.loads(run(tried, "git show HEAD:metrics/wauc.json"))["all"]["brand"]["mono_brand"]
    after = json.loads((tried.path / "metrics/wauc.json").read_text())["all"]["brand"]["mono_brand"]
    row = re.search(
        r"all\.brand\.mono_brand +(\S+) +(\S+)", run(tried, "dvc metrics diff --targets metrics/wauc.json")
    )
    assert row is not None
    assert [float(number) for number in row.groups()] == pytest.approx([before, after], abs=1e-5)


@pytest.mark.parametrize("line", ["dvc plots show", "dvc plots diff", "dvc plots diff HEAD quick"])
def test_curves_are_drawn(tried: Workspace, line: str) -> None:
    page = tried.path / "dvc_plots/index.html"
    page.unlink(missing_ok=True)
    done = tried.run(*shlex.split(line))
    assert page.as_uri() in done.stdout
    assert "failed" not in done.stderr and "WARNING" not in done.stderr
    drawn = page.read_text()
    assert "validation" in drawn and "vega" in drawn
    if "diff" in line:
        assert "HEAD" in drawn and ("workspace" in drawn or "quick" in drawn)


def test_way_back_to_the_commit(tried: Workspace, tmp_path: Path) -> None:
    workspace = copy(tried, tmp_path / "copy")
    run(workspace, "git restore .")
    run(workspace, "dvc checkout")
    assert json.loads(run(workspace, "dvc status --json")) == {}
    assert "epochs: 2" in (workspace.path / "params.yaml").read_text()


@pytest.fixture(scope="module")
def queued(finished: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    workspace = copy(finished, tmp_path_factory.mktemp("queued") / "copy")
    tables = workspace.path / "src/offerbench/report/tables.py"
    written = tables.read_text()
    tables.write_text(written.replace(TITLE, "Another title"))
    run(workspace, "dvc exp run --queue --name other-title")
    tables.write_text(written)  # what comes later must not reach an experiment that is queued
    run(workspace, "dvc exp run --queue --set-param model.embedding_dim=50,200")
    run(workspace, "dvc exp run --queue --name refused --set-param train.epochs=0")
    assert set(queue_states(workspace).values()) == {"Queued"}
    assert workspace.run("git", "status", "--porcelain").stdout == ""
    start(workspace, "dvc queue start --jobs 2")
    wait_for_queue(workspace)
    yield workspace
    run(workspace, "dvc queue stop --kill")


def test_queue_runs_one_experiment_for_each_value(queued: Workspace) -> None:
    states = queue_states(queued)
    assert states.pop("refused") == "Failed"
    assert list(states.values()) == ["Success"] * 3
    rows = json.loads(run(queued, "dvc exp show --json"))[1]["experiments"]
    parameters = [
        row["revs"][0]["data"]["params"]["params.yaml"]["data"] for row in rows if row["name"] in states
    ]
    assert sorted(content["model"]["embedding_dim"] for content in parameters) == [8, 50, 200]


def test_queue_leaves_the_work_tree_alone(queued: Workspace) -> None:
    assert queued.run("git", "status", "--porcelain").stdout == ""
    assert json.loads(run(queued, "dvc status --json")) == {}


def test_queued_experiment_runs_the_code_that_was_queued(queued: Workspace) -> None:
    assert "Another title" in file_of(queued, "other-title", "src/offerbench/report/tables.py")
    assert "Another title" in file_of(queued, "other-title", "reports/wauc.md")
    assert TITLE in (queued.path / "reports/wauc.md").read_text()


def test_failed_experiment_says_why(queued: Workspace, tmp_path: Path) -> None:
    assert "params.yaml: train.epochs:" in run(queued, "dvc queue logs refused")
    workspace = copy(queued, tmp_path / "copy")
    run(workspace, "dvc queue remove --failed")
    assert "refused" not in queue_states(workspace)


def test_experiments_are_shown_side_by_side(queued: Workspace) -> None:
    shown = run(queued, "dvc exp show --only-changed --drop 'models|plots|Created|State|Executor|.*to_'")
    assert "model.embedding_dim" in shown
    assert "train.learning_rate" not in shown and "models/" not in shown and "plots/" not in shown
    assert all(f"[{name}]" in shown for name in queue_states(queued))


def test_experiment_is_applied_turned_into_a_branch_and_removed(queued: Workspace, tmp_path: Path) -> None:
    workspace = copy(queued, tmp_path / "copy")
    report = file_of(workspace, "other-title", "reports/wauc.md")
    run(workspace, "dvc exp apply other-title")
    assert (workspace.path / "reports/wauc.md").read_text() == report
    run(workspace, "git restore .")
    run(workspace, "dvc exp branch other-title try-title")
    assert run(workspace, "git show try-title:reports/wauc.md") == report
    run(workspace, "dvc exp remove other-title")
    assert "other-title" not in run(workspace, "dvc exp list --name-only")


def test_seeds(workspace: Workspace) -> None:
    base = json.loads((workspace.path / "metrics/wauc.json").read_text())
    done = run(workspace, "python -m offerbench.seeds --seeds 2 --jobs 2")
    run(workspace, "dvc queue stop --kill")
    assert "seeds: seed-1 success" in done and "seeds: seed-2 success" in done
    found = json.loads((workspace.path / "reports/seeds.json").read_text())
    assert found["seeds"] == [1, 2]
    assert found["wauc"]["1"] == base, "the seed of params.yaml gives the numbers of the commit"
    assert found["wauc"]["2"] == json.loads(file_of(workspace, "seed-2", "metrics/wauc.json"))
    trained, affinity = (
        [found["wauc"][seed]["all"]["brand"][model] for seed in "12"]
        for model in ("full", "history_affinity")
    )
    assert trained[0] != trained[1]
    assert affinity[0] == affinity[1]
    assert f"{sum(trained) / 2:.3f}".removeprefix("0") in (workspace.path / "reports/seeds.md").read_text()

    before = run(workspace, "git for-each-ref")
    assert "seeds: seed-2 success" in run(workspace, "python -m offerbench.seeds --seeds 2")
    assert run(workspace, "git for-each-ref") == before, "finished seeds do not run again"


def test_seeds_refuse_changed_files(workspace: Workspace) -> None:
    workspace.set("train.epochs", 1)
    refused = workspace.run("python", "-m", "offerbench.seeds", "--seeds", "2", check=False)
    assert refused.returncode == 2
    assert refused.stderr.startswith("error: params.yaml: changed since the last commit")
    assert queue_states(workspace) == {}


def test_seeds_name_the_experiment_that_failed_and_its_log(workspace: Workspace) -> None:
    workspace.run("git", "rm", "--quiet", "stages/prepare.py")
    workspace.run("git", "commit", "--quiet", "--message", "Broken")
    refused = workspace.run("python", "-m", "offerbench.seeds", "--seeds", "2", "--jobs", "2", check=False)
    run(workspace, "dvc queue stop --kill")
    assert refused.returncode == 2
    assert "seed-1, seed-2 failed: see `dvc queue logs seed-1`, `dvc queue logs seed-2`" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert not (workspace.path / "reports/seeds.md").exists()


def test_every_command_of_the_guide_is_tested_here() -> None:
    blocks = re.findall(r"```console\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    lines = [line.partition("  #")[0].rstrip() for block in blocks for line in block.splitlines()]
    commands = [line for line in lines if line.startswith("dvc ")]
    tested = Path(__file__).read_text()
    assert len(commands) > 10
    assert [command for command in commands if f'"{command}"' not in tested] == []
