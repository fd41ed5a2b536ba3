"""`offerbench readme`: put the committed results into README.md and docs/, between their markers.

A marker pair `<!-- results: NAME -->` ... `<!-- end -->` holds what this module makes of the
metrics and reports, so that no figure in the texts is typed by hand.
"""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from offerbench.campaigns.rows import CampaignRow
from offerbench.core.atomic import atomic_file
from offerbench.core.columns import SEGMENT, TASK, WAUC
from offerbench.core.errors import OfferbenchError
from offerbench.core.json_files import read_json
from offerbench.core.paths import METRICS_DIRECTORY, REPORTS_DIRECTORY
from offerbench.core.rows import table_rows
from offerbench.evaluation.pairs import Measure
from offerbench.evaluation.result_files import CELL, read_gaps, read_wauc, results_directory, tidy
from offerbench.report.campaign_tables import SEGMENT_HEADINGS, gap_table, wauc_table
from offerbench.report.headline import headline_markdown
from offerbench.report.measures import names_not_ranked
from offerbench.report.tables import SEGMENT_TITLES, gap_markdown, segment_section, wauc_markdown
from offerbench.studies.data_sets import DataSet, data_sets_markdown

README = Path("README.md")
DOCUMENTS = Path("docs")
BENCHMARKS = Path("benchmarks")
CAMPAIGNS = METRICS_DIRECTORY / "campaign.json"
STUDIES = REPORTS_DIRECTORY / "studies"
MARKED = re.compile(r"(<!-- results: (?P<name>[a-z0-9_-]+) -->\n).*?(<!-- end -->)", re.DOTALL)
STUDY_CAMPAIGNS = "campaigns"
STUDY = re.compile(rf"study_(?P<study>[a-z0-9_-]+)_(?P<part>{'|'.join([*SEGMENT_TITLES, STUDY_CAMPAIGNS])})")
DECIMALS = 3
DATA_SETS = ("online_retail", "instacart_sample", "movielens_100k")
"""Studies of one run on a data set each; params.yaml is of another one."""


def _text(file: Path, command: str) -> str:
    if not file.exists():
        raise OfferbenchError(f"{file}: no such file. Run `{command}` to make it.")
    return file.read_text(encoding="utf-8").strip()


def _wauc(segment: str, measure: Measure = Measure.PUBLISHED) -> str:
    table = read_wauc(results_directory(measure))
    rows = table_rows(table[TASK].unique())
    titles = {row.name: row.title for row in rows}
    return wauc_markdown(table[table[SEGMENT] == segment], titles, DECIMALS, names_not_ranked(rows))


def _gaps(measure: Measure = Measure.PUBLISHED) -> str:
    """Mean gaps of the generalists, and their gap in each task."""
    gaps = read_gaps(results_directory(measure))
    titles = {row.name: row.short_title for row in table_rows(gaps[TASK].unique())}
    return gap_markdown(gaps[gaps[SEGMENT] == "all"], titles, DECIMALS, with_mean=True)


def _headline() -> str:
    table = read_wauc(results_directory(Measure.PUBLISHED))
    return headline_markdown(table[table[SEGMENT] == "all"], table_rows(table[TASK].unique()), DECIMALS)


def _campaigns(section: str) -> str:
    """Give what the report of the backtest has under a heading."""
    file = REPORTS_DIRECTORY / "campaigns.md"
    parts = _text(file, "dvc repro report_campaigns").split("\n## ")
    for part in parts:
        heading, _, content = part.partition("\n")
        if heading == section:
            return content.strip()
    raise OfferbenchError(f"{file}: has no section '{section}'. Run `dvc repro report_campaigns`.")


def _campaign_wauc() -> str:
    return wauc_table(read_json(CAMPAIGNS), "all", DECIMALS)


def _campaign_own() -> str:
    """Gaps of the campaign score to the models that are made for one campaign alone."""
    content = read_json(CAMPAIGNS)
    own = [str(row) for row in CampaignRow.of_single_offers()]
    gaps = {
        task: {row: of_task[row] for row in own} for task, of_task in content["gaps"]["best_sellers"].items()
    }
    return gap_table({"gaps": {"best_sellers": gaps}}, "best_sellers", DECIMALS)


def _counts() -> str:
    prepared = read_json(METRICS_DIRECTORY / "prepare.json")
    batches = read_json(METRICS_DIRECTORY / "rebatch.json")
    users = prepared["users"]
    return (
        f"{prepared['events_kept']:,} purchases of {sum(users.values()):,} households "
        f"({users['train']:,} train, {users['validation']:,} validation, {users['test']:,} test); "
        f"{batches['test']['events_in_batches']:,} test events in {batches['test']['batches']} batches."
    )


