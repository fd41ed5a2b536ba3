"""A disk that is full or may not be written: one clear message, nothing half-written, then the same bytes."""

import os
import resource
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ..pipeline.conftest import Workspace, environment_of
from .conftest import Undisturbed

pytestmark = pytest.mark.pipeline


def run_privileged(*command: str) -> None:
    """Run a command of root's, or skip the test where it is not allowed."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"{' '.join(command)}: {done.stderr.strip()}")


@contextmanager
def small_disk(directory: Path, size: str) -> Iterator[None]:
    """Mount a disk in memory at `directory`."""
    if os.geteuid():
        pytest.skip("only root can mount a small disk")
    directory.mkdir(exist_ok=True)
    run_privileged("mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(directory))
    try:
        yield
    finally:
        subprocess.run(["umount", str(directory)], check=True)


@contextmanager
def read_only(path: Path) -> Iterator[None]:
    """Forbid changes of a file or directory, to root too."""
    if os.geteuid():
        mode = path.stat().st_mode
        path.chmod(mode & ~0o222)
        restore: Callable[[], object] = lambda: path.chmod(mode)  # noqa: E731
    else:
        if shutil.which("chattr") is None:
            pytest.skip("root writes to read-only files, and there is no chattr to forbid it")
        run_privileged("chattr", "+i", str(path))
        restore = lambda: subprocess.run(["chattr", "-i", str(path)], check=True)  # noqa: E731
    try:
        yield
    finally:
        restore()


def message(stderr: str) -> str:
    """The one line of a stage that failed."""
    assert "Traceback" not in stderr, stderr
    lines = [line for line in stderr.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1, stderr
    return lines[0]


def assert_same_bytes(workspace: Workspace, undisturbed: Undisturbed, stage: str) -> None:
    """Run `stage` again and compare what it made, and that it left nothing else."""
    workspace.run("dvc", "repro", stage)
    assert workspace.lock()[stage] == undisturbed.workspace.lock()[stage]
    assert not list((workspace.path / "data").glob(".*"))
    assert not list((workspace.path / "models").glob("**/.*"))


# A training's log opens DVC's own database before anything else is written.
@pytest.mark.parametrize(
    ("stage", "script", "fault"),
    [
        ("prepare", "stages/prepare.py", "File too large"),
        ("rebatch", "stages/rebatch.py", "File too large"),
        ("train_full", "stages/train.py train_full", "DVC's database"),
    ],
)
def test_a_limit_of_file_sizes(
    undisturbed: Undisturbed, before: Callable[[str], Workspace], stage: str, script: str, fault: str
) -> None:
    workspace = before(stage)
    limit = 4096
    stopped = subprocess.run(
        ["python", *script.split()],
        cwd=workspace.path,
        env=environment_of(workspace.path),  # a fork would not have the limit
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )
    assert stopped.returncode == 2, stopped.stderr
    assert fault in message(stopped.stderr)
    assert_same_bytes(workspace, undisturbed, stage)


def test_a_full_disk(undisturbed: Undisturbed, before: Callable[[str], Workspace]) -> None:
    workspace = before("train_full")
    with small_disk(workspace.path / "models", "16k"):
        stopped = workspace.run("dvc", "repro", check=False)
        assert stopped.returncode
        assert "No space left on device" in message(stopped.stderr)
        assert list((workspace.path / "models").rglob("*.*")) == [], "nothing half-written stays"
    assert list(workspace.path.glob("data/checkpoints/*/epoch_*")), "the training itself is not lost"
    assert_same_bytes(workspace, undisturbed, "train_full")


def test_a_directory_that_may_not_be_written(
    undisturbed: Undisturbed, before: Callable[[str], Workspace]
) -> None:
    workspace = before("group_test")
    with read_only(workspace.path / "data"):
        stopped = workspace.run("dvc", "repro", check=False)
        assert stopped.returncode
        assert "data" in message(stopped.stderr) and "right to write" in message(stopped.stderr)
    assert_same_bytes(workspace, undisturbed, "group_test")


def test_a_file_that_may_not_be_written(undisturbed: Undisturbed, before: Callable[[str], Workspace]) -> None:
    workspace = before("evaluate")
    target = workspace.path / "metrics/summary.json"
    target.write_text("{}")
    with read_only(target):
        stopped = workspace.run("dvc", "repro", check=False)  # DVC can't remove it either
        assert stopped.returncode
        assert "summary.json" in stopped.stderr
        assert "Traceback" not in stopped.stderr
    assert_same_bytes(workspace, undisturbed, "evaluate")


def test_a_damaged_model_is_named(undisturbed: Undisturbed, before: Callable[[str], Workspace]) -> None:
    workspace = before("evaluate")
    weights = workspace.path / "models/mono/brand/weights.safetensors"
    content = weights.read_bytes()
    weights.unlink()  # may be a link into DVC's cache
    weights.write_bytes(content[: len(content) // 2])
    stopped = workspace.run("python", "stages/evaluate.py", check=False)
    assert stopped.returncode == 2
    assert "models/mono/brand/weights.safetensors: damaged" in message(stopped.stderr)
    assert_same_bytes(workspace, undisturbed, "evaluate")
