"""Files of the results: what is written is read again, and JSON has no NaN."""

import json
import subprocess
import sys
from collections.abc import Hashable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offerbench.core.errors import OfferbenchError
from offerbench.core.tables import read_parquet
from offerbench.evaluation.evaluate import TaskResult
from offerbench.evaluation.pairs import Measure
from offerbench.evaluation.result_files import (
    nested,
    nested_rows,
    offer_table,
    read_gaps,
    read_offers_table,
    read_wauc,
    results_directory,
    samples_of,
    tidy,
    write_results,
)
from offerbench.evaluation.results import gap_table, wauc_table
from offerbench.evaluation.sample_files import parse_samples, write_samples

from ..parameters import evaluate_parameters
from .test_results import ROWS

KEYS = ["segment", "task", "model"]
NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1, max_size=5)
NUMBERS = st.floats(-1, 1) | st.none()
CONTENT = st.dictionaries(
    NAMES,
    st.dictionaries(NAMES, st.dictionaries(NAMES, NUMBERS, min_size=1, max_size=3), min_size=1, max_size=3),
    min_size=1,
    max_size=3,
)


@given(CONTENT)
def test_nested_json_survives_being_made_tidy(
    content: dict[str, dict[str, dict[str, float | None]]],
) -> None:
    table = tidy(content, KEYS, "wauc")
    assert list(table.columns) == [*KEYS, "wauc"]
    assert len(table) == sum(len(models) for tasks in content.values() for models in tasks.values())
    found = nested(table, KEYS, "wauc")
    assert found == content
    assert json.dumps(found, allow_nan=False) == json.dumps(content)  # the same order too, and no NaN


@given(CONTENT)
def test_missing_numbers_are_null_whatever_the_type_of_their_column(
    content: dict[str, dict[str, dict[str, float | None]]],
) -> None:
    numbers = tidy(content, KEYS, "wauc").astype({"wauc": np.float64})
    assert nested(numbers, KEYS, "wauc") == content


CELLS = st.lists(st.tuples(NAMES, NAMES, NAMES), min_size=1, max_size=8, unique=True)


@given(CELLS, st.data())
def test_a_tidy_table_survives_being_nested(cells: list[tuple[str, str, str]], data: st.DataObject) -> None:
    values = data.draw(st.lists(st.floats(-1, 1) | st.just(np.nan), min_size=len(cells), max_size=len(cells)))
    table = pd.DataFrame(cells, columns=KEYS).assign(wauc=np.array(values, np.float64))
    again = tidy(nested(table, KEYS, "wauc"), KEYS, "wauc").astype({"wauc": np.float64})
    order = {cell: place for place, cell in enumerate(cells)}  # nesting puts a segment's cells together
    places = [order[cell] for cell in again[KEYS].itertuples(index=False, name=None)]
    assert sorted(places) == list(range(len(cells)))
    assert again["wauc"].tolist() == pytest.approx([values[place] for place in places], abs=0, nan_ok=True)


def test_all_other_columns_are_at_the_bottom() -> None:
    table = pd.DataFrame({"model": ["full", "augmented"], "wauc": [0.5, np.nan], "task": ["brand", None]})
    assert nested_rows(table, ["model"]) == {
        "full": {"wauc": 0.5, "task": "brand"},
        "augmented": {"wauc": None, "task": None},
    }


def test_whole_numbers_stay_whole_numbers() -> None:
    table = pd.DataFrame({"model": ["full"], "offers": [3]})
    assert json.dumps(nested(table, ["model"], "offers")) == '{"full": 3}'


