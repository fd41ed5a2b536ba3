"""Runs that can't be compared: one line that says why and what to do."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ..git_repository import commit_all
from .checkout import TASKS, Gate, Results, commit_with_tolerance, no_metrics, refusal, table


def set_value(results: Results, value: float | None) -> None:
    results.wauc["popular"]["brand"]["full"] = value


INCOMPARABLE: dict[str, tuple[Callable[[Results], Any], list[str]]] = {
    "data": (lambda r: setattr(r, "data_md5", "0" * 32 + ".dir"), ["other data, md5 of data/raw/", "bfdaf6"]),
    "data set": (
        lambda r: setattr(r, "dataset", "rees46"),
        ["other data set: complete_journey in", "rees46"],
    ),
    "task added": (lambda r: setattr(r, "tasks", [*TASKS, "colour"]), ["other tasks", "colour in working"]),
    "task removed": (lambda r: setattr(r, "tasks", ["brand"]), ["other tasks: brand, category1 in main"]),
    "model missing": (lambda r: r.wauc["popular"]["brand"].pop("full"), ["popular.brand.full: no value"]),
    "task missing": (lambda r: r.wauc["all"].pop("category1"), ["all.category1.full: no value"]),
    "segment missing": (lambda r: r.wauc.pop("all"), ["all.brand.full: no value"]),
    "null": (lambda r: set_value(r, None), ["popular.brand.full: no value, but main (", "dvc repro"]),
    "NaN": (lambda r: set_value(r, float("nan")), ["popular.brand.full: ", "finite", "nan", "dvc repro"]),
    "infinity": (lambda r: set_value(r, float("inf")), ["popular.brand.full: ", "dvc repro"]),
    "above 1": (lambda r: set_value(r, 67.3), ["popular.brand.full: ", "less than or equal to 1", "67.3"]),
    "text": (lambda r: set_value(r, "0.67"), ["popular.brand.full: ", "valid number"]),
    "other form": (lambda r: setattr(r, "wauc", {"all": [1, 2]}), ["all: ", "valid dictionary"]),
}


@pytest.mark.parametrize("case", INCOMPARABLE)
def test_runs_that_can_not_be_compared(repository: Path, gate: Gate, case: str) -> None:
    change, words = INCOMPARABLE[case]
    now = Results()
    change(now)
    now.write(repository)
    for arguments in ((), ("--tolerance", "1")):
        line = refusal(gate(repository, *arguments))
        assert all(word in line for word in words), line


@pytest.mark.parametrize("value", [float("nan"), 1.5])
def test_a_broken_baseline_is_named(repository: Path, gate: Gate, value: float) -> None:
    broken = Results()
    set_value(broken, value)
    broken.write(repository)
    commit = commit_all(repository)[:7]
    Results().write(repository)
    line = refusal(gate(repository))
    assert f"main ({commit}): metrics/wauc.json: popular.brand.full" in line
    assert "Choose a baseline" in line


def test_a_baseline_without_any_value_passes_nothing(repository: Path, gate: Gate) -> None:
    empty = Results()
    empty.wauc = table(None)
    empty.write(repository)
    commit_all(repository)
    assert "no value to compare" in refusal(gate(repository, "--tolerance", "0.1"))


def no_clean_value(results: Results) -> None:
    assert results.clean_wauc is not None
    results.clean_wauc["popular"]["brand"]["full"] = None


def no_clean_results(results: Results) -> None:
    results.clean_wauc = None


def clean_values_that_are_none(results: Results) -> None:
    results.clean_wauc = table(67.3)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (no_clean_value, "metrics/clean/wauc.json: popular.brand.full: no value, but main ("),
        (no_clean_results, "working tree: no metrics/clean/wauc.json there. Run `dvc repro`"),
        (clean_values_that_are_none, "working tree: metrics/clean/wauc.json: all.brand.full: "),
    ],
)
def test_clean_results_that_can_not_be_compared(
    repository: Path, gate: Gate, change: Callable[[Results], None], words: str
) -> None:
    now = Results()
    change(now)
    now.write(repository)
    assert words in refusal(gate(repository, "--tolerance", "1"))


def test_clean_results_are_needed_even_if_the_baseline_has_none(repository: Path, gate: Gate) -> None:
    old = Results()
    old.clean_wauc = None
    old.write(repository)
    commit_all(repository)
    assert "no metrics/clean/wauc.json there" in refusal(gate(repository))


def no_file(results: Results) -> None:
    results.half_widths = None


def null_entry(results: Results) -> None:
    results.half_widths["all"]["brand"]["full"] = None


def no_clean_file(results: Results) -> None:
    results.clean_half_widths = None


def null_clean_entry(results: Results) -> None:
    assert results.clean_half_widths is not None
    results.clean_half_widths["all"]["brand"]["full"] = None


@pytest.mark.parametrize(
    ("change", "file"),
    [
        (no_file, "metrics/half_widths.json"),
        (null_entry, "metrics/half_widths.json"),
        (no_clean_file, "metrics/clean/half_widths.json"),
        (null_clean_entry, "metrics/clean/half_widths.json"),
    ],
)
def test_a_half_width_is_needed_where_there_is_no_tolerance(
    repository: Path, gate: Gate, change: Callable[[Results], None], file: str
) -> None:
    before = Results()
    change(before)
    before.write(repository)
    commit_all(repository)
    line = refusal(gate(repository))
    assert f"{file}: all.brand.full: no half width of an interval" in line
    assert "gate.tolerance.all is null" in line
    assert gate(repository, "--tolerance", "0").status == 0
    commit_with_tolerance(repository, before, Results(), all=0.0, popular=0.0, cold_start=0.0)
    assert gate(repository).status == 0


def test_a_baseline_with_the_half_widths_in_a_file_of_an_older_name(repository: Path, gate: Gate) -> None:
    (repository / "metrics/half_widths.json").rename(repository / "metrics/intervals.json")
    Results().write_lock(repository)
    commit = commit_all(repository)[:7]
    Results().write(repository)
    line = refusal(gate(repository))
    assert f"main ({commit}): metrics/half_widths.json: all.brand.full: no half width" in line
    assert "gate.tolerance.all is null. Set it, or give --tolerance" in line
    assert gate(repository, "--tolerance", "0").status == 0


def damaged_json(repository: Path) -> None:
    (repository / "metrics/wauc.json").write_text('{"all": ')
    Results().write_lock(repository)


def metrics_of_another_run(repository: Path) -> None:
    lock = (repository / "dvc.lock").read_bytes()
    better = Results()
    better.wauc["all"]["brand"]["full"] = 0.9
    better.write(repository)
    (repository / "dvc.lock").write_bytes(lock)


def half_widths_of_another_run(repository: Path) -> None:
    (repository / "metrics/half_widths.json").write_text(json.dumps(table(0.9)))


def half_widths_that_no_stage_wrote(repository: Path) -> None:
    half_widths = repository / "metrics/half_widths.json"
    content = half_widths.read_bytes()
    half_widths.unlink()
    Results().write_lock(repository)
    half_widths.write_bytes(content)


def clean_results_of_another_run(repository: Path) -> None:
    (repository / "metrics/clean/wauc.json").write_text(json.dumps(table(0.9)))


def a_file_too_many_in_the_clean_results(repository: Path) -> None:
    (repository / "metrics/clean/more.json").write_text("{}")


def other_bytes_in_a_clean_file_that_is_not_read(repository: Path) -> None:
    (repository / "metrics/clean/offers.parquet").write_bytes(b"\x00")


def a_clean_file_too_few(repository: Path) -> None:
    (repository / "metrics/clean/offers.parquet").unlink()


def clean_results_that_no_stage_wrote(repository: Path) -> None:
    (repository / "metrics/clean").rename(repository / "clean")
    Results().write_lock(repository)
    (repository / "clean").rename(repository / "metrics/clean")


def damaged_clean_json(repository: Path) -> None:
    (repository / "metrics/clean/wauc.json").write_text('{"all": ')
    Results().write_lock(repository)


def no_half_widths(repository: Path) -> None:
    (repository / "metrics/half_widths.json").unlink()


def no_lock(repository: Path) -> None:
    (repository / "dvc.lock").unlink()


def lock_with_a_conflict(repository: Path) -> None:
    with (repository / "dvc.lock").open("a") as file:
        file.write("<<<<<<< HEAD\nstages: {}\n=======\n")


def lock_without_prepare(repository: Path) -> None:
    text = (repository / "dvc.lock").read_text()
    (repository / "dvc.lock").write_text(text.replace("prepare:", "other:"))


def lock_without_tasks(repository: Path) -> None:
    text = (repository / "dvc.lock").read_text()
    (repository / "dvc.lock").write_text(text.replace("tasks:", "other:"))


BROKEN = [
    (damaged_json, "metrics/wauc.json: not valid JSON"),
    (metrics_of_another_run, "metrics/wauc.json is not what dvc.lock says"),
    (half_widths_of_another_run, "metrics/half_widths.json is not what dvc.lock says"),
    (half_widths_that_no_stage_wrote, "metrics/half_widths.json is not what dvc.lock says"),
    (no_half_widths, "metrics/half_widths.json is not what dvc.lock says"),
    (clean_results_of_another_run, "metrics/clean is not what dvc.lock says"),
    (a_file_too_many_in_the_clean_results, "metrics/clean is not what dvc.lock says"),
    (other_bytes_in_a_clean_file_that_is_not_read, "metrics/clean is not what dvc.lock says"),
    (a_clean_file_too_few, "metrics/clean is not what dvc.lock says"),
    (clean_results_that_no_stage_wrote, "metrics/clean/half_widths.json is not what dvc.lock says"),
    (damaged_clean_json, "metrics/clean/wauc.json: not valid JSON"),
    (no_metrics, "no metrics/wauc.json there"),
    (no_lock, "no dvc.lock there"),
    (lock_with_a_conflict, "dvc.lock: not a lock file of DVC"),
    (lock_without_prepare, "dvc.lock does not say which data"),
    (lock_without_tasks, "dvc.lock does not say which data and tasks"),
]


@pytest.mark.parametrize(("damage", "words"), BROKEN)
def test_broken_files_are_named(
    repository: Path, gate: Gate, damage: Callable[[Path], None], words: str
) -> None:
    damage(repository)
    line = refusal(gate(repository, "--tolerance", "0.1"))
    assert f"working tree: {words}" in line and line.endswith("Run `dvc repro`.\n")
    commit = commit_all(repository)[:7]
    Results().write(repository)
    line = refusal(gate(repository, "--tolerance", "0.1"))
    assert f"main ({commit}): {words}" in line and "--baseline" in line
