"""The results' files: tidy tables inside, nested JSON at the edge, so that a diff reads well."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from offerbench.core.columns import (
    COMPARED_WITH,
    FEATURE,
    HALF_WIDTH,
    LABEL,
    MODEL,
    SEGMENT,
    TASK,
    VALUE,
    WAUC,
)
from offerbench.core.json_files import read_json, write_json
from offerbench.core.paths import METRICS_DIRECTORY
from offerbench.core.tables import read_parquet, write_parquet
from offerbench.evaluation.bootstrap import Samples
from offerbench.evaluation.evaluate import TaskResult
from offerbench.evaluation.pairs import Measure
from offerbench.evaluation.results import DIGITS, headline_table, summary_table
from offerbench.evaluation.sample_files import SAMPLES_FILE, SampleKey, write_samples

CELL = [SEGMENT, TASK, MODEL]


def nested(table: pd.DataFrame, keys: Sequence[str], values: str | Sequence[str]) -> dict[str, Any]:
    """Nest a tidy table: a level for each key, a value or a mapping of several at the bottom.

    A missing number is None: JSON has no NaN.
    """
    content: dict[str, Any] = {}
    for row in table.astype(object).mask(table.isna(), other=None).to_dict("records"):
        level = content
        for key in keys[:-1]:
            level = level.setdefault(str(row[key]), {})
        is_one = isinstance(values, str)
        level[str(row[keys[-1]])] = row[values] if is_one else {name: row[name] for name in values}
    return content


def tidy(content: Mapping[str, Any], keys: Sequence[str], value: str) -> pd.DataFrame:
    """Make a tidy table of nested JSON: a column for each level, and one for what is at the bottom."""
    rows: list[tuple[Any, ...]] = [((), content)]
    for _ in keys:
        rows = [((*path, key), inner) for path, level in rows for key, inner in level.items()]
    return pd.DataFrame([(*path, inner) for path, inner in rows], columns=[*keys, value])


def results_directory(measure: Measure) -> Path:
    """Where the results of a measure go."""
    return METRICS_DIRECTORY if measure is Measure.PUBLISHED else METRICS_DIRECTORY / measure


def write_results(
    measure: Measure,
    table: pd.DataFrame,
    gaps: pd.DataFrame,
    results: Mapping[str, TaskResult],
    vocabulary: pd.DataFrame,
) -> None:
    """Write what `evaluate` found as JSON, and the results of each offer and the samples as Parquet.

    Parameters
    ----------
    measure : Measure
        Which negatives were counted.
    table, gaps : DataFrame
        From `wauc_table` and `gap_table`.
    results : mapping of TaskResult
        By task.
    vocabulary : DataFrame
        feature, label, value of `prepare`.
    """
    directory, of_gaps = results_directory(measure), [*CELL, COMPARED_WITH]
    for name, content in (
        ("wauc", nested(table, CELL, WAUC)),
        ("half_widths", nested(table, CELL, HALF_WIDTH)),
        ("gaps", nested_rows(gaps, of_gaps)),
        ("summary", nested_rows(summary_table(gaps), [SEGMENT, MODEL])),
        ("headline", nested_rows(headline_table(table, gaps), [MODEL])),
        ("evaluate", {task: result.counts for task, result in results.items()}),
    ):
        write_json(directory / f"{name}.json", content)
    write_samples(directory / SAMPLES_FILE, samples_of(results))
    offers = offer_table(results, vocabulary)
    write_parquet(
        directory / "offers.parquet", {str(name): column.to_numpy() for name, column in offers.items()}
    )


def samples_of(results: Mapping[str, TaskResult]) -> Iterator[tuple[SampleKey, Samples]]:
    """List the bootstrap samples of every wAUC."""
    for task, result in results.items():
        for segment, by_model in result.samples.items():
            for model, samples in by_model.items():
                yield (segment, task, model), samples


def nested_rows(table: pd.DataFrame, keys: Sequence[str]) -> dict[str, Any]:
    """Nest a tidy table with all its other columns at the bottom."""
    return nested(table, keys, [name for name in table.columns if name not in keys])


def read_wauc(directory: Path) -> pd.DataFrame:
    """Read the table that `wauc_table` gave."""
    table = tidy(read_json(directory / "wauc.json"), CELL, WAUC)
    widths = tidy(read_json(directory / "half_widths.json"), CELL, HALF_WIDTH)
    return table.merge(widths, on=CELL, how="left", validate="one_to_one").astype(
        {WAUC: np.float64, HALF_WIDTH: np.float64}
    )


def read_gaps(directory: Path) -> pd.DataFrame:
    """Read the table that `gap_table` gave."""
    table = tidy(read_json(directory / "gaps.json"), [*CELL, COMPARED_WITH], VALUE)
    return table.drop(columns=VALUE).join(pd.DataFrame(table[VALUE].to_list(), dtype=object)).infer_objects()


def read_offers_table(directory: Path) -> pd.DataFrame:
    """Read the results of each offer."""
    return pd.DataFrame(read_parquet(directory / "offers.parquet"))


def offer_table(results: Mapping[str, TaskResult], vocabulary: pd.DataFrame) -> pd.DataFrame:
    """One row for each evaluated offer: task, label, value, positives, negatives, AUC of each model."""
    frames = []
    for task, result in results.items():
        values = vocabulary[vocabulary[FEATURE] == task].set_index(LABEL)[VALUE]
        frame = result.offers.round(DIGITS)
        frame.insert(0, TASK, task)
        frame.insert(2, VALUE, values.loc[frame[LABEL]].to_numpy())
        frames.append(frame)
    return pd.concat(frames, ignore_index=True)
