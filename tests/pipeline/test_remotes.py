"""Remotes of docs/remotes.md: what one checkout pushes, a fresh clone pulls and need not compute."""

import json
import os
import re
import shlex
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from moto.server import ThreadedMotoServer

from .conftest import REPOSITORY, Workspace

pytestmark = pytest.mark.pipeline

GUIDE = REPOSITORY / "docs/remotes.md"
RESULTS = ("metrics/wauc.json", "reports/wauc.md", "dvc.lock")


def run(workspace: Workspace, line: str, **places: str) -> str:
    for written, here in places.items():
        line = line.replace(written, here)
    return workspace.run(*shlex.split(line)).stdout


def clone(workspace: Workspace, path: Path) -> Workspace:
    workspace.run("git", "clone", "--quiet", str(workspace.path), str(path))
    return Workspace(path, {**workspace.environment, "PYTHONPATH": str(path / "src")})


def content(directory: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(directory)): file.read_bytes() for file in directory.rglob("*") if file.is_file()
    }


def assert_same_results(workspace: Workspace, other: Workspace) -> None:
    for name in ("data/raw", "data/prepared", "data/batches", "data/group_test", "models"):
        assert content(other.path / name) == content(workspace.path / name), name
    for name in RESULTS:
        assert (other.path / name).read_bytes() == (workspace.path / name).read_bytes(), name
    assert json.loads(run(other, "dvc status --json")) == {}
    assert "Running stage" not in run(other, "dvc repro")
    assert run(other, "git status --porcelain") == ""


@pytest.fixture
def storage(workspace: Workspace, tmp_path: Path) -> str:
    directory = str(tmp_path / "storage")
    run(workspace, "dvc remote add --default storage /mnt/offerbench", **{"/mnt/offerbench": directory})
    run(workspace, "git commit --all --message 'A remote'")
    return directory


def test_clone_pulls_everything_from_a_directory(workspace: Workspace, storage: str, tmp_path: Path) -> None:
    run(workspace, "dvc push")
    assert "in sync" in run(workspace, "dvc status --cloud")
    other = clone(workspace, tmp_path / "clone")
    assert not (other.path / "data/raw/complete_journey").exists()
    run(other, "dvc pull")
    assert_same_results(workspace, other)


def test_pull_of_one_stage_takes_its_outputs_only(workspace: Workspace, storage: str, tmp_path: Path) -> None:
    run(workspace, "dvc push")
    other = clone(workspace, tmp_path / "clone")
    run(other, "dvc pull train_full")
    assert content(other.path / "models") == {
        name: found for name, found in content(workspace.path / "models").items() if name.startswith("full/")
    }
    assert not (other.path / "data/prepared").exists()


@pytest.mark.slow
def test_clone_takes_runs_and_experiments_of_others(
    workspace: Workspace, storage: str, tmp_path: Path
) -> None:
    shared = tmp_path / "shared.git"
    workspace.run("git", "clone", "--quiet", "--bare", str(workspace.path), str(shared))
    workspace.run("git", "remote", "add", "origin", str(shared))
    run(workspace, "dvc push")
    run(workspace, "dvc exp run --name few-values --set-param group_test.values_per_feature=50")
    report = (workspace.path / "reports/wauc.md").read_bytes()
    run(workspace, "dvc push --run-cache")
    run(workspace, "dvc exp push origin few-values")

    other = clone(Workspace(shared, workspace.environment), tmp_path / "clone")
    run(other, "dvc pull --run-cache")
    other.set("group_test.values_per_feature", 50)
    assert "Stage 'group_test' is cached - skipping run" in run(other, "dvc repro --pull group_test")
    assert content(other.path / "data/group_test") == content(workspace.path / "data/group_test")

    run(other, "git restore .")
    run(other, "dvc exp pull origin few-values")
    run(other, "dvc exp apply few-values")
    assert (other.path / "reports/wauc.md").read_bytes() == report


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.mark.slow
def test_clone_pulls_everything_from_s3(workspace: Workspace, s3: str, tmp_path: Path) -> None:
    urllib.request.urlopen(urllib.request.Request(f"{s3}/bucket", method="PUT")).close()
    bare = {name: value for name, value in workspace.environment.items() if not name.startswith("AWS_")}
    alone = {**bare, "AWS_SHARED_CREDENTIALS_FILE": os.devnull, "AWS_EC2_METADATA_DISABLED": "true"}
    workspace = Workspace(workspace.path, alone)
    run(workspace, "dvc remote add --default storage s3://bucket/offerbench")
    run(workspace, "git commit --all --message 'A remote'")
    access(workspace, s3)
    run(workspace, "dvc push")
    other = clone(workspace, tmp_path / "clone")
    without = other.run("dvc", "pull", check=False)
    assert without.returncode != 0, "the clone has neither address nor keys"
    access(other, s3)
    run(other, "dvc pull")
    assert_same_results(workspace, other)


def access(workspace: Workspace, address: str) -> None:
    server = "http://localhost:9000"
    run(workspace, "dvc remote modify --local storage endpointurl http://localhost:9000", **{server: address})
    run(workspace, "dvc remote modify --local storage access_key_id KEY")
    run(workspace, "dvc remote modify --local storage secret_access_key SECRET")
    assert "SECRET" not in (workspace.path / ".dvc/config").read_text()
    assert run(workspace, "git status --porcelain") == "", "git ignores .dvc/config.local"


def test_every_command_of_the_guide_is_tested_here() -> None:
    blocks = re.findall(r"```console\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    lines = [line.partition("  #")[0].rstrip() for block in blocks for line in block.splitlines()]
    commands = [line for line in lines if line.startswith("dvc ")]
    tested = Path(__file__).read_text()
    assert len(commands) > 5
    assert [command for command in commands if f'"{command}"' not in tested] == []
