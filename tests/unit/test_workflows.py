"""GitHub's workflow files: valid by GitHub's schema, careful, and in step with the repository."""

import copy
import io
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from typer.main import get_command

from offerbench import cli

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
        comments = any("gh pr comment" in step.get("run", "") for step in job["steps"])
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
def test_actions_are_pinned_by_hash_and_name_their_version(name: str) -> None:
    text = (REPOSITORY / f".github/workflows/{name}.yml").read_text(encoding="utf-8")
    lines = [line.partition("uses: ")[2] for line in text.splitlines() if "uses: " in line]
    assert len(lines) == len([step for step in steps_of(WORKFLOWS[name]) if "uses" in step]) > 1
    assert all(re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line) for line in lines)


def audit(*files: Path) -> subprocess.CompletedProcess[str]:
    """What zizmor finds in workflow files without network."""
    zizmor = Path(sys.executable).with_name("zizmor")
    words = [str(zizmor), "--offline", "--persona=pedantic", "--no-config", *map(str, files)]
    return subprocess.run(words, capture_output=True, text=True, check=False)


def test_zizmor_finds_nothing() -> None:
    done = audit(*FILES)
    assert done.returncode == 0, done.stdout + done.stderr


def not_pinned(job: dict[str, Any]) -> None:
    job["steps"][0]["uses"] = "actions/checkout@v5"


def keeps_the_token(job: dict[str, Any]) -> None:
    del job["steps"][0]["with"]["persist-credentials"]


def runs_a_strangers_title(job: dict[str, Any]) -> None:
    job["steps"].append({"run": "echo ${{ github.event.pull_request.title }}"})


def may_write_all(job: dict[str, Any]) -> None:
    job["permissions"] = "write-all"


@pytest.mark.parametrize("weaken", [not_pinned, keeps_the_token, runs_a_strangers_title, may_write_all])
def test_zizmor_notices_a_danger(tmp_path: Path, weaken: Callable[[dict[str, Any]], None]) -> None:
    (tmp_path / ".github/workflows").mkdir(parents=True)
    workflow = copy.deepcopy(WORKFLOWS["pull_request"])
    weaken(workflow["jobs"]["check"])
    dump(workflow, tmp_path / ".github/workflows/pull_request.yml")
    assert audit(tmp_path / ".github/workflows/pull_request.yml").returncode > 10


STACKS = [{"python": "3.11", "venv": ".venv"}, {"python": "3.13", "venv": ".venv313"}]
ON_BOTH_STACKS = {("pull_request", "check"), ("nightly", "tests")}


@each_workflow
def test_tests_run_on_both_stacks_and_results_are_those_of_the_pinned_one(name: str) -> None:
    for job_name, job in WORKFLOWS[name]["jobs"].items():
        (python,) = [step["with"] for step in job["steps"] if "setup-python@" in step.get("uses", "")]
        assert (python["cache"], python["cache-dependency-path"]) == ("pip", "requirements.lock")
        if (name, job_name) in ON_BOTH_STACKS:
            assert job["strategy"] == {"fail-fast": False, "matrix": {"include": STACKS}}
            assert python["python-version"] == "${{ matrix.python }}"
            # make takes both from the environment.
            wanted = {"PYTHON": "python${{ matrix.python }}", "VENV": "${{ matrix.venv }}"}
            assert wanted.items() <= job["env"].items()
        else:
            assert "strategy" not in job and not {"PYTHON", "VENV"} & set(job.get("env", {}))
            assert python["python-version"] == STACKS[0]["python"]


