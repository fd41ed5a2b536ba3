"""The stages run by DVC on a small part of Complete Journey."""

import json
import shutil
import subprocess

import pandas as pd
import pytest
from ruamel.yaml import YAML

from offerbench.parameters import TRAININGS

from .conftest import SMALL, Workspace, environment_of

pytestmark = pytest.mark.pipeline

TASKS = SMALL["tasks"]
GENERALISTS = ["full", "augmented", "boosted"]
OTHERS = [
    *("history_affinity", "frequency", "recency"),
    *("lightgbm_by_task", "lightgbm", "item_item", "least_squares"),
    "ceiling",
]
MODELS = [*GENERALISTS, "mono_category1", "mono_brand", *OTHERS]
each_measure = pytest.mark.parametrize("metrics", ["metrics", "metrics/clean"])


def changed_stages(workspace: Workspace) -> set[str]:
    return set(json.loads(workspace.run("dvc", "status", "--json").stdout))


@each_measure
def test_results_have_every_segment_task_and_model(finished: Workspace, metrics: str) -> None:
    wauc = json.loads((finished.path / metrics / "wauc.json").read_text())
    assert list(wauc) == ["all", "popular", "cold_start"]
    for tasks in wauc.values():
        assert list(tasks) == TASKS
        for models in tasks.values():
            assert list(models) == MODELS
            assert all(value is None or 0 < value < 1 for value in models.values())
    table = (finished.path / "reports/wauc.md").read_text()
    assert table.count("| history affinity (no training) ") == 2 * 3  # by each measure


@each_measure
def test_offers_file_gives_the_written_wauc(finished: Workspace, metrics: str) -> None:
    offers = pd.read_parquet(finished.path / metrics / "offers.parquet")
    wauc = json.loads((finished.path / metrics / "wauc.json").read_text())
    assert list(offers)[:5] == ["task", "label", "value", "positives", "negatives"]
    for task, rows in offers.groupby("task"):
        by_hand = (rows["full"] * rows["positives"]).sum() / rows["positives"].sum()
        assert by_hand == pytest.approx(wauc["all"][task]["full"], abs=2e-6)


def test_no_test_user_is_in_training(finished: Workspace) -> None:
    users = pd.read_parquet(finished.path / "data/prepared/users.parquet")
    assert users["user"].is_unique
    assert users["split"].value_counts().to_dict() == {0: 60, 1: 20, 2: 20}


def test_a_finished_run_is_up_to_date(finished: Workspace) -> None:
    assert changed_stages(finished) == set()
    assert "up to date" in finished.run("dvc", "repro").stdout


@pytest.mark.slow
def test_same_bytes_in_another_directory_with_another_hash_seed_and_two_jobs(
    workspace: Workspace, finished: Workspace
) -> None:
    # All stages anew, nothing taken from DVC's record of earlier runs. Each in a Python that was started for
    # it, while those of the finished run were forked.
    assert workspace.path != finished.path
    other = Workspace(workspace.path, environment_of(workspace.path, hash_seed="12345"))
    assert other.environment["PYTHONHASHSEED"] != finished.environment["PYTHONHASHSEED"]
    ran = other.run("offerbench", "repro", "--jobs", "2", "--force").stdout
    assert ran.count("Running stage '") == len(other.lock())
    assert other.lock() == finished.lock()
    assert other.run("git", "status", "--porcelain").stdout == ""


def test_report_parameter_measures_nothing_again(workspace: Workspace) -> None:
    workspace.set("report.table_decimals", 4)
    assert changed_stages(workspace) == {"report", "report_campaigns"}
    before = (workspace.path / "metrics/wauc.json").stat()
    assert "Running stage 'evaluate'" not in workspace.run("dvc", "repro").stdout
    after = (workspace.path / "metrics/wauc.json").stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    wauc = json.loads((workspace.path / "metrics/wauc.json").read_text())
    shown = f"{wauc['all']['brand']['full']:.4f}".removeprefix("0")
    assert shown in (workspace.path / "reports/wauc.md").read_text()


