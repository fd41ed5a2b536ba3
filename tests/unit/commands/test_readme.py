"""`offerbench readme`: results between markers, from their files, in README.md and in docs/."""

import shutil
from pathlib import Path

import pytest

from offerbench.commands.readme import DATA_SETS, fill, readme
from offerbench.core.errors import OfferbenchError
from offerbench.core.json_files import write_json
from offerbench.evaluation.result_files import CELL, nested, nested_rows, results_directory
from offerbench.report.campaign_tables import gap_table, wauc_table
from offerbench.report.measures import MeasureResults
from offerbench.report.tables import gap_markdown, segment_sections, wauc_markdown

from ..parameters import evaluate_parameters
from ..report.content import measured, of_segment, titles
from ..report.test_campaigns import content as campaign_content

PUBLISHED, CLEAN = measured()


def marked(name: str, content: str = "stale\n") -> str:
    return f"before\n<!-- results: {name} -->\n{content}<!-- end -->\nafter\n"


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Metrics, benchmarks and a study, and texts with markers."""
    monkeypatch.chdir(tmp_path)
    for found in measured():
        for name, values in (
            ("wauc", nested(found.wauc, CELL, "wauc")),
            ("half_widths", nested(found.wauc, CELL, "half_width")),
            ("gaps", nested_rows(found.gaps, [*CELL, "compared_with"])),
        ):
            write_json(results_directory(found.measure) / f"{name}.json", values)
    for name, content in (
        (
            "prepare",
            {"events_kept": 1458000, "users": {"train": 1669, "validation": 400, "test": 401}},
        ),
        ("rebatch", {"test": {"events_in_batches": 105840, "batches": 21}}),
    ):
        write_json(tmp_path / "metrics" / f"{name}.json", content)
    for directory in ("benchmarks", "docs", "reports/studies"):
        (tmp_path / directory).mkdir(parents=True)
    (tmp_path / "benchmarks/results.md").write_text("| ratio |\n")
    (tmp_path / "benchmarks/scaling.md").write_text("| rows |\n")
    sections = segment_sections({"all": "| of all |", "cold_start": "| of cold |"}, evaluate_parameters())
    (tmp_path / "reports/studies/seeds-2.md").write_text("\n".join(["# Seeds\n", *sections]))
    (tmp_path / "README.md").write_text(marked("wauc_all"))
    (tmp_path / "docs/results.md").write_text(marked("gaps_all") + marked("study_seeds-2_cold_start"))
    (tmp_path / "docs/other.md").write_text("no marker\n")
    return tmp_path


@pytest.mark.parametrize(
    ("name", "found", "segment"),
    [
        ("wauc_all", PUBLISHED, "all"),
        ("wauc_cold_start", PUBLISHED, "cold_start"),
        ("clean_all", CLEAN, "all"),
    ],
)
def test_wauc_of_a_segment(checkout: Path, name: str, found: MeasureResults, segment: str) -> None:
    expected = wauc_markdown(of_segment(found.wauc.round(6), segment), titles(), 3)
    assert "*ceiling (sees the future)*" in expected
    assert fill(marked(name)) == marked(name, expected + "\n")


@pytest.mark.parametrize(("name", "found"), [("gaps_all", PUBLISHED), ("gaps_clean_all", CLEAN)])
def test_gaps_have_their_means_and_short_titles(checkout: Path, name: str, found: MeasureResults) -> None:
    names = {
        "full": "full model",
        "augmented": "augmented model",
        "history_affinity": "history affinity",
    }
    expected = gap_markdown(of_segment(found.gaps.round(6)), names, 3, with_mean=True)
    assert "full model to the specialist" in expected
    assert "full model to the best yardstick, history affinity" in expected
    assert fill(marked(name)) == marked(name, expected + "\n")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("benchmarks", "| ratio |"),
        ("scaling", "| rows |"),
        ("study_seeds-2_all", "| of all |"),
        ("study_seeds-2_cold_start", "| of cold |"),
        (
            "counts",
            "1,458,000 purchases of 2,470 households (1,669 train, 400 validation, 401 test); "
            "105,840 test events in 21 batches.",
        ),
    ],
)
def test_other_results(checkout: Path, name: str, text: str) -> None:
    assert fill(marked(name)) == marked(name, text + "\n")


def test_every_text_is_filled_and_then_left_alone(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = (checkout / "docs/other.md").stat().st_mtime_ns
    readme()
    texts = {name: (checkout / name).read_text() for name in ("README.md", "docs/results.md")}
    assert "stale" not in "".join(texts.values())
    assert texts["docs/results.md"].endswith(marked("study_seeds-2_cold_start", "| of cold |\n"))
    assert "docs/results.md" in capsys.readouterr().out
    before = {name: (checkout / name).stat().st_ino for name in texts}
    readme(check=True)
    readme()
    assert {name: (checkout / name).stat().st_ino for name in texts} == before
    assert (checkout / "docs/other.md").stat().st_mtime_ns == other


@pytest.mark.parametrize("name", ["README.md", "docs/results.md"])
def test_check_names_the_text_that_is_behind_and_changes_nothing(checkout: Path, name: str) -> None:
    readme()
    text = (checkout / name).read_text().replace(" |\n<!--", " |\nby hand\n<!--")
    (checkout / name).write_text(text)
    with pytest.raises(OfferbenchError, match=rf"{name}: not what .*offerbench readme"):
        readme(check=True)
    assert (checkout / name).read_text() == text


def test_an_unknown_result_is_refused_with_those_there_are(checkout: Path) -> None:
    (checkout / "docs/results.md").write_text(marked("nothing_all"))
    message = r"docs/results\.md: no result is called 'nothing_all'.*wauc_all.*study_"
    with pytest.raises(OfferbenchError, match=message):
        readme()


@pytest.mark.parametrize(
    ("name", "file", "command"),
    [
        ("wauc_all", "metrics/wauc.json", "dvc repro"),
        ("gaps_all", "metrics/gaps.json", "dvc repro"),
        ("clean_all", "metrics/clean/wauc.json", "dvc repro"),
        ("gaps_clean_all", "metrics/clean/gaps.json", "dvc repro"),
        ("counts", "metrics/prepare.json", "dvc repro"),
        ("benchmarks", "benchmarks/results.md", "make benchmark"),
        ("scaling", "benchmarks/scaling.md", "make scaling"),
        ("study_seeds-2_all", "reports/studies/seeds-2.md", "offerbench study seeds-2"),
    ],
)
def test_a_missing_file_is_named_with_the_command_that_makes_it(
    checkout: Path, name: str, file: str, command: str
) -> None:
    (checkout / file).unlink()
    with pytest.raises(OfferbenchError, match=rf"{file}: no such file.*`{command}`"):
        fill(marked(name))


def test_a_study_without_the_segment_is_refused(checkout: Path) -> None:
    with pytest.raises(OfferbenchError, match=r"seeds-2\.md: has no section 'Popular offers'"):
        fill(marked("study_seeds-2_popular"))


def test_campaigns_of_a_study_are_tabulated(checkout: Path) -> None:
    content = campaign_content()
    file = checkout / "reports/studies/shop.json"
    write_json(file, {"settings": {"whole": {"campaigns": content}}})
    filled = fill(marked("study_shop_campaigns"))
    for table in (wauc_table(content, "all", 3), gap_table(content, "all", 3)):
        assert table in filled
    write_json(file, {"settings": {"whole": {}}})
    with pytest.raises(OfferbenchError, match=r"shop.json: has no backtest.*`offerbench study shop`"):
        fill(marked("study_shop_campaigns"))


def test_a_study_cannot_be_named_by_a_path(checkout: Path) -> None:
    shutil.copy(checkout / "reports/studies/seeds-2.md", checkout / "secret.md")
    text = marked("study_../../secret_all")
    assert fill(text) == text  # no marker


def test_data_sets_are_those_of_params_yaml_and_of_studies(checkout: Path) -> None:
    counts = {"rows": 1000, "target_events": 900, "users": {"train": 5, "validation": 6, "test": 7}}
    write_json(checkout / "metrics/prepare.json", counts)
    cell = {"full": 0.61, "mono_shelf": 0.5, "frequency": 0.7}
    for name in DATA_SETS:
        settings = {"whole": {"data": counts | {"rows": 123456}, "wauc": {"all": {"shelf": cell}}}}
        write_json(checkout / f"reports/studies/{name}.json", {"title": name, "settings": settings})
    filled = fill(marked("data_sets"))
    assert "| Complete Journey | 1,000" in filled
    for name in DATA_SETS:
        (line,) = [line for line in filled.splitlines() if line.startswith(f"| {name} ")]
        assert "| 123,456 |" in line and "| .610 " in line and "| **.700** " in line
    (checkout / f"reports/studies/{DATA_SETS[0]}.json").unlink()
    with pytest.raises(OfferbenchError, match=rf"{DATA_SETS[0]}\.json: no such file\. Run `offerbench study"):
        fill(marked("data_sets"))
