"""A user's mistake or a machine's fault is one message, exit status 2; a bug keeps its trace-back."""

import errno
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import numpy as np
import pytest
import safetensors

from offerbench.core import command
from offerbench.core.errors import OfferbenchError


def run(monkeypatch: pytest.MonkeyPatch, main: Callable[..., None], *arguments: str) -> int:
    monkeypatch.setattr("sys.argv", ["stage", *arguments])
    with pytest.raises(SystemExit) as stopped:
        command.run(main)
    return stopped.value.code or 0


def test_success(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def main(task: str) -> None:
        print(f"trained {task}")

    assert run(monkeypatch, main, "brand") == 0
    assert capsys.readouterr().out == "trained brand\n"


def test_a_users_mistake(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def main() -> None:
        raise OfferbenchError("params.yaml: tasks: missing.")

    assert run(monkeypatch, main) == 2
    assert capsys.readouterr().err == "error: params.yaml: tasks: missing.\n"


def test_a_programmers_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    def main() -> None:
        raise KeyError("bug")

    monkeypatch.setattr("sys.argv", ["stage"])
    with pytest.raises(KeyError, match="bug"):
        command.run(main)


def fault_of(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: BaseException
) -> str:
    """The one line that a command ends with, with status 2, when `error` is raised in it."""

    def main() -> None:
        raise error

    assert run(monkeypatch, main) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.startswith("error: ") and output.err.count("\n") == 1
    return output.err


@pytest.mark.parametrize(
    ("number", "advice"),
    [
        (errno.ENOSPC, "Free some space"),
        (errno.EDQUOT, "Free some space"),
        (errno.EFBIG, "ulimit -f"),
        (errno.EACCES, "right to write"),
        (errno.EPERM, "right to write"),
        (errno.EROFS, "Mount it for writing"),
        (errno.EEXIST, "Move away"),
        (errno.ENAMETOOLONG, "shorter name"),
    ],
)
def test_a_fault_of_the_disk_names_the_file(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], number: int, advice: str
) -> None:
    line = fault_of(monkeypatch, capsys, OSError(number, os.strerror(number), "models/full"))
    assert line.startswith(f"error: models/full: {os.strerror(number)}. ") and advice in line


def test_a_full_disk_without_a_file_names_the_directory(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(OSError, match="No space left") as full, Path("/dev/full").open("w") as stream:
        stream.write("x")
    line = fault_of(monkeypatch, capsys, full.value)
    assert "No space left on device" in line and str(Path.cwd()) in line and "MB free" in line


def test_a_real_directory_in_the_way(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with pytest.raises(IsADirectoryError) as stopped:
        tmp_path.write_text("x")
    assert f"{tmp_path}: Is a directory. Move away" in fault_of(monkeypatch, capsys, stopped.value)


@pytest.mark.parametrize(
    "error",
    [
        safetensors.SafetensorError("I/O error: No space left on device (os error 28) at path /m/w"),
        duckdb.IOException("IO Error: Could not write file /m/w: No space left on device"),
    ],
)
def test_a_fault_that_a_library_wraps(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: Exception
) -> None:
    line = fault_of(monkeypatch, capsys, error)
    assert "/m/w" in line and "Free some space" in line


def test_no_memory(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(MemoryError) as numpy_error:
        np.empty(10**16)
    assert "resources.memory_limit" in fault_of(monkeypatch, capsys, numpy_error.value)
    with (
        pytest.raises(duckdb.OutOfMemoryException) as duckdb_error,
        duckdb.connect(config={"memory_limit": "20MB", "max_temp_directory_size": "0MB"}) as connection,
    ):
        connection.sql("select * from range(20000000) order by hash(range)").fetchnumpy()
    assert "out of memory" in fault_of(monkeypatch, capsys, duckdb_error.value)
    assert "out of memory: no more is known" in fault_of(monkeypatch, capsys, MemoryError())


@pytest.mark.parametrize(
    "error", [safetensors.SafetensorError("bad header"), OSError("odd"), ValueError("Permission denied")]
)
def test_other_errors_keep_their_trace_back(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def main() -> None:
        raise error

    monkeypatch.setattr("sys.argv", ["stage"])
    with pytest.raises(type(error)):
        command.run(main)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp437"])
def test_a_letter_that_the_terminal_does_not_have_stops_nothing(tmp_path: Path, encoding: str) -> None:
    script = tmp_path / "stage.py"
    script.write_text(
        "import logging\nfrom offerbench.core import command\n"
        "def main() -> None:\n"
        "    logging.getLogger('offerbench').info('a shop in Łódź')\n"
        "    print('.673 ±.009 Łódź \\udcff')\n"
        "command.run(main)\n"
    )
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    done = subprocess.run(
        [sys.executable, str(script)], env=environment, capture_output=True, check=False, cwd=tmp_path
    )
    assert done.returncode == 0 and done.stderr == b""
    assert b".673 " in done.stdout and b".009 ?" in done.stdout and b"a shop in ?" in done.stdout


@pytest.mark.parametrize("given", [None, "/elsewhere"])
def test_dvc_keeps_its_site_cache_in_the_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str | None
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", "to be restored")
    if given:
        monkeypatch.setenv("DVC_SITE_CACHE_DIR", given)
    else:
        monkeypatch.delenv("DVC_SITE_CACHE_DIR")
    seen = []
    for known in (False, True):
        if known:
            (tmp_path / ".dvc").mkdir()
        assert run(monkeypatch, lambda: seen.append(os.environ.get("DVC_SITE_CACHE_DIR"))) == 0
    own = tmp_path / ".dvc/tmp/site_cache"
    assert seen == ([given, given] if given else [None, str(own)])
    assert own.exists() == (given is None)
    if given is None:
        assert stat.S_IMODE(own.stat().st_mode) == 0o700  # DVC lets everybody write to what it makes in it


def test_an_interrupt(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def main() -> None:
        raise KeyboardInterrupt

    assert run(monkeypatch, main) == 130
    assert capsys.readouterr().err == "interrupted: run the same command again to go on.\n"
