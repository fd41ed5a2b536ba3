"""What passes the gate, what fell, and what is printed."""

import copy
import re
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from offerbench.evaluation.pairs import Measure
from offerbench.evaluation.wauc import SEGMENTS as ALL_SEGMENTS
from offerbench.gate.compare import Comparison, Verdict
from offerbench.gate.config import Gate as GateSection
from offerbench.gate.config import Tolerance

from ..git_repository import commit_all, git
from .checkout import (
    MEASURES,
    MODELS,
    SEGMENTS,
    TASKS,
    Gate,
    Results,
    commit_with_tolerance,
    refusal,
    table,
)


def test_the_same_run_passes(repository: Path, gate: Gate) -> None:
    head = git(repository, "rev-parse", "--short=7", "HEAD")
    expected = (
        "gate: not compared user by user, but with the baseline's own intervals: "
        f"main ({head}) has no bootstrap samples.\n"
        f"gate: 48 wAUC against main ({head}): 48 within tolerance.\n"  # 24 by each measure
    )
    assert gate(repository) == (0, expected, "")


def test_a_worse_run_fails_and_only_what_fell_is_shown(repository: Path, gate: Gate) -> None:
    worse = Results()
    worse.wauc["popular"]["brand"]["mono_brand"] = 0.66
    worse.wauc["all"]["category1"]["full"] = 0.7
    worse.write(repository)
    outcome = gate(repository, "--baseline", "main")
    assert outcome.status == 1
    rows = [line.split() for line in outcome.out.splitlines()]
    assert rows[0] == [
        "measure",
        "segment",
        "task",
        "model",
        "baseline",
        "now",
        "difference",
        "tolerance",
        "verdict",
    ]
    assert rows[2] == [
        "published",
        "popular",
        "brand",
        "mono_brand",
        "0.673582",
        "0.660000",
        "-0.013582",
        "0.010000",
        "fell",
    ]
    assert rows[3] == []
    assert outcome.out.splitlines()[5].endswith(": 1 fell, 46 within tolerance, 1 rose.")
    assert len(rows) == 6


def test_the_verb_ends_with_these_statuses(repository: Path) -> None:
    words = [sys.executable, "-m", "offerbench", "gate", "--baseline", "main"]
    assert subprocess.run(words, cwd=repository, check=False).returncode == 0
    worse = Results()
    worse.wauc["all"]["brand"]["full"] = 0.6
    worse.write(repository)
    assert subprocess.run(words, cwd=repository, check=False).returncode == 1
    assert subprocess.run([*words, "--baseline", "nowhere"], cwd=repository, check=False).returncode == 2


def test_history_affinity_is_compared_like_a_model(repository: Path, gate: Gate) -> None:
    worse = Results()
    worse.wauc["cold_start"]["brand"]["history_affinity"] = 0.5
    worse.write(repository)
    assert gate(repository).status == 1


def test_all_rows_as_a_markdown_table(repository: Path, gate: Gate) -> None:
    lines = gate(repository, "--all", "--markdown").out.splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    assert cells[0][:4] == ["measure", "segment", "task", "model"]
    assert all(re.fullmatch(":?-+:?", cell) for cell in cells[1])
    assert [row[:4] for row in cells[2:]] == [
        [measure, s, t, m] for measure in MEASURES for s in SEGMENTS for t in TASKS for m in MODELS
    ]
    assert lines[-1].startswith("gate: 48 wAUC") and lines[-2] == ""


@pytest.mark.parametrize(("now", "status"), [(0.671582, 0), (0.671581, 1)])
def test_a_fall_of_just_the_tolerance_passes(repository: Path, gate: Gate, now: float, status: int) -> None:
    worse = Results()
    worse.wauc["all"]["brand"]["full"] = now  # 0.673582 - 0.671582 > 0.002 as binary fractions
    worse.write(repository)
    assert gate(repository, "--tolerance", "0.002").status == status


@pytest.mark.parametrize(("now", "status"), [(0.663582, 0), (0.663581, 1)])
def test_without_a_tolerance_the_interval_of_the_baseline_counts(
    repository: Path, gate: Gate, now: float, status: int
) -> None:
    worse = Results()
    worse.wauc["all"]["brand"]["full"] = now
    worse.half_widths = table(0.5)
    worse.write(repository)
    assert gate(repository).status == status


def test_a_segment_has_its_own_tolerance(repository: Path, gate: Gate) -> None:
    worse = Results()
    for segment in ("all", "popular", "cold_start"):
        worse.wauc[segment]["brand"]["full"] = 0.67
    commit_with_tolerance(repository, Results(), worse, popular=0.001, cold_start=0.1)
    shown = gate(repository, "--all").out
    published = [row for row in shown.splitlines() if row.startswith("published ")]
    verdicts = {row.split()[1]: row for row in published if " brand " in row and " full " in row}
    assert "0.010000" in verdicts["all"] and "within" in verdicts["all"]
    assert "0.001000" in verdicts["popular"] and "fell" in verdicts["popular"]
    assert "0.100000" in verdicts["cold_start"] and "within" in verdicts["cold_start"]
    assert gate(repository, "--tolerance", "0.2").status == 0