def results(seed: int = 0) -> dict[str, TaskResult]:
    """Two tasks of a few offers, the second without any popular one."""
    made = {}
    generator = np.random.default_rng(seed)
    for task, positives in (("brand", [30, 12, 2]), ("category1", [7, 6])):
        offers = pd.DataFrame(
            {
                "label": np.arange(3, 3 + len(positives), dtype=np.int32),
                "positives": np.array(positives, np.int64),
                "negatives": np.array(positives, np.int64) * 4,
                **{row.name: generator.random(len(positives)) for row in ROWS},
            }
        )
        drawn = {
            segment: {
                row.name: np.full(4, np.nan)
                if (task, segment) == ("category1", "popular")
                else generator.random(4)
                for row in ROWS
            }
            for segment in ("all", "popular", "cold_start")
        }
        made[task] = TaskResult(offers, drawn, {"offers": 9, "offers_evaluated": len(positives)})
    return made


VOCABULARY = pd.DataFrame(
    {
        "feature": ["brand"] * 3 + ["category1"] * 2,
        "label": [5, 4, 3, 3, 4],
        "value": ["c", "b", "a", "drinks", ""],
    }
)


@pytest.fixture(params=list(Measure), ids=str)
def measure(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Measure:
    """Each measure, in a checkout without results."""
    monkeypatch.chdir(tmp_path)
    made: Measure = request.param
    return made


def write(measure: Measure, seed: int = 0) -> tuple[pd.DataFrame, pd.DataFrame]:
    made = results(seed)
    table = wauc_table(made, evaluate_parameters())
    gaps = gap_table(table, made, ROWS)
    write_results(measure, table, gaps, made, VOCABULARY)
    return table, gaps


def test_the_published_results_are_where_they_always_were() -> None:
    assert results_directory(Measure.PUBLISHED) == Path("metrics")
    assert results_directory(Measure.CLEAN) == Path("metrics/clean")


@pytest.mark.parametrize(
    "order", [list(Measure), list(Measure)[::-1]], ids=["published_first", "clean_first"]
)
def test_measures_are_written_side_by_side(
    order: list[Measure], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    tables = {measure: write(measure, seed)[0] for seed, measure in enumerate(order)}
    published, clean = tables.values()
    assert not published.equals(clean)
    for measure, table in tables.items():
        pd.testing.assert_frame_equal(read_wauc(results_directory(measure)), table)


def test_tables_that_are_read_are_those_that_were_written(measure: Measure) -> None:
    table, gaps = write(measure)
    assert table["wauc"].isna().any() and table["half_width"].isna().any()
    pd.testing.assert_frame_equal(read_wauc(results_directory(measure)), table)
    found = read_gaps(results_directory(measure))
    assert gaps["gap"].isna().any()
    pd.testing.assert_frame_equal(found[list(gaps.columns)], gaps)


def test_gaps_without_any_number_are_read_again(measure: Measure) -> None:
    made = {task: result for task, result in results().items() if task == "category1"}
    table = wauc_table(made, evaluate_parameters(popular_min_positives=99, cold_start_min_positives=98))
    gaps = gap_table(table, made, ROWS)
    empty = gaps[gaps["segment"] == "popular"]
    assert empty["gap"].isna().all()
    write_results(measure, table, empty, made, VOCABULARY)
    found = read_gaps(results_directory(measure))
    assert found[["gap", "half_width"]].isna().all(axis=None)
    assert found["other"].tolist() == empty["other"].tolist()


def test_json_files_hold_what_the_tables_say(measure: Measure) -> None:
    table, _ = write(measure)
    directory = results_directory(measure)
    assert {path.name for path in directory.iterdir()} == {
        "wauc.json",
        "half_widths.json",
        "gaps.json",
        "summary.json",
        "headline.json",
        "evaluate.json",
        "offers.parquet",
        "samples.parquet",
    }
    content = {path.stem: json.loads(path.read_text()) for path in directory.glob("*.json")}
    assert list(content["wauc"]) == ["all", "popular", "cold_start"]
    assert list(content["wauc"]["all"]) == ["brand", "category1"]
    assert list(content["wauc"]["all"]["brand"]) == [row.name for row in ROWS]
    assert content["wauc"]["popular"]["category1"] == dict.fromkeys(row.name for row in ROWS)
    assert content["half_widths"]["popular"]["category1"]["full"] is None
    for name in ("wauc", "half_widths"):
        column = name.removesuffix("s")
        for segment, task, model, value in table[[*KEYS, column]].itertuples(index=False, name=None):
            assert content[name][segment][task][model] == (None if np.isnan(value) else value)
    gap = content["gaps"]["all"]["brand"]["full"]
    assert list(gap) == ["specialist", "yardstick"]
    assert gap["specialist"]["other"] == "mono_brand"
    assert set(gap["specialist"]) == {"other", "gap", "half_width"}
    assert set(content["summary"]["all"]["full"]) == {
        "gap_to_specialist",
        "gap_to_yardstick",
        "worst_task",
        "worst_gap_to_specialist",
    }
    assert set(content["headline"]["full"]) == {"wauc", "to_specialist", "to_yardstick"}
    assert content["evaluate"]["brand"] == {"offers": 9, "offers_evaluated": 3}


def test_offers_have_their_values_and_results(measure: Measure) -> None:
    write(measure)
    made, directory = results(), results_directory(measure)
    table = read_offers_table(directory)
    models = [row.name for row in ROWS]
    assert list(table.columns) == ["task", "label", "value", "positives", "negatives", *models]
    assert table["task"].tolist() == ["brand"] * 3 + ["category1"] * 2
    assert table["value"].tolist() == ["a", "b", "c", "drinks", ""]
    expected = [value for result in made.values() for value in result.offers["full"].round(6)]
    assert table["full"].tolist() == expected
    written: dict[Hashable, np.ndarray] = dict(read_parquet(directory / "offers.parquet"))
    for name, column in offer_table(made, VOCABULARY).items():
        assert written[name].tolist() == column.tolist()


def test_samples_survive_their_file(tmp_path: Path) -> None:
    made = results()
    write_samples(tmp_path / "samples.parquet", samples_of(made))
    found = parse_samples((tmp_path / "samples.parquet").read_bytes(), "here")
    assert list(found) == [
        (segment, task, row.name)
        for task in made
        for segment in ("all", "popular", "cold_start")
        for row in ROWS
    ]
    for (segment, task, model), samples in found.items():
        np.testing.assert_allclose(samples, made[task].samples[segment][model], atol=1e-7)


def test_no_samples_survive_their_file(tmp_path: Path) -> None:
    write_samples(tmp_path / "samples.parquet", [])  # of a backtest without dates
    assert parse_samples((tmp_path / "samples.parquet").read_bytes(), "here") == {}


def test_a_process_that_has_read_samples_ends_well(tmp_path: Path) -> None:
    file = tmp_path / "samples.parquet"
    draws = np.random.default_rng(1)
    write_samples(file, [(("all", "brand", f"row {number}"), draws.random(20)) for number in range(21)])
    code = "from offerbench.evaluation import sample_files; import sys; from pathlib import Path; "
    code += "print(len(sample_files.parse_samples(Path(sys.argv[1]).read_bytes(), 'here')))"
    for _ in range(4):
        command = [sys.executable, "-c", code, str(file)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout) == (0, "21\n"), done.stderr


@pytest.mark.parametrize("content", [b"", b"PAR1PAR1", b"x" * 500])
def test_a_file_that_has_no_samples(content: bytes) -> None:
    with pytest.raises(OfferbenchError, match=r"here: not a file of samples") as stopped:
        parse_samples(content, "here")
    assert "\n" not in str(stopped.value)


def test_samples_with_a_flipped_bit_are_refused_or_none_is_lost(tmp_path: Path) -> None:
    write_samples(tmp_path / "samples.parquet", samples_of(results()))
    whole = (tmp_path / "samples.parquet").read_bytes()
    for place in range(0, len(whole), 37):
        content = bytearray(whole)
        content[place] ^= 16
        try:
            found = parse_samples(bytes(content), "here")
        except OfferbenchError:
            continue
        assert len({len(samples) for samples in found.values()}) == 1
