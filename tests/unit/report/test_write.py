"""The stage `report`: from the files of the other stages to its own, and no further."""

from pathlib import Path

import numpy as np
import pytest

from offerbench.core.errors import OfferbenchError
from offerbench.core.json_files import write_json
from offerbench.core.tables import write_parquet
from offerbench.evaluation.result_files import CELL, nested, nested_rows
from offerbench.report.tables import report_markdown
from offerbench.report.training_logs import MEASURES
from offerbench.report.write import raw_version, write_report

from .content import gap_rows, models, page_content, parameters, titles, wauc_rows


@pytest.fixture
def metrics(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The files that the stage reads, in the working directory."""
    monkeypatch.chdir(tmp_path)
    content, table = page_content(), wauc_rows()
    for name, metric in (
        ("wauc", nested(table, CELL, "wauc")),
        ("half_widths", nested(table, CELL, "half_width")),
        ("gaps", nested_rows(gap_rows(), [*CELL, "compared_with"])),
        ("prepare", content.prepared),
        ("rebatch", content.batches),
        ("evaluate", content.evaluated),
    ):
        write_json(tmp_path / "metrics" / f"{name}.json", metric)
    columns = {str(name): column.to_numpy() for name, column in content.offers.items()}
    write_parquet(tmp_path / "metrics" / "offers.parquet", columns)
    for model in models()[:-1]:
        for measure in MEASURES:
            part, name = measure.split("_")
            file = tmp_path / "plots" / "training" / model / "plots" / "metrics" / part / f"{name}.tsv"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(f"step\t{name}\n0\t0.5\n1\t0.6\n")
    return tmp_path / "metrics"


def test_reports_are_made_of_the_files_and_the_same_each_time(metrics: Path) -> None:
    text = write_report(metrics, parameters())
    reports = {path.name: path.read_bytes() for path in Path("reports").iterdir()}
    assert set(reports) == {"index.html", "wauc.md", "wauc.png"}
    assert reports["wauc.md"].decode() == text
    shown = parameters()
    assert text == report_markdown(wauc_rows().round(6), gap_rows(), titles(), shown.evaluate, shown.report)
    assert "mono: brand 0.500 to 0.600" in reports["index.html"].decode()
    assert write_report(metrics, parameters()) == text
    assert {path.name: path.read_bytes() for path in Path("reports").iterdir()} == reports


def test_a_digit_is_all_that_the_number_of_decimals_changes(metrics: Path) -> None:
    report = parameters().report.model_copy(update={"table_decimals": 2})
    text = write_report(metrics, parameters(report=report))
    wauc = wauc_rows().iloc[0]
    assert f"{wauc['wauc']:.2f}"[1:] in text and f"{wauc['wauc']:.3f}"[1:] not in text
    assert np.isclose(wauc["wauc"], 0.511)


def test_a_missing_file_is_named(metrics: Path) -> None:
    (metrics / "gaps.json").unlink()
    with pytest.raises(OfferbenchError, match=r"gaps\.json: no such file.*dvc repro"):
        write_report(metrics, parameters())


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
