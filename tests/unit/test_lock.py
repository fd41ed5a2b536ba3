"""One lock file for both stacks: the Python picks the stack (docs/stacks.md)."""

import re
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

REPOSITORY = Path(__file__).parents[2]
LOCK = (REPOSITORY / "requirements.lock").read_text(encoding="utf-8")
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PYTHONS = ["3.11", "3.12", "3.13"]


def environment(python: str) -> dict[str, str]:
    """What markers see on Linux."""
    return {
        "python_version": python,
        "python_full_version": f"{python}.7",
        "sys_platform": "linux",
        "platform_system": "Linux",
        "platform_machine": "x86_64",
        "platform_python_implementation": "CPython",
        "implementation_name": "cpython",
        "os_name": "posix",
    }


def chosen(requirements: list[str], python: str) -> list[Requirement]:
    """Those whose marker holds."""
    parsed = map(Requirement, requirements)
    return [each for each in parsed if each.marker is None or each.marker.evaluate(environment(python))]


def locked(python: str) -> dict[str, str]:
    """Version of each package that a Python installs; each must be named once."""
    lines = [line.removesuffix(" \\") for line in LOCK.splitlines() if re.match(r"[a-z0-9]", line)]
    packages = [(each.name, next(iter(each.specifier)).version) for each in chosen(lines, python)]
    assert len(dict(packages)) == len(packages) > 150
    return dict(packages)


@pytest.mark.parametrize("python", PYTHONS)
def test_the_lock_has_what_the_project_asks_for(python: str) -> None:
    extras = [
        name
        for extra, names in PROJECT["optional-dependencies"].items()
        for name in names
        if extra != "spark"  # has a lock of its own
    ]
    versions = locked(python)
    wanted = chosen([*PROJECT["dependencies"], *extras], python)
    assert len({each.name for each in wanted}) == len(wanted), "no package twice for one Python"
    for each in wanted:
        assert each.specifier.contains(versions[canonicalize_name(each.name)]), str(each)
    assert f"{python}.7" in SpecifierSet(PROJECT["requires-python"])


def test_spark_has_a_lock_of_its_own_with_what_its_extra_asks_for() -> None:
    lines = (REPOSITORY / "requirements-spark.lock").read_text(encoding="utf-8").splitlines()
    packages = [Requirement(line.removesuffix(" \\")) for line in lines if re.match(r"[a-z0-9]", line)]
    versions = {each.name: next(iter(each.specifier)).version for each in packages}
    for wanted in map(Requirement, PROJECT["optional-dependencies"]["spark"]):
        assert wanted.specifier.contains(versions[wanted.name])
    shared = {name: version for name, version in versions.items() if name in locked("3.11")}
    assert shared.items() <= locked("3.11").items(), "one environment has both"


def test_the_python_picks_the_stack() -> None:
    pinned, current = locked("3.11"), locked("3.13")
    assert (pinned["tensorflow"], pinned["tensorflow-addons"]) == ("2.15.1", "0.23.0")
    assert "tensorflow-addons" not in current
    assert locked("3.12") == current
    older = {"tensorflow": 2, "keras": 3, "numpy": 2, "pandas": 3, "protobuf": 5, "pyarrow": 26}
    for name, major in older.items():
        assert int(pinned[name].partition(".")[0]) < major or name == "tensorflow", name
        assert int(current[name].partition(".")[0]) >= major, name
    same = {name for name in pinned if pinned[name] == current.get(name)}
    assert len(same) > 0.85 * len(pinned), "the stacks differ in what TensorFlow holds back alone"


def test_every_package_has_hashes_and_no_index_is_named() -> None:
    blocks = re.split(r"(?m)^(?=[a-z0-9])", LOCK)[1:]
    assert all("--hash=sha256:" in block for block in blocks)
    assert "://" not in LOCK


def test_what_is_installed_is_what_the_lock_has_for_this_python() -> None:
    versions = locked(f"{sys.version_info.major}.{sys.version_info.minor}")
    # The first of a name is what is imported; setuptools puts older ones of its own at the end of the path.
    installed: dict[str, str] = {}
    for each in metadata.distributions():
        installed.setdefault(canonicalize_name(each.name), each.version)
    assert {name: installed.get(name) for name in versions} == versions
