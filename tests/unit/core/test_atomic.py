"""An atomic write is there whole or not at all."""

import os
import shutil
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from offerbench.core.atomic import PARTIAL, atomic_directory, atomic_file, temporary_directory

from .directory import names

REPOSITORY = Path(__file__).parents[3]


class Interrupted(BaseException):
    """Not an Exception, as KeyboardInterrupt is not."""


def test_an_atomic_file_takes_its_name_on_success(tmp_path: Path) -> None:
    target = tmp_path / "new" / "table.csv"
    for content in ("first", "second"):  # made, then replaced
        with atomic_file(target) as temporary:
            assert temporary.suffix == ".csv"
            temporary.write_text(content)
            assert not target.exists() or target.read_text() == "first"
        assert target.read_text() == content
    assert names(target.parent) == ["table.csv"]


def test_an_atomic_file_does_not_write_into_the_old_file(tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text("old")
    with (tmp_path / "table.csv").open() as reader:
        with atomic_file(tmp_path / "table.csv") as temporary:
            temporary.write_text("new")
        assert reader.read() == "old"  # who has it open, or mapped, keeps what it had


@pytest.mark.parametrize("error", [ValueError, Interrupted])
def test_an_atomic_file_leaves_nothing_behind_on_failure(tmp_path: Path, error: type[BaseException]) -> None:
    with pytest.raises(error), atomic_file(tmp_path / "table.csv") as temporary:
        temporary.write_text("half")
        raise error
    assert names(tmp_path) == []


def test_an_atomic_file_keeps_the_old_file_on_failure(tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text("old")
    with pytest.raises(ValueError, match="stop"), atomic_file(tmp_path / "table.csv") as temporary:
        temporary.write_text("half")
        raise ValueError("stop")
    assert names(tmp_path) == ["table.csv"]
    assert (tmp_path / "table.csv").read_text() == "old"


def test_an_atomic_directory_takes_its_name_on_success(tmp_path: Path) -> None:
    target = tmp_path / "new" / "prepared"
    for file in ("first", "second"):  # made, then replaced
        with atomic_directory(target) as temporary:
            assert temporary.parent == target.parent
            (temporary / file).write_text(file)
        assert names(target) == [file]
    assert names(target.parent) == ["prepared"]
    assert stat.S_IMODE(target.stat().st_mode) == 0o755  # not the 0o700 of a temporary directory


@pytest.mark.parametrize("error", [ValueError, Interrupted])
def test_an_atomic_directory_leaves_nothing_behind_on_failure(
    tmp_path: Path, error: type[BaseException]
) -> None:
    with pytest.raises(error), atomic_directory(tmp_path / "prepared") as temporary:
        (temporary / "half").mkdir()
        raise error
    assert names(tmp_path) == []


def test_an_atomic_directory_keeps_the_old_one_on_failure(tmp_path: Path) -> None:
    (tmp_path / "prepared").mkdir()
    (tmp_path / "prepared" / "old").write_text("old")
    with pytest.raises(ValueError, match="stop"), atomic_directory(tmp_path / "prepared") as temporary:
        (temporary / "half").write_text("half")
        raise ValueError("stop")
    assert names(tmp_path) == ["prepared"]
    assert names(tmp_path / "prepared") == ["old"]


def test_an_atomic_directory_removes_what_a_killed_run_left(tmp_path: Path) -> None:
    (tmp_path / ".partial.prepared.abc123").mkdir()
    (tmp_path / ".partial.prepared.abc123" / "half").write_text("half")
    (tmp_path / ".partial.other.abc123").mkdir()
    with atomic_directory(tmp_path / "prepared"):
        assert not (tmp_path / ".partial.prepared.abc123").exists()
    assert names(tmp_path) == [".partial.other.abc123", "prepared"]


def test_what_a_running_process_writes_is_left_alone(tmp_path: Path) -> None:
    with atomic_directory(tmp_path / "prepared") as first:
        (first / "first").touch()
        with atomic_directory(tmp_path / "prepared") as second:
            (second / "second").touch()
            assert (first / "first").exists()
        assert names(tmp_path / "prepared") == ["second"]
    assert names(tmp_path / "prepared") == ["first"]
    assert names(tmp_path) == ["prepared"]


WRITER = """
import sys
from pathlib import Path
from offerbench.core.atomic import PARTIAL, atomic_directory, atomic_file, temporary_directory
for turn in range(40):
    with atomic_directory(Path("offers")) as directory:
        for name in "abc":
            (directory / name).write_text(sys.argv[1])
    with atomic_file(Path("table.json")) as temporary:
        temporary.write_text(sys.argv[1] * 3)
"""


def test_several_processes_write_the_same_at_the_same_time(tmp_path: Path) -> None:
    words = [sys.executable, "-c", WRITER]
    running = [
        subprocess.Popen([*words, name], cwd=tmp_path, stderr=subprocess.PIPE, text=True) for name in "123"
    ]
    for process in running:
        errors = process.communicate()[1]
        assert process.returncode == 0, errors
    assert names(tmp_path) == ["offers", "table.json"]
    contents = {file.read_text() for file in (tmp_path / "offers").iterdir()}
    assert len(contents) == 1 and names(tmp_path / "offers") == ["a", "b", "c"]
    assert (tmp_path / "table.json").read_text() in {"111", "222", "333"}


KILLED = """
import os, signal
from pathlib import Path
from offerbench.core.atomic import atomic_directory, atomic_file, temporary_directory
with atomic_directory(Path("offers")) as directory, atomic_file(Path("table.json")) as temporary:
    with temporary_directory(Path("spill"), "events") as spill:
        for path in (directory / "half", temporary, spill / "half"):
            path.write_text("half")
        os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_process_leaves_is_ignored_and_removed(tmp_path: Path) -> None:
    for name in (".gitignore", ".dvcignore"):
        shutil.copy(REPOSITORY / name, tmp_path)
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    killed = subprocess.run([sys.executable, "-c", KILLED], cwd=tmp_path, check=False)
    assert killed.returncode == -signal.SIGKILL
    left = list(tmp_path.rglob(f"{PARTIAL}*"))
    assert len(left) == 3
    status = ["git", "status", "--porcelain", "--untracked-files=all"]
    listed = subprocess.run(status, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert listed.split() == ["??", ".dvcignore", "??", ".gitignore"]
    assert f"{PARTIAL}*" in (REPOSITORY / ".dvcignore").read_text().splitlines()
    with atomic_directory(tmp_path / "offers"), atomic_file(tmp_path / "table.json") as temporary:
        temporary.touch()
        with temporary_directory(tmp_path / "spill", "events"):
            pass
    assert not list(tmp_path.rglob(f"{PARTIAL}*"))


@pytest.mark.parametrize("umask", [0o077, 0o027, 0o002])
def test_the_umask_is_honoured(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        with atomic_directory(tmp_path / "prepared") as directory:
            (directory / "file").touch()
        with atomic_file(tmp_path / "table.csv") as temporary:
            temporary.touch()
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "prepared").stat().st_mode) == 0o777 & ~umask
    assert stat.S_IMODE((tmp_path / "table.csv").stat().st_mode) == 0o666 & ~umask


def test_a_file_through_another_directory(tmp_path: Path) -> None:
    with atomic_file(tmp_path / "raw/shop/log.csv", through=tmp_path / "raw") as temporary:
        temporary.write_text("x")
        assert names(tmp_path / "raw/shop") == []
    assert names(tmp_path / "raw/shop") == ["log.csv"]
    assert names(tmp_path / "raw") == ["shop"]


def test_what_is_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "prepared").write_text("a file")
    with pytest.raises(NotADirectoryError) as stopped, atomic_directory(tmp_path / "prepared"):
        pass
    assert stopped.value.filename == str(tmp_path / "prepared")
    (tmp_path / "table.csv").mkdir()
    with pytest.raises(IsADirectoryError) as stopped, atomic_file(tmp_path / "table.csv") as temporary:
        temporary.touch()
    assert stopped.value.filename == str(tmp_path / "table.csv")


def test_a_fault_of_the_disk_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No space") as full, atomic_file(tmp_path / "table.csv"):
        raise OSError(28, "No space left on device")  # a failed write does not know its file
    assert full.value.filename == str(tmp_path / "table.csv")
