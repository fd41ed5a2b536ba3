"""An atomic write is there whole or not at all."""

import stat
from pathlib import Path

import pytest

from offerbench.core.atomic import atomic_directory, atomic_file

from .directory import names


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
    (tmp_path / ".prepared.abc123").mkdir()
    (tmp_path / ".prepared.abc123" / "half").write_text("half")
    (tmp_path / ".other.abc123").mkdir()
    with atomic_directory(tmp_path / "prepared"):
        assert not (tmp_path / ".prepared.abc123").exists()
    assert names(tmp_path) == [".other.abc123", "prepared"]


def test_a_fault_of_the_disk_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No space") as full, atomic_file(tmp_path / "table.csv"):
        raise OSError(28, "No space left on device")  # a failed write does not know its file
    assert full.value.filename == str(tmp_path / "table.csv")