def _study(name: str, segment: str) -> str:
    """Give the table of a segment out of a study's report."""
    file, command = STUDIES / f"{name}.md", f"offerbench study {name}"
    section = segment_section(_text(file, command), segment)
    if section is None:
        raise OfferbenchError(f"{file}: has no section '{SEGMENT_TITLES[segment]}'. Run `{command}` again.")
    return section


def _study_campaigns(name: str) -> str:
    """Give wAUC and gaps of the backtest of a study of one setting."""
    file, command = STUDIES / f"{name}.json", f"offerbench study {name}"
    (setting,) = json.loads(_text(file, command))["settings"].values()
    if "campaigns" not in setting:
        raise OfferbenchError(f"{file}: has no backtest. Set `backtest: true` in the study, run `{command}`.")
    content = setting["campaigns"]
    tables = wauc_table(content, "all", DECIMALS), gap_table(content, "all", DECIMALS)
    return "\n\nCampaign score less row:\n\n".join(tables)


def _data_sets() -> str:
    """Tabulate the data sets whose results are committed: that of params.yaml, then those of studies."""
    counts = read_json(METRICS_DIRECTORY / "prepare.json")
    found = [DataSet("Complete Journey", counts, read_wauc(results_directory(Measure.PUBLISHED)))]
    for name in DATA_SETS:
        content = json.loads(_text(STUDIES / f"{name}.json", f"offerbench study {name}"))
        (setting,) = content["settings"].values()
        found.append(DataSet(content["title"], setting["data"], tidy(setting["wauc"], CELL, WAUC)))
    return data_sets_markdown(found, DECIMALS)


RESULTS: dict[str, Callable[[], str]] = {
    "wauc_all": lambda: _wauc("all"),
    "headline": _headline,
    "campaign_wauc": _campaign_wauc,
    "campaign_own": _campaign_own,
    "campaigns_all": lambda: _campaigns(SEGMENT_HEADINGS["all"]),
    "campaigns_best_sellers": lambda: _campaigns(SEGMENT_HEADINGS["best_sellers"]),
    "campaigns_reach": lambda: _campaigns("Share of the buyers among the best users"),
    "wauc_cold_start": lambda: _wauc("cold_start"),
    "gaps_all": _gaps,
    "clean_all": lambda: _wauc("all", Measure.CLEAN),
    "gaps_clean_all": lambda: _gaps(Measure.CLEAN),
    "counts": _counts,
    "data_sets": _data_sets,
    "benchmarks": lambda: _text(BENCHMARKS / "results.md", "make benchmark"),
    "costs": lambda: _text(BENCHMARKS / "costs.md", "python -m benchmarks.costs"),
    "stages": lambda: _text(BENCHMARKS / "stages.md", "python -m benchmarks.stages"),
    "step_parts": lambda: _text(BENCHMARKS / "step_parts.md", "python -m benchmarks.step_parts"),
    "scaling": lambda: _text(BENCHMARKS / "scaling.md", "make scaling"),
}


def fill(text: str, document: Path = README) -> str:
    """Replace what is between markers by the results of that name.

    Parameters
    ----------
    text : str
        A document's text.
    document : Path
        The document, to be named in messages.

    Raises
    ------
    OfferbenchError
        If a marker names no result, or the file of its result is missing.
    """

    def replace(match: re.Match[str]) -> str:
        name = match["name"]
        if study := STUDY.fullmatch(name):
            of_campaigns = study["part"] == STUDY_CAMPAIGNS
            content = (
                _study_campaigns(study["study"]) if of_campaigns else _study(study["study"], study["part"])
            )
        elif name in RESULTS:
            content = RESULTS[name]()
        else:
            known = ", ".join((*RESULTS, "study_<name>_<segment>", "study_<name>_campaigns"))
            raise OfferbenchError(f"{document}: no result is called '{name}'. There are {known}.")
        return f"{match[1]}{content}\n{match[3]}"

    return MARKED.sub(replace, text)


def documents() -> list[Path]:
    """List the files that may have markers."""
    return [README, *sorted(DOCUMENTS.glob("*.md"))]


def readme(check: Annotated[bool, typer.Option(help="Compare only, change nothing.")] = False) -> None:
    """Bring README.md and docs/ up to date with the committed results."""
    for document in documents():
        text = document.read_text(encoding="utf-8")
        filled = fill(text, document)
        if check and filled != text:
            raise OfferbenchError(f"{document}: not what the results say. Run `offerbench readme`.")
        if filled != text:
            with atomic_file(document) as temporary:
                temporary.write_text(filled, encoding="utf-8")
    print(f"readme: {', '.join(map(str, documents()))} are up to date")