@pytest.mark.parametrize(("name", "script"), SCRIPTS)
def test_a_script_can_be_read_by_the_shell_and_takes_no_text_of_strangers(name: str, script: str) -> None:
    checked = subprocess.run(["bash", "-n", "-c", script], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    assert "${{" not in script, "a branch's name would be run: hand it over in env"


def made(script: str) -> list[str]:
    """The targets that a script makes, in its order."""
    lines = [line for line in script.splitlines() if not line.startswith("#")]
    return [
        target
        for line in lines
        for words in re.findall(r"\bmake ([a-z -]+)", line)
        for target in words.split()
    ]


def test_every_make_target_is_in_the_makefile() -> None:
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    named = {target for _, script in SCRIPTS for target in made(script)}
    assert {"setup", "data", "repro", "test-all"} <= named <= targets


def test_a_pull_request_runs_what_ci_runs() -> None:
    scripts = [step["run"] for step in WORKFLOWS["pull_request"]["jobs"]["check"]["steps"] if "run" in step]
    assert scripts == ["make setup", ".ci/run"]
    targets = made((REPOSITORY / ".ci/run").read_text(encoding="utf-8"))
    assert targets == ["lint", "test", "test-pipeline", "setup-spark", "test-spark"]


@pytest.mark.parametrize(
    ("targets", "expected"),
    [
        (["test-all", "test-spark"], ["(pipeline or slow) and not spark"]),
        (
            ["test-pipeline", "test-slow", "test-spark"],
            ["pipeline and not slow and not spark", "slow and not spark"],
        ),
    ],
    ids=["together", "by kind"],
)
def test_all_tests_are_run_and_none_twice(targets: list[str], expected: list[str]) -> None:
    # A dry run: what make would do for all targets that test, in one make.
    words = ["make", "--dry-run", "--always-make", "lint", "test", *targets]
    done = subprocess.run(words, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    runs = [shlex.split(line) for line in done.stdout.splitlines() if line.startswith("python -m pytest")]
    selections = [words[words.index("-m", 3) + 1] for words in runs]
    assert selections == ["not slow and not pipeline and not spark", *expected, "spark"]


def test_every_command_and_its_options_exist() -> None:
    commands = get_command(cli.application).commands
    lines = [line for _, script in SCRIPTS for line in script.splitlines() if "offerbench " in line]
    named = set()
    for line in lines:
        verb, *arguments = shlex.split(line.partition("offerbench ")[2].partition(">")[0])
        commands[verb].make_context(verb, arguments, resilient_parsing=False)  # refuses unknown options
        named.add(verb)
    assert named == {"gate"}
    assert not any("python -m offerbench" in script for _, script in SCRIPTS)


def position(steps: Steps, words: str) -> int:
    """Where the one step stands whose script has `words`."""
    (found,) = [at for at, step in enumerate(steps) if words in step.get("run", "")]
    return found


def test_the_gate_fails_the_job_and_the_comment_is_posted_all_the_same() -> None:
    steps: Steps = WORKFLOWS["pull_request"]["jobs"]["results"]["steps"]
    gate = position(steps, 'offerbench gate --baseline "$BASELINE"')
    assert "continue-on-error" not in steps[gate] and "if" not in steps[gate]
    assert position(steps, "dvc repro --force") < gate < position(steps, "dvc metrics diff --md")
    comment = position(steps, "gh pr comment")
    assert comment == len(steps) - 1
    for step in steps[gate + 1 :]:
        assert "!cancelled() && steps.gate.outcome != 'skipped'" in step["if"]
    assert steps[gate]["id"] == "gate"
    assert "head.repo.full_name == github.repository" in steps[comment]["if"]


def test_what_was_committed_is_measured_anew_before_it_is_compared() -> None:
    steps: Steps = WORKFLOWS["pull_request"]["jobs"]["results"]["steps"]
    anew = position(steps, "dvc repro --force --single-item evaluate")
    gate = position(steps, 'offerbench gate --baseline "$BASELINE"')
    committed = position(steps, "offerbench gate --baseline HEAD --tolerance")
    release = position(steps, 'offerbench gate --baseline "$release"')
    assert position(steps, "dvc pull") < anew < gate
    assert gate < committed < release < position(steps, "cat gate.md")
    assert not any("continue-on-error" in step for step in steps)


RELEASE = next(
    step["run"]
    for step in WORKFLOWS["pull_request"]["jobs"]["results"]["steps"]
    if "last release" in step.get("name", "")
)


@pytest.mark.parametrize(("tag", "gate", "status"), [(False, 1, 0), (True, 0, 0), (True, 1, 1), (True, 2, 0)])
def test_a_fall_below_the_last_release_fails_and_another_set_up_does_not(
    tmp_path: Path, tag: bool, gate: int, status: int
) -> None:
    program = tmp_path / "bin/offerbench"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho "$@"\nexit {gate}\n')
    program.chmod(0o755)
    identity = ["-c", "user.name=test", "-c", "user.email=test@localhost"]
    for words in (["init", "-q"], [*identity, "commit", "-q", "--allow-empty", "-m", "x"]):
        subprocess.run(["git", *words], cwd=tmp_path, check=True)
    if tag:
        subprocess.run(["git", *identity, "tag", "-a", "v1", "-m", "x"], cwd=tmp_path, check=True)
    environment = {**os.environ, "PATH": f"{program.parent}:{os.environ['PATH']}", "BASELINE": "HEAD"}
    words = ["bash", "-e", "-o", "pipefail", "-c", RELEASE]
    done = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == status, done.stderr
    assert ("::warning::" in done.stdout) == (gate == 2)
    written = (tmp_path / "release.md").read_text()
    assert written == ("gate --baseline v1 --markdown\n" if tag else "No release yet.\n")


@pytest.mark.parametrize(("name", "job"), [("pull_request", "results"), ("nightly", "reproduce")])
def test_dvc_of_a_job_keeps_its_site_cache_in_the_checkout(name: str, job: str) -> None:
    steps: Steps = WORKFLOWS[name]["jobs"][job]["steps"]
    line = 'echo "DVC_SITE_CACHE_DIR=$PWD/.dvc/tmp/site_cache" >> "$GITHUB_ENV"'
    set_at = position(steps, line)
    used = [
        at for at, step in enumerate(steps) if re.search(r"^ *(dvc|if .*dvc) ", step.get("run", ""), re.M)
    ]
    assert used and set_at < min(used)


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


def test_the_nightly_run_has_all_tests_and_many_kills() -> None:
    (step,) = [step for step in WORKFLOWS["nightly"]["jobs"]["tests"]["steps"] if "run" in step]
    assert step["run"] == "make test-all"
    assert int(step["env"]["OFFERBENCH_KILLS"]) >= 30


def hooks() -> dict[str, dict[str, Any]]:
    repositories = read(REPOSITORY / ".pre-commit-config.yaml")["repos"]
    return {hook["id"]: hook for repository in repositories for hook in repository["hooks"]}


def test_the_hooks_are_valid_and_check_the_workflows() -> None:
    words = [sys.executable, "-m", "pre_commit", "validate-config", ".pre-commit-config.yaml"]
    assert subprocess.run(words, cwd=REPOSITORY, check=False).returncode == 0
    assert {"workflows", "workflows-timeout", "zizmor", "actionlint"} <= set(hooks())


@pytest.mark.parametrize("name", ["parameters", "workflows", "workflows-timeout", "zizmor"])
def test_a_hook_passes_on_its_files(name: str) -> None:
    hook = hooks()[name]
    listed = subprocess.run(
        ["git", "ls-files"], cwd=REPOSITORY, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    files = [file for file in listed if re.search(hook["files"], file)]
    assert len(files) > 1
    command, *options = hook["entry"].split()
    program = Path(sys.executable).with_name(Path(command).name)
    words = [str(program), *options, *files]
    done = subprocess.run(words, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
