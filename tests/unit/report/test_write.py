"""The stage `report`: from the files of the other stages to its own, and no further."""

from pathlib import Path

import numpy as np
import pytest

from offerbench.core.errors import OfferbenchError
from offerbench.core.json_files import write_json
from offerbench.core.tables import write_parquet
from offerbench.evaluation.result_files import CELL, nested, nested_rows, results_directory
from offerbench.report.tables import report_markdown
from offerbench.report.training_logs import MEASURES
from offerbench.report.write import raw_version, write_report

from .content import measured, page_content, parameters, rows, trained, wauc_rows

BEST = [
    {"epoch": 1, "steps": 8, "validation_auc": 0.6, "note": None},
    {"epoch": 2, "steps": 16, "validation_auc": 0.6, "note": "best at the last"},
]
FACTS = {"events": 10, "events_bought_before": 3, "negatives": 40, "negatives_of_own_user": 1}
OF_SPLIT = {
    "users": 20,
    "events": 200,
    "batches": 40,
    "events_in_batches": 100,
    "events_over_daily_limit": 95,
    "events_in_incomplete_batches": 5,
    "events_with_empty_history": 7,
}
BATCHES = dict.fromkeys(("train", "validation", "test"), OF_SPLIT)
PREPARED = page_content().prepared | {
    "events_kept": 100,
    "target_events": 90,
    "target_events_of_largest_user": 3,
    "vocabulary": {
        "brand": {"values": 9, "in_vocabulary": 8, "events_out_of_vocabulary": 40, "events_covered": 0.6}
    },
}


@pytest.fixture
def metrics(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The files that the stage reads, in the working directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("offerbench.report.write.table_rows", lambda _: rows())
    content = page_content()
    for found in content.results:
        for name, metric in (
            ("wauc", nested(found.wauc, CELL, "wauc")),
            ("half_widths", nested(found.wauc, CELL, "half_width")),
            ("gaps", nested_rows(found.gaps, [*CELL, "compared_with"])),
            ("evaluate", {task: {**counts, **FACTS} for task, counts in found.evaluated.items()}),
        ):
            write_json(results_directory(found.measure) / f"{name}.json", metric)
    write_json(tmp_path / "metrics/prepare.json", PREPARED)
    write_json(tmp_path / "metrics/rebatch.json", BATCHES)
    columns = {str(name): column.to_numpy() for name, column in content.offers.items()}
    write_parquet(tmp_path / "metrics" / "offers.parquet", columns)
    for model in trained():
        for measure in MEASURES:
            part, name = measure.split("_")
            file = tmp_path / "plots" / "training" / model / "plots" / "metrics" / part / f"{name}.tsv"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(f"step\t{name}\n0\t0.5\n1\t0.6\n")
        write_json(tmp_path / "plots" / "training" / model / "metrics.json", {"best": BEST[model == "full"]})
    return tmp_path / "metrics"


def test_reports_are_made_of_the_files_and_the_same_each_time(metrics: Path) -> None:
    text = write_report(parameters())
    reports = {path.name: path.read_bytes() for path in Path("reports").iterdir()}
    assert set(reports) == {"index.html", "wauc.md", "wauc.png"}
    assert reports["wauc.md"].decode() == text
    shown = parameters()
    tables = report_markdown(measured(), rows(), shown.evaluate, shown.report)
    assert text.startswith(tables + "\n## What to know of these numbers\n\n- **Warning**: full model: ")
    assert text.count("**Warning**") == 2
    assert "- **Warning**: category2: 0.0% of" not in text and "- brand: 30.0% of the measured events" in text
    assert "in epoch 2, after 16 steps, best at the last." in text
    assert "- **Warning**: brand: 40.0% of the events are out of the vocabulary" in text
    assert "trained once" not in text
    page = reports["index.html"].decode()
    assert "mono: brand 0.500 to 0.600" in page
    assert ".511 <small>±.001" in page and ".523 <small>±.001" in page  # by each measure
    assert write_report(parameters()) == text
    assert {path.name: path.read_bytes() for path in Path("reports").iterdir()} == reports


def test_a_digit_is_all_that_the_number_of_decimals_changes(metrics: Path) -> None:
    report = parameters().report.model_copy(update={"table_decimals": 2})
    text = write_report(parameters(report=report))
    wauc = wauc_rows().iloc[0]
    assert f"{wauc['wauc']:.2f}"[1:] in text and f"{wauc['wauc']:.3f}"[1:] not in text
    assert np.isclose(wauc["wauc"], 0.511)


@pytest.mark.parametrize("file", ["gaps.json", "clean/gaps.json", "clean/evaluate.json"])
def test_a_missing_file_is_named(metrics: Path, file: str) -> None:
    (metrics / file).unlink()
    with pytest.raises(OfferbenchError, match=rf"metrics/{file}: no such file.*dvc repro"):
        write_report(parameters())


def test_the_picture_is_of_the_published_measure(metrics: Path) -> None:
    write_report(parameters())
    picture = Path("reports/wauc.png").read_bytes()
    write_json(metrics / "clean/half_widths.json", nested(wauc_rows(), CELL, "wauc"))
    write_report(parameters())
    assert Path("reports/wauc.png").read_bytes() == picture
    write_json(metrics / "half_widths.json", nested(wauc_rows(), CELL, "wauc"))
    write_report(parameters())
    assert Path("reports/wauc.png").read_bytes() != picture


def test_data_version_is_that_of_the_lock_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert raw_version("shop") is None
    Path("dvc.lock").write_text(
        "stages:\n  prepare:\n    deps:\n    - {path: src, md5: a}\n    - {path: data/raw/shop, md5: b.dir}\n"
    )
    assert raw_version("shop") == "b.dir"
    assert raw_version("other") is None
    Path("dvc.lock").write_text("stages: {}\n")
    assert raw_version("shop") is None