@pytest.mark.parametrize("value", ["nan", "inf", "-0.1"])
def test_a_tolerance_that_is_none_is_refused(repository: Path, gate: Gate, value: str) -> None:
    assert "--tolerance: must be" in refusal(gate(repository, "--tolerance", value))


@pytest.mark.parametrize(
    ("tolerance", "words"),
    [
        ({"all": None, "popular": 0.1}, "cold_start"),
        ({"all": None, "popular": None, "cold_start": -0.1}, "greater than or equal to 0"),
        ({"all": 2.0, "popular": None, "cold_start": None}, "less than or equal to 1"),
        ({"all": "0.1", "popular": None, "cold_start": None}, "valid number"),
        ({**dict.fromkeys(SEGMENTS), "rare": 0.1}, "rare"),
    ],
)
def test_parameters_are_checked(tolerance: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        GateSection.model_validate({"tolerance": tolerance})


def test_every_segment_has_a_tolerance() -> None:
    assert tuple(Tolerance.model_fields) == ALL_SEGMENTS


millionths = st.integers(0, 1_000_000).map(lambda n: Decimal(n).scaleb(-6))


@given(millionths, millionths, millionths)
def test_verdict_is_that_of_exact_decimals(baseline: Decimal, now: Decimal, tolerance: Decimal) -> None:
    verdict = Comparison(
        Measure.PUBLISHED, "all", "brand", "full", float(baseline), float(now), float(tolerance)
    ).verdict
    assert (verdict is Verdict.FELL) == (now < baseline - tolerance)
    assert (verdict is Verdict.ROSE) == (now > baseline + tolerance)


def test_what_the_baseline_does_not_have_is_new(repository: Path, gate: Gate) -> None:
    before = Results()
    before.wauc["cold_start"]["brand"] = dict.fromkeys(MODELS)
    before.half_widths["cold_start"]["brand"] = dict.fromkeys(MODELS)
    before.wauc["popular"]["brand"]["full"] = before.half_widths["popular"]["brand"]["full"] = None
    before.write(repository)
    commit_all(repository)
    now = copy.deepcopy(before)
    now.wauc["popular"]["brand"]["full"] = 0.1
    now.wauc["all"]["brand"]["mono_price_cluster"] = 0.1
    now.write(repository)
    outcome = gate(repository)
    assert outcome.status == 0
    assert outcome.out.endswith(": 43 within tolerance, 2 new.\n")


def test_a_fall_by_the_clean_measure_alone_fails(repository: Path, gate: Gate) -> None:
    worse = Results()
    assert worse.clean_wauc is not None
    worse.clean_wauc["all"]["brand"]["full"] = 0.6799
    worse.clean_wauc["all"]["category1"]["full"] = 0.68  # within the half width of this measure
    worse.write(repository)
    outcome = gate(repository)
    assert outcome.status == 1
    rows = [line.split() for line in outcome.out.splitlines()]
    assert rows[2][:4] == ["clean", "all", "brand", "full"]
    assert rows[2][4:] == ["0.700000", "0.679900", "-0.020100", "0.020000", "fell"]
    assert rows[3] == [] and outcome.out.endswith(": 1 fell, 47 within tolerance.\n")


def test_tolerances_hold_for_both_measures(repository: Path, gate: Gate) -> None:
    worse = Results()
    assert worse.clean_wauc is not None
    worse.clean_wauc["popular"]["brand"]["full"] = 0.697
    worse.write(repository)
    assert gate(repository).status == 0
    assert gate(repository, "--tolerance", "0.002").status == 1
    commit_with_tolerance(repository, Results(), worse, popular=0.002)
    assert gate(repository).status == 1
    commit_with_tolerance(repository, Results(), worse, popular=0.1, all=0.0)
    assert gate(repository).status == 0


def test_by_a_measure_that_the_baseline_does_not_have_all_is_new(repository: Path, gate: Gate) -> None:
    before = Results()
    before.clean_wauc = None
    before.write(repository)
    commit_all(repository)
    Results().write(repository)
    outcome = gate(repository, "--all")
    assert outcome.status == 0
    assert outcome.out.endswith(": 24 within tolerance, 24 new.\n")
    rows = [line.split() for line in outcome.out.splitlines() if line.startswith("clean ")]
    assert len(rows) == 24
    assert {tuple(row[4:]) for row in rows} == {("-", "0.700000", "-", "-", "new")}
    worse = Results()
    worse.wauc["all"]["brand"]["full"] = 0.6
    worse.write(repository)
    assert gate(repository).status == 1  # what it has is compared as ever
