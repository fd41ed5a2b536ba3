"""Write what `evaluate` found: metrics, tables, pictures, results for each offer."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from offerbench.evaluation.results import TaskResult, Wauc, summarise
from offerbench.params.evaluate import Evaluate
from offerbench.report.heat_map import draw_heat_map
from offerbench.report.tables import report_markdown
from offerbench.schema import FEATURE, LABEL, METRICS_DIRECTORY, REPORTS_DIRECTORY, VALUE
from offerbench.storage import read_parquet, whole_file, write_json, write_parquet


def write_results(
    results: Mapping[str, TaskResult], wauc: Wauc, evaluate: Evaluate, prepared_directory: Path
) -> str:
    """Write all files of the results.

    Returns
    -------
    str
        The tables in Markdown.
    """
    write_json(METRICS_DIRECTORY / "wauc.json", wauc)
    write_json(METRICS_DIRECTORY / "summary.json", summarise(wauc))
    write_json(METRICS_DIRECTORY / "evaluate.json", {task: result.counts for task, result in results.items()})
    offers = offer_frame(results, pd.DataFrame(read_parquet(prepared_directory / "vocabulary.parquet")))
    write_parquet(
        REPORTS_DIRECTORY / "offers.parquet",
        {str(name): column.to_numpy() for name, column in offers.items()},
    )
    text = report_markdown(
        wauc, evaluate.popular_min_positives, evaluate.cold_start_min_positives, evaluate.table_decimals
    )
    with whole_file(REPORTS_DIRECTORY / "wauc.md") as temporary:
        temporary.write_text(text, encoding="utf-8")
    with whole_file(REPORTS_DIRECTORY / "wauc.png") as temporary:
        draw_heat_map(wauc, evaluate.table_decimals, temporary)
    return text


def offer_frame(results: Mapping[str, TaskResult], vocabulary: pd.DataFrame) -> pd.DataFrame:
    """One row for each evaluated offer: task, label, value, positives, negatives, AUC of each model."""
    frames = []
    for task, result in results.items():
        values = vocabulary[vocabulary[FEATURE] == task].set_index(LABEL)[VALUE]
        frame = pd.DataFrame(result.columns)
        frame.insert(0, "task", task)
        frame.insert(2, VALUE, values.loc[frame[LABEL]].to_numpy())
        models = list(frame.columns[5:])
        frame[models] = frame[models].astype(np.float64).round(6)
        frames.append(frame)
    return pd.concat(frames, ignore_index=True)
