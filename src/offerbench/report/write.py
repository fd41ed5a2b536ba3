"""Write what `evaluate` found: metrics, tables, pictures, results for each offer."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from ruamel.yaml import YAML

from offerbench.evaluation.results import (
    TaskResult,
    WaucSamples,
    gap_table,
    headline,
    interval_table,
    summarise,
    wauc_table,
)
from offerbench.params.loading import Parameters
from offerbench.report.heat_map import draw_heat_map
from offerbench.report.page import PageContent, write_page
from offerbench.report.tables import report_markdown
from offerbench.report.training_logs import read_training_logs
from offerbench.schema import (
    CURVES_DIRECTORY,
    FEATURE,
    HISTORY_AFFINITY,
    LABEL,
    LOCK_FILE,
    METRICS_DIRECTORY,
    RAW_DIRECTORY,
    REPORTS_DIRECTORY,
    VALUE,
)
from offerbench.storage import read_json, read_parquet, whole_file, write_json, write_parquet


def write_results(
    results: Mapping[str, TaskResult],
    samples: Mapping[str, WaucSamples],
    parameters: Parameters,
    prepared_directory: Path,
) -> str:
    """Write all files of the results.

    Returns
    -------
    str
        The tables in Markdown.
    """
    evaluate = parameters.evaluate
    wauc, intervals = wauc_table(results, evaluate), interval_table(samples)
    gaps = gap_table(samples, wauc)
    counts = {task: result.counts for task, result in results.items()}
    for name, metric in (
        ("wauc", wauc),
        ("intervals", intervals),
        ("gaps", gaps),
        ("summary", summarise(gaps)),
        ("headline", headline(wauc, gaps)),
        ("evaluate", counts),
    ):
        write_json(METRICS_DIRECTORY / f"{name}.json", metric)
    offers = offer_frame(results, pd.DataFrame(read_parquet(prepared_directory / "vocabulary.parquet")))
    write_parquet(
        REPORTS_DIRECTORY / "offers.parquet",
        {str(name): column.to_numpy() for name, column in offers.items()},
    )
    text = report_markdown(
        wauc,
        evaluate.popular_min_positives,
        evaluate.cold_start_min_positives,
        evaluate.table_decimals,
        intervals,
        gaps,
    )
    with whole_file(REPORTS_DIRECTORY / "wauc.md") as temporary:
        temporary.write_text(text, encoding="utf-8")
    with whole_file(REPORTS_DIRECTORY / "wauc.png") as temporary:
        draw_heat_map(wauc, evaluate.table_decimals, temporary, intervals)
    trained = [name for name in next(iter(wauc["all"].values())) if name != HISTORY_AFFINITY]
    content = PageContent(
        dataset=parameters.dataset,
        data_version=raw_version(parameters.dataset),
        parameters=parameters.model_dump(exclude={"resources", "regression"}),  # these change no number
        wauc=wauc,
        intervals=intervals,
        gaps=gaps,
        offers=offers,
        curves=read_training_logs(CURVES_DIRECTORY, trained),
        prepared=read_json(METRICS_DIRECTORY / "prepare.json"),
        batches=read_json(METRICS_DIRECTORY / "rebatch.json"),
        evaluated=counts,
    )
    write_page(REPORTS_DIRECTORY / "index.html", content)
    return text


def raw_version(dataset: str) -> str | None:
    """MD5 of the raw data that dvc.lock says `prepare` read; None outside of a DVC run."""
    if not LOCK_FILE.exists():
        return None
    stages = YAML(typ="safe").load(LOCK_FILE.read_text(encoding="utf-8"))["stages"]
    raw = (RAW_DIRECTORY / dataset).as_posix()
    read = (dep["md5"] for dep in stages.get("prepare", {}).get("deps", ()) if dep["path"] == raw)
    return next(read, None)


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
