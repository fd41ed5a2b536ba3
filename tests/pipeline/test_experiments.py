"""Experiments of docs/experiments.md, as a user runs them: in the checkout, in DVC's queue, as studies."""

import json
import re
import shlex
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from .conftest import REPOSITORY, Workspace

# One worker runs them all: they share experiments that take minutes.
pytestmark = [pytest.mark.pipeline, pytest.mark.slow, pytest.mark.xdist_group("experiments")]

GUIDE = REPOSITORY / "docs/experiments.md"
TITLE = "# wAUC on the "
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
    run(workspace, "dvc exp run --name quick --set-param train_full.epochs=1")
    return workspace


def test_experiment_is_applied_and_kept(tried: Workspace) -> None:
    assert "epochs: 1\n" in (tried.path / "params.yaml").read_text()
    assert (tried.path / "metrics/wauc.json").read_text() == file_of(tried, "quick", "metrics/wauc.json")
    assert json.loads(run(tried, "dvc status --json")) == {}


def test_parameters_and_metrics_are_compared_with_the_last_commit(tried: Workspace) -> None:
    assert re.search(r"train_full\.epochs +2 +1", run(tried, "dvc params diff"))
    assert "gap_to" in run(tried, "dvc metrics diff") or "to_specialist" in run(tried, "dvc metrics diff")
    before = json.loads(run(tried, "git show HEAD:metrics/wauc.json"))["all"]["brand"]["full"]
    after = json.loads((tried.path / "metrics/wauc.json").read_text())["all"]["brand"]["full"]
    row = re.search(
        r"all\.brand\.full +(\S+) +(\S+)", run(tried, "dvc metrics diff --targets metrics/wauc.json")
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
    tables.write_text(written.replace(TITLE, "# Another title of the "))
    run(workspace, "dvc exp run --queue --name other-title")
    tables.write_text(written)  # what comes later must not reach an experiment that is queued
    run(workspace, "dvc exp run --queue --set-param train_full.ranker.embedding_dim=50,200")
    run(workspace, "dvc exp run --queue --name refused --set-param train_full.epochs=0")
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
    assert sorted(content["train_full"]["ranker"]["embedding_dim"] for content in parameters) == [8, 50, 200]


def test_queue_leaves_the_work_tree_alone(queued: Workspace) -> None:
    assert queued.run("git", "status", "--porcelain").stdout == ""
    assert json.loads(run(queued, "dvc status --json")) == {}


def test_queued_experiment_runs_the_code_that_was_queued(queued: Workspace) -> None:
    assert "# Another title of the " in file_of(queued, "other-title", "src/offerbench/report/tables.py")
    assert "# Another title of the " in file_of(queued, "other-title", "reports/wauc.md")
    assert TITLE in (queued.path / "reports/wauc.md").read_text()


def test_failed_experiment_says_why(queued: Workspace, tmp_path: Path) -> None:
    assert "params.yaml: train_full.epochs:" in run(queued, "dvc queue logs refused")
    workspace = copy(queued, tmp_path / "copy")
    run(workspace, "dvc queue remove --failed")
    assert "refused" not in queue_states(workspace)


def test_experiments_are_shown_side_by_side(queued: Workspace) -> None:
    shown = run(
        queued, "dvc exp show --only-changed --drop 'models|plots|metrics|Created|State|Executor|.*to_'"
    )
    assert "train_full.ranker.embedding_dim" in shown and "full.wauc" in shown
    assert "learning_rate" not in shown
    assert all(directory not in shown for directory in ("models/", "plots/", "metrics/"))
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


PAIR = """\
title: Two seeds
about: The full model with two seeds.
settings:
  "1": {train_full.seed: 1}
  "2": {train_full.seed: 2}
tabulate: {kind: mean_and_deviation}
"""


@pytest.fixture(scope="module")
def studied(finished: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    workspace = copy(finished, tmp_path_factory.mktemp("studied") / "copy")
    (workspace.path / "studies/pair.yaml").write_text(PAIR)
    done = run(workspace, "offerbench study pair --jobs 2")
    assert "study: pair-1 finished" in done and "study: pair-2 finished" in done
    return workspace


def test_study_runs_its_settings_and_reports_them(studied: Workspace) -> None:
    base = json.loads((studied.path / "metrics/wauc.json").read_text())
    settings = json.loads((studied.path / "reports/studies/pair.json").read_text())["settings"]
    assert list(settings) == ["1", "2"] and settings["2"]["changes"] == {"train_full.seed": 2}
    assert settings["1"]["wauc"] == base, "the seed of params.yaml gives the numbers of the commit"
    for name, key in (("wauc", "wauc"), ("half_widths", "half_widths")):
        assert settings["2"][key] == json.loads(file_of(studied, "pair-2", f"metrics/{name}.json"))
    trained, affinity = (
        [settings[seed]["wauc"]["all"]["brand"][model] for seed in "12"]
        for model in ("full", "history_affinity")
    )
    assert trained[0] != trained[1]
    assert affinity[0] == affinity[1]
    mean = f"{sum(trained) / 2:.3f}".removeprefix("0")
    assert mean in (studied.path / "reports/studies/pair.md").read_text()


def test_study_leaves_the_work_tree_and_the_queue_alone(studied: Workspace) -> None:
    assert run(studied, "git status --porcelain").split() == [
        "??",
        "reports/studies/",
        "??",
        "studies/pair.yaml",
    ]
    assert json.loads(run(studied, "dvc status --json")) == {}
    assert queue_states(studied) == {}
    assert [path.name for path in (studied.path / ".dvc/tmp/studies/pair").iterdir() if path.is_dir()] == []


def test_what_a_study_has_finished_does_not_run_again(studied: Workspace) -> None:
    before = run(studied, "git for-each-ref"), (studied.path / "reports/studies/pair.md").read_text()
    assert "2 of 2 experiments have finished" in run(studied, "offerbench study pair")
    run(studied, "offerbench study pair --finished")
    after = run(studied, "git for-each-ref"), (studied.path / "reports/studies/pair.md").read_text()
    assert after == before


def test_experiments_of_a_study_are_experiments_of_dvc(studied: Workspace, tmp_path: Path) -> None:
    workspace = copy(studied, tmp_path / "copy")
    names = run(workspace, "dvc exp list --name-only").split()
    assert {"pair-1", "pair-2"} <= set(names)
    report = file_of(workspace, "pair-2", "reports/wauc.md")
    run(workspace, "dvc exp apply pair-2")
    assert (workspace.path / "reports/wauc.md").read_text() == report
    assert json.loads(run(workspace, "dvc status --json")) == {}
    assert re.search(r"train_full\.seed +1 +2", run(workspace, "dvc params diff"))


def test_study_of_a_preset_leaves_the_parameters_of_the_checkout(workspace: Workspace) -> None:
    text = (workspace.path / "params.yaml").read_text()
    preset = text.replace("table_decimals: 3", "table_decimals: 4")
    (workspace.path / "presets/mine.yaml").write_text(preset)
    study = PAIR.partition("settings:")[0] + "base: presets/mine.yaml\nsettings: {only: {}}\n"
    (workspace.path / "studies/mine.yaml").write_text(study + "tabulate: {kind: models_as_rows}\n")
    run(workspace, "git add --all")
    run(workspace, "git commit --quiet --message Preset")
    run(workspace, "offerbench study mine")
    assert file_of(workspace, "mine-only", "params.yaml") == preset
    assert (workspace.path / "params.yaml").read_text() == text
    written = (workspace.path / "reports/studies/mine.md").read_text()
    assert "- `report.table_decimals`: 3 → 4\n" in written
    usual = file_of(workspace, "mine-only", "reports/wauc.md")
    (row,) = re.findall(r"^\| full model \(all features\).*$", usual.partition("## Popular")[0], re.MULTILINE)
    assert row in written


def test_study_refuses_changed_files(workspace: Workspace) -> None:
    workspace.set("train_full.epochs", 1)
    refused = workspace.run("offerbench", "study", "seeds", check=False)
    assert refused.returncode == 2
    assert refused.stderr.startswith("error: params.yaml: changed since the last commit")
    assert run(workspace, "git for-each-ref refs/exps") == ""


def test_study_names_the_experiments_that_failed_and_their_logs(workspace: Workspace) -> None:
    (workspace.path / "studies/pair.yaml").write_text(PAIR)
    workspace.run("git", "rm", "--quiet", "stages/prepare.py")
    workspace.run("git", "commit", "--quiet", "--message", "Broken")
    refused = workspace.run("offerbench", "study", "pair", "--jobs", "2", check=False)
    assert refused.returncode == 2
    logs = re.search(r"error: pair-[12], pair-[12] failed: see (\S+), (\S+)\. Run it again", refused.stderr)
    assert logs is not None
    assert all("stages/prepare.py" in (workspace.path / log).read_text() for log in logs.groups())
    assert "Traceback" not in refused.stderr
    assert not (workspace.path / "reports/studies/pair.md").exists()


def test_unknown_study_is_answered_with_those_there_are(workspace: Workspace) -> None:
    refused = workspace.run("offerbench", "study", "sedes", check=False)
    assert refused.returncode == 2
    assert refused.stderr.startswith("error: studies/sedes.yaml: no such file. There are ablation, ")


def test_every_command_of_the_guide_is_tested_here() -> None:
    blocks = re.findall(r"```console\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    lines = [line.partition("  #")[0].rstrip() for block in blocks for line in block.splitlines()]
    commands = [line for line in lines if line.startswith("dvc ")]
    tested = Path(__file__).read_text()
    assert len(commands) > 10
    assert [command for command in commands if f'"{command}"' not in tested] == []
