"""A command's log: one line a step on standard output, with its name and the seconds it took."""

import logging
import re
from collections.abc import Iterator

import pytest

from offerbench.core import logs

LOG = logging.getLogger("offerbench.some.module")


@pytest.fixture(autouse=True)
def logger_as_before() -> Iterator[None]:
    logger = logging.getLogger("offerbench")
    before = list(logger.handlers), logger.level
    yield
    logger.handlers[:], logger.level = before


def test_a_step_is_a_line_with_its_seconds(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("prepare")
    LOG.info("read %s rows", "1,458")
    LOG.warning("no checkpoint")
    LOG.debug("not for users")
    output = capsys.readouterr()
    assert re.sub(r"\d+\.\d s", "0.0 s", output.out).splitlines() == [
        "prepare: read 1,458 rows (0.0 s)",
        "prepare: warning: no checkpoint (0.0 s)",
    ]
    assert output.err == ""


def test_seconds_are_those_since_the_line_before(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    moments = iter([10.0, 12.5, 13.0])
    monkeypatch.setattr(logs.time, "perf_counter", lambda: next(moments))
    logs.configure("prepare")
    LOG.info("read")
    LOG.info("counted")
    assert capsys.readouterr().out == "prepare: read (2.5 s)\nprepare: counted (0.5 s)\n"


def test_a_command_that_learns_its_name_is_renamed(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("train")
    logs.configure("mono brand")
    LOG.info("epoch 1")
    assert capsys.readouterr().out.startswith("mono brand: epoch 1 (")


def test_nothing_of_libraries_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("prepare")
    logging.getLogger("duckdb").info("chatter")
    assert capsys.readouterr().out == ""