def test_parameter_of_the_measures_trains_nothing(workspace: Workspace) -> None:
    workspace.set("evaluate.popular_min_positives", 100)
    assert changed_stages(workspace) == {"evaluate", "report"}


def test_resources_rerun_nothing(workspace: Workspace) -> None:
    workspace.set("resources.events_per_chunk", 1000)
    workspace.set("resources.memory_limit", "1GB")
    assert changed_stages(workspace) == set()


def test_training_parameter_reruns_no_preparation(workspace: Workspace) -> None:
    for section in TRAININGS:
        workspace.set(f"{section}.epochs", 1)
    assert changed_stages(workspace) == {
        *("train_full", "train_augmented", "train_mono@category1", "train_mono@brand", "train_past"),
        "report",  # it shows all parameters
    }


@pytest.mark.parametrize(
    ("key", "value", "stages"),
    [
        ("train_full.epochs", 1, {"train_full"}),
        ("train_augmented.groupings.number", 1, {"train_augmented", "train_past"}),
        ("train_mono.ranker.dropout", 0.0, {"train_mono@category1", "train_mono@brand"}),
    ],
)
def test_parameter_of_a_row_trains_no_other(
    workspace: Workspace, key: str, value: float, stages: set[str]
) -> None:
    workspace.set(key, value)
    assert changed_stages(workspace) == {*stages, "report"}


def test_tolerance_of_the_gate_reruns_nothing(workspace: Workspace) -> None:
    workspace.set("gate.tolerance.all", 0.5)
    assert changed_stages(workspace) == set()


def test_model_and_log_name_what_it_was_trained_with(finished: Workspace) -> None:
    for model, log in {
        "full": "full",
        "augmented": "augmented",
        "mono/brand": "mono_brand",
    }.items():
        section = f"train_{model.partition('/')[0]}"
        parameters = YAML(typ="safe", pure=True).load((finished.path / "params.yaml").read_text())[section]
        saved = json.loads((finished.path / f"models/{model}/model.json").read_text())
        assert saved["training"] == parameters
        logged = YAML(typ="safe").load((finished.path / f"plots/training/{log}/params.yaml").read_text())
        assert logged["epochs"] == parameters["epochs"]
        assert logged["optimizer.learning_rate"] == parameters["optimizer"]["learning_rate"]


