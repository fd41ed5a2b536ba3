"""A directory to run stages in, and the names of the tests here."""

import subprocess
import sys
from pathlib import Path

import pytest

from .. import remembered_yaml
from .stage import REPOSITORY, Bench

HERE = Path(__file__).parent
COLLECTED = pytest.StashKey[set[str]]()


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Bench:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["stage"])
    monkeypatch.setattr("offerbench.parameters.parse_yaml", remembered_yaml.parsed)
    return Bench(tmp_path, capsys)


@pytest.hookimpl(tryfirst=True)  # before any test is deselected
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Remember the tests here, if this run has been asked for all of them."""
    places = [config.invocation_params.dir / argument for argument in config.args]
    if any(place.is_dir() and HERE.is_relative_to(place) for place in places):
        config.stash[COLLECTED] = {item.nodeid for item in items if item.path.is_relative_to(HERE)}


@pytest.fixture(scope="session")
def collected(pytestconfig: pytest.Config) -> set[str]:
    """The tests here, as pytest names them."""
    if COLLECTED in pytestconfig.stash:
        return pytestconfig.stash[COLLECTED]
    listed = subprocess.run(
        [sys.executable, "-m", "pytest", "tests/bad_input", "--collect-only", "-qo", "addopts="],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    return {line for line in listed.stdout.splitlines() if "::" in line}
