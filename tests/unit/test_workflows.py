"""GitHub's workflow files: valid by GitHub's schema, careful, and in step with the repository."""

import io
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

REPOSITORY = Path(__file__).parents[2]
FILES = sorted((REPOSITORY / ".github/workflows").glob("*.yml"))
SCHEMAS = ("vendor.github-workflows", "custom.github-workflows-require-timeout")
READ_ONLY = {"contents": "read"}
Steps = list[dict[str, Any]]


def read(file: Path) -> dict[str, Any]:
    return dict(YAML(typ="safe", pure=True).load(file.read_text(encoding="utf-8")))


def dump(workflow: dict[str, Any], target: Path) -> None:
    stream = io.StringIO()
    YAML().dump(workflow, stream)
    target.write_text(stream.getvalue())


def steps_of(workflow: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for job in workflow["jobs"].values():
        yield from job["steps"]


WORKFLOWS = {file.stem: read(file) for file in FILES}
SCRIPTS = [(name, step["run"]) for name in WORKFLOWS for step in steps_of(WORKFLOWS[name]) if "run" in step]
each_workflow = pytest.mark.parametrize("name", WORKFLOWS)


def validate(file: Path, schema: str) -> subprocess.CompletedProcess[str]:
    """Check a workflow file against a schema that check-jsonschema carries: needs no network."""
    words = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, str(file)]
    return subprocess.run(words, capture_output=True, text=True, check=False)


def test_the_workflows_are_there() -> None:
    assert set(WORKFLOWS) == {"pull_request", "nightly"}


@pytest.mark.parametrize("schema", SCHEMAS)
@each_workflow
def test_valid_by_the_schema(name: str, schema: str) -> None:
    done = validate(REPOSITORY / f".github/workflows/{name}.yml", schema)
    assert done.returncode == 0, done.stdout + done.stderr


def wrong_runner(workflow: dict[str, Any], job: dict[str, Any]) -> None:
    job["runs_on"] = job.pop("runs-on")


def wrong_permission(workflow: dict[str, Any], job: dict[str, Any]) -> None:
    workflow["permissions"] = {"contents": "reed"}


def no_trigger(workflow: dict[str, Any], job: dict[str, Any]) -> None:
    del workflow["on"]


def unknown_event(workflow: dict[str, Any], job: dict[str, Any]) -> None:
    workflow["on"] = {"pull_requests": None}


def wrong_key_of_a_step(workflow: dict[str, Any], job: dict[str, Any]) -> None:
    job["steps"][0]["use"] = job["steps"][0].pop("uses")


BREAKS = [wrong_runner, wrong_permission, no_trigger, unknown_event, wrong_key_of_a_step]


@pytest.mark.parametrize("break_it", BREAKS)
def test_a_broken_workflow_is_noticed(
    tmp_path: Path, break_it: Callable[[dict[str, Any], dict[str, Any]], None]
) -> None:
    workflow = read(FILES[0])
    file = tmp_path / "workflow.yml"
    dump(workflow, file)
    assert validate(file, SCHEMAS[0]).returncode == 0
    break_it(workflow, next(iter(workflow["jobs"].values())))
    dump(workflow, file)
    assert validate(file, SCHEMAS[0]).returncode == 1


@each_workflow
def test_no_more_rights_than_it_needs(name: str) -> None:
    workflow = WORKFLOWS[name]
    assert workflow["permissions"] == READ_ONLY
    for job in workflow["jobs"].values():
        comments = any("cml comment" in step.get("run", "") for step in job["steps"])
        needed = {**READ_ONLY, "pull-requests": "write"} if comments else READ_ONLY
        assert job.get("permissions", READ_ONLY) == needed
    for step in steps_of(workflow):
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False


@each_workflow
def test_runs_do_not_pile_up(name: str) -> None:
    assert WORKFLOWS[name]["concurrency"]["cancel-in-progress"] is True
    assert "${{" in WORKFLOWS[name]["concurrency"]["group"]


@each_workflow
def test_actions_are_pinned_to_a_major_version(name: str) -> None:
    actions = [step["uses"] for step in steps_of(WORKFLOWS[name]) if "uses" in step]
    assert actions and all(re.fullmatch(r"[\w-]+/[\w-]+@v\d+", action) for action in actions)


@each_workflow
def test_the_python_is_that_of_the_project_and_its_downloads_are_kept(name: str) -> None:
    for job in WORKFLOWS[name]["jobs"].values():
        (python,) = [step["with"] for step in job["steps"] if "setup-python@" in step.get("uses", "")]
        assert python["python-version"] == "3.11"
        assert (python["cache"], python["cache-dependency-path"]) == ("pip", "requirements.lock")


@pytest.mark.parametrize(("name", "script"), SCRIPTS)
def test_a_script_can_be_read_by_the_shell_and_takes_no_text_of_strangers(name: str, script: str) -> None:
    checked = subprocess.run(["bash", "-n", "-c", script], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    assert "${{" not in script, "a branch's name would be run: hand it over in env"


def test_every_make_target_is_in_the_makefile() -> None:
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    named = {target for _, script in SCRIPTS for target in re.findall(r"\bmake ([a-z-]+)", script)}
    assert {"setup", "lint", "test", "data", "repro"} <= named <= targets


def test_every_module_exists() -> None:
    named = {
        module for _, script in SCRIPTS for module in re.findall(r"python -m (offerbench[\w.]*)", script)
    }
    assert named == {"offerbench.regression"}
    for module in named:
        spec = find_spec(module)
        assert spec is not None
        assert spec.submodule_search_locations is None or find_spec(f"{module}.__main__") is not None


def position(steps: Steps, words: str) -> int:
    """Where the one step stands whose script has `words`."""
    (found,) = [at for at, step in enumerate(steps) if words in step.get("run", "")]
    return found


def test_the_gate_fails_the_job_and_the_comment_is_posted_all_the_same() -> None:
    steps: Steps = WORKFLOWS["pull_request"]["jobs"]["results"]["steps"]
    gate = position(steps, "python -m offerbench.regression")
    assert "continue-on-error" not in steps[gate] and "if" not in steps[gate]
    assert position(steps, "dvc repro") < gate < position(steps, "dvc metrics diff --md")
    comment = position(steps, "cml comment create")
    assert comment == len(steps) - 1
    for step in steps[gate + 1 :]:
        assert "!cancelled() && steps.gate.outcome != 'skipped'" in step["if"]
    assert steps[gate]["id"] == "gate"
    assert "head.repo.full_name == github.repository" in steps[comment]["if"]


def test_the_job_of_the_gate_has_the_base_branch() -> None:
    job = WORKFLOWS["pull_request"]["jobs"]["results"]
    (checkout,) = [step for step in job["steps"] if step.get("uses", "").startswith("actions/checkout@")]
    assert checkout["with"]["fetch-depth"] == 0
    assert job["env"]["BASELINE"] == "origin/${{ github.base_ref }}"


def test_the_nightly_run_compares_two_whole_runs() -> None:
    nightly = WORKFLOWS["nightly"]
    assert nightly["on"]["schedule"]
    steps: Steps = nightly["jobs"]["reproduce"]["steps"]
    second = position(steps, "dvc repro --force")
    assert position(steps, "make repro") < second
    lines = steps[second]["run"].splitlines()
    assert lines == ["git add dvc.lock", "dvc repro --force", "git diff --exit-code dvc.lock"]
    (upload,) = [step for step in steps if "upload-artifact@" in step.get("uses", "")]
    assert "reports/" in upload["with"]["path"] and "cancelled()" in upload["if"]
