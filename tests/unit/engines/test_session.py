"""What is asked for before Spark starts, and what becomes of its failures."""

from pathlib import Path

import pytest

from offerbench.core.errors import OfferbenchError
from offerbench.engines import session
from offerbench.preparation.resources import Spark

SPARK = Spark(master="local[1]", work_directory="work", users_per_shard=10, conf={})


def java(directory: Path, prints: str) -> None:
    """A `java` that says no more than its version."""
    program = directory / "bin/java"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\necho '{prints}' >&2\n")
    program.chmod(0o755)


def refusal(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(session, "import_module", lambda name: None)
    with pytest.raises(OfferbenchError) as caught, session.spark_session(SPARK):
        pass
    (line,) = str(caught.value).splitlines()
    return line


def test_missing_pyspark_names_the_make_target(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ModuleNotFoundError(f"No module named '{name}'")

    monkeypatch.setattr(session, "import_module", missing)
    with (
        pytest.raises(OfferbenchError, match=r"PySpark can't be imported .*make setup-spark"),
        session.spark_session(SPARK),
    ):
        pass


def test_missing_java(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "there is no Java on the path. Install Java 17" in refusal(monkeypatch)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    assert f"there is no Java in JAVA_HOME = {tmp_path}. Install Java 17" in refusal(monkeypatch)


@pytest.mark.parametrize("prints", ['openjdk version "11.0.2" 2019-01-15', 'java version "1.8.0_292"', "?"])
def test_old_java(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, prints: str) -> None:
    java(tmp_path, prints)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    line = refusal(monkeypatch)
    assert f"is of no use to Spark ({prints})" in line
    assert "Install Java 17" in line


class SparkError(Exception):
    """As one that PySpark raises."""


SparkError.__module__ = "pyspark.errors.exceptions.captured"
REFUSED = "offerbench.core.errors.OfferbenchError: worker-3: No space left on device."
LOST = (
    "Job aborted due to stage failure: ... ExecutorLostFailure (executor 1 exited): Command exited with 137"
)


@pytest.mark.parametrize(
    "text, message",
    [
        (
            f"PythonException: Traceback\n  File ...\n{REFUSED}\n\tat org.apache",
            "^worker-3: No space",
        ),
        (f"{LOST}\nDriver stacktrace:", r"local\[1\] gave up \(ExecutorLostFailure \(executor 1"),
        ("All masters are unresponsive! Giving up.", r"gave up \(All masters are unresponsive"),
    ],
)
def test_failures_of_machines_are_one_line(text: str, message: str) -> None:
    with pytest.raises(OfferbenchError, match=message) as caught, session._explained(SPARK):
        raise SparkError(text)
    assert len(str(caught.value).splitlines()) == 1


def test_mistakes_of_programmers_keep_their_trace_back() -> None:
    with pytest.raises(SparkError), session._explained(SPARK):
        raise SparkError("PythonException: Traceback (most recent call last):\nKeyError: 'user'")
    with pytest.raises(ZeroDivisionError), session._explained(SPARK):
        raise ZeroDivisionError