def test_changed_raw_byte_is_noticed(workspace: Workspace) -> None:
    raw = workspace.path / "data/raw/complete_journey/products.parquet"
    content = bytearray(raw.read_bytes())
    content[len(content) // 2] ^= 1
    raw.unlink()  # may be a link into DVC's cache
    raw.write_bytes(content)
    assert "prepare" in changed_stages(workspace)


@pytest.mark.slow
def test_removed_task_leaves_no_row(workspace: Workspace) -> None:
    workspace.set("tasks", ["category1"])
    assert "removed the specialists of brand" in workspace.run("dvc", "repro").stdout
    wauc = json.loads((workspace.path / "metrics/wauc.json").read_text())
    assert list(wauc["all"]) == ["category1"]
    assert list(wauc["all"]["category1"]) == [*GENERALISTS, "mono_category1", *OTHERS]
    assert not any("brand" in stage for stage in workspace.lock())
    assert changed_stages(workspace) == set()


def test_a_model_of_no_task_is_refused_before_anything_is_run(workspace: Workspace) -> None:
    shutil.copytree(workspace.path / "models/mono/brand", workspace.path / "models/mono/mine")
    workspace.set("tasks", ["category1"])
    refused = workspace.run("dvc", "repro", check=False)
    assert refused.returncode != 0
    assert "Running stage 'prepare'" not in refused.stdout
    assert "holds models of ['mine']" in refused.stderr and "offerbench prune" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert "prune: removed mine" in workspace.run("python", "-m", "offerbench", "prune").stdout


def test_user_files_survive_a_failed_prepare(workspace: Workspace) -> None:
    raw = workspace.path / "data/raw/complete_journey"
    note = raw / "my_notes.txt"
    note.write_text("mine")
    (raw / "products.parquet").unlink()
    refused = workspace.run("dvc", "repro", "prepare", check=False)
    assert refused.returncode != 0
    assert "products.parquet: no such file" in refused.stderr and "make data" in refused.stderr
    assert note.read_text() == "mine"
    assert not list((workspace.path / "data").glob(".*")), "nothing half-written stays"


@pytest.mark.parametrize(
    "stage",
    [
        "validate",
        "prepare",
        "rebatch",
        "train train_full",
        "train train_augmented",
        "train train_mono category1",
        "group_test",
        "evaluate",
        "report",
    ],
)
def test_bad_parameter_stops_every_stage(workspace: Workspace, stage: str) -> None:
    workspace.set("report.tabel_decimals", 4)
    script, *arguments = stage.split()
    stopped = workspace.run("python", f"stages/{script}.py", *arguments, check=False)
    assert stopped.returncode == 2
    assert stopped.stderr.startswith("error: params.yaml: report.tabel_decimals: unknown key")
    assert "Traceback" not in stopped.stderr


def test_a_stage_that_is_run_several_times_at_once(workspace: Workspace) -> None:
    command = ["python", "stages/group_test.py"]
    before = {file.name: file.read_bytes() for file in (workspace.path / "data/group_test").iterdir()}
    running = [
        subprocess.Popen(
            command, cwd=workspace.path, env=workspace.environment, stderr=subprocess.PIPE, text=True
        )
        for _ in range(3)
    ]
    for process in running:
        errors = process.communicate()[1]
        assert process.returncode == 0, errors
    after = {file.name: file.read_bytes() for file in (workspace.path / "data/group_test").iterdir()}
    assert after == before
    assert not list((workspace.path / "data").glob(".*"))


def test_a_letter_that_the_terminal_does_not_have(workspace: Workspace) -> None:
    latin = Workspace(workspace.path, {**workspace.environment, "PYTHONIOENCODING": "ascii"})
    assert "?" in latin.run("python", "stages/report.py").stdout
    assert "±" in (workspace.path / "reports/wauc.md").read_text(encoding="utf-8")


def test_metrics_and_parameters_can_be_compared(workspace: Workspace) -> None:
    assert "headline.json" in workspace.run("dvc", "metrics", "show").stdout
    wauc = workspace.path / "metrics/wauc.json"
    wauc.write_text(wauc.read_text().replace('"full": 0.', '"full": 0.9'))
    changed = workspace.run("dvc", "metrics", "diff", "--targets", "metrics/wauc.json")
    assert "0.9" in changed.stdout
    workspace.set("train_full.epochs", 1)
    assert "train_full.epochs" in workspace.run("dvc", "params", "diff").stdout
    assert "evaluate" in workspace.run("dvc", "dag").stdout


@pytest.mark.slow
def test_experiment_leaves_raw_data_and_can_be_compared(workspace: Workspace) -> None:
    raw = workspace.path / "data/raw/complete_journey"
    before = {file.name: file.read_bytes() for file in raw.iterdir()}
    workspace.run("dvc", "exp", "run", "-S", "train_full.epochs=1")
    workspace.run("dvc", "checkout")
    assert {file.name: file.read_bytes() for file in raw.iterdir()} == before
    assert "train_full.epochs" in workspace.run("dvc", "exp", "show", "--csv").stdout
    assert "to_specialist" in workspace.run("dvc", "metrics", "diff").stdout
    plots = workspace.run("dvc", "plots", "diff")
    assert "failed" not in plots.stderr
    assert (workspace.path / "dvc_plots/index.html").exists()
