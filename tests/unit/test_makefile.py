"""What `make` does before all else: locked packages, built by locked tools; DVC's caches in the checkout."""

import os
import re
import shlex
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]


def planned(*words: str) -> list[str]:
    """The lines that make would run."""
    words = ("make", "--dry-run", "--always-make", *words)
    done = subprocess.run(words, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    return done.stdout.replace("\\\n", " ").splitlines()


def installs(environment: Path) -> list[list[str]]:
    lines = planned("setup", f"VENV={environment}")
    return [shlex.split(line) for line in lines if " -m pip install" in line]


def test_everything_is_installed_by_hash_and_nothing_is_built_with_what_pip_fetches(tmp_path: Path) -> None:
    tools, packages, own = installs(tmp_path)
    assert tools[-1] == f"{tmp_path}/build-tools.lock"
    assert packages[-1] == "requirements.lock"
    assert own[-2:] == ["--editable", "."]
    for words in (tools, packages):
        assert {"--require-hashes", "--no-deps"} <= set(words)
    for words in (packages, own):
        assert "--no-build-isolation" in words


def test_the_build_tools_are_those_of_the_lock_file(tmp_path: Path) -> None:
    (line,) = [
        line for line in planned("setup", f"VENV={tmp_path}") if "build-tools.lock" in line and "sed" in line
    ]
    subprocess.run(["sh", "-c", line.removeprefix("@")], cwd=REPOSITORY, check=True)
    tools = (tmp_path / "build-tools.lock").read_text()
    assert tools in "".join(re.findall(r"(?ms)^(?:setuptools|wheel)==.*?# via[^\n]*\n", locked()))
    found = re.findall(r"^([a-z0-9-]+)==[\w.]+ \\$", tools, re.MULTILINE)
    assert found == ["setuptools", "wheel"]
    assert len(re.findall(r"--hash=sha256:[0-9a-f]{64}", tools)) >= 2
    wanted = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["build-system"]["requires"]
    assert {re.split(r"[<>=~! ]", name)[0] for name in wanted} <= set(found)


def locked() -> str:
    return (REPOSITORY / "requirements.lock").read_text()


@pytest.mark.parametrize("target", ["setup", "data", "repro"])
def test_dvc_keeps_its_site_cache_in_the_checkout_for_the_user_alone(target: str) -> None:
    words = ["make", "--no-print-directory", "--eval", "show: ; @echo $$DVC_SITE_CACHE_DIR", "show"]
    done = subprocess.run(words, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert done.stdout == f"{REPOSITORY}/.dvc/tmp/site_cache\n"
    lines = planned(target)
    made = next(at for at, line in enumerate(lines) if "mkdir -p -m 700" in line and "site_cache" in line)
    assert all("dvc " not in line or "DVC_SITE" in line for line in lines[:made])


def test_nothing_that_dvc_unpickles_is_committed() -> None:
    words = ["git", "ls-files", ".dvc"]
    done = subprocess.run(words, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) == {".dvc/.gitignore", ".dvc/config"}


def test_a_tree_without_git_is_told_so_before_anything_is_installed(tmp_path: Path) -> None:
    shutil.copy(REPOSITORY / "Makefile", tmp_path)
    environment = {name: value for name, value in os.environ.items() if name != "GIT_DIR"}
    environment["GIT_CEILING_DIRECTORIES"] = str(tmp_path.parent)
    words = ["make", "--no-print-directory", "repro", "PYTHON=false"]
    done = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert done.stderr.startswith("This directory is in no git repository, and DVC needs one. Get offerbench")
    assert [path.name for path in tmp_path.iterdir()] == ["Makefile"]
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    for name in ("requirements.lock", "pyproject.toml"):
        shutil.copy(REPOSITORY / name, tmp_path)
    done = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert "git" not in done.stderr and "needs Python 3.11" in done.stderr
