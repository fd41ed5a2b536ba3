"""Write what the stage `report` makes of the results: a page, a picture, tables in Markdown."""

from offerbench.core.atomic import atomic_file
from offerbench.core.json_files import read_json
from offerbench.core.paths import (
    CURVES_DIRECTORY,
    LOCK_FILE,
    METRICS_DIRECTORY,
    RAW_DIRECTORY,
    REPORTS_DIRECTORY,
)
from offerbench.core.rows import table_rows
from offerbench.core.yaml_files import parse_yaml
from offerbench.evaluation.pairs import Measure
from offerbench.evaluation.result_files import read_gaps, read_offers_table, read_wauc, results_directory
from offerbench.parameters import Parameters
from offerbench.report.findings import all_findings, findings_markdown
from offerbench.report.heat_map import draw_heat_map
from offerbench.report.measures import MeasureResults
from offerbench.report.page import PageContent, page_html
from offerbench.report.tables import report_markdown
from offerbench.report.training_logs import read_best_points, read_training_logs


def write_report(parameters: Parameters) -> str:
    """Write wauc.md, wauc.png and index.html into reports/, of the files of metrics/.

    Parameters
    ----------
    parameters : Parameters
        What was run.

    Returns
    -------
    str
        The tables in Markdown.

    Raises
    ------
    OfferbenchError
        If a file of the results or of a training's log is missing or damaged.
    """
    rows = table_rows(parameters.tasks)
    names = [row.name for row in rows]
    prepared, batches = (read_json(METRICS_DIRECTORY / f"{name}.json") for name in ("prepare", "rebatch"))
    results = [read_results(measure) for measure in Measure]
    best = read_best_points(CURVES_DIRECTORY, names)
    findings = all_findings(parameters, prepared, batches, results[0].evaluated, best, rows)
    content = PageContent(
        rows=rows,
        data_version=raw_version(parameters.dataset),
        parameters=parameters,
        results=results,
        offers=read_offers_table(results_directory(Measure.PUBLISHED)),
        curves=read_training_logs(CURVES_DIRECTORY, names),
        prepared=prepared,
        batches=batches,
        findings=findings,
    )
    with atomic_file(REPORTS_DIRECTORY / "index.html") as temporary:
        temporary.write_text(page_html(content), encoding="utf-8")
    with atomic_file(REPORTS_DIRECTORY / "wauc.png") as temporary:
        draw_heat_map(results[0], rows, parameters.report.table_decimals, temporary)
    text = report_markdown(results, rows, parameters.evaluate, parameters.report)
    text += "\n" + findings_markdown(findings)
    with atomic_file(REPORTS_DIRECTORY / "wauc.md") as temporary:
        temporary.write_text(text, encoding="utf-8")
    return text


def read_results(measure: Measure) -> MeasureResults:
    """Read what `evaluate` found by a measure."""
    directory = results_directory(measure)
    return MeasureResults(
        measure, read_wauc(directory), read_gaps(directory), read_json(directory / "evaluate.json")
    )


def raw_version(dataset: str) -> str | None:
    """MD5 of the raw data that dvc.lock says `prepare` read; None outside of a DVC run."""
    if not LOCK_FILE.exists():
        return None
    stages = parse_yaml(LOCK_FILE.read_text(encoding="utf-8"), str(LOCK_FILE))["stages"]
    raw = (RAW_DIRECTORY / dataset).as_posix()
    read = (dep["md5"] for dep in stages.get("prepare", {}).get("deps", ()) if dep["path"] == raw)
    return next(read, None)
