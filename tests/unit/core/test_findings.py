"""What a reader must know: facts are logged, and warnings as such."""

import logging

import pytest

from offerbench.core.findings import Finding, log_findings, share_of


def test_a_warning_follows_its_fact() -> None:
    assert str(Finding("a fact")) == "a fact"
    assert str(Finding("a fact", "more than 5%: look")) == "a fact, more than 5%: look"


def test_findings_are_lines_of_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    log_findings([Finding("30% are new"), Finding("x", "y")], logging.getLogger("offerbench.test"))
    found = [(record.levelname, record.getMessage()) for record in caplog.records]
    assert found == [("INFO", "30% are new"), ("WARNING", "x, y")]


def test_a_share_of_nothing_is_none() -> None:
    assert (share_of(1, 4), share_of(0, 0)) == (0.25, 0.0)
