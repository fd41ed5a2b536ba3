"""Online Retail, whole and real, by presets/online_retail.yaml: counts known from another reader."""

import csv
import tarfile
from pathlib import Path

import duckdb
import pytest

from offerbench.datasets import custom
from offerbench.parameters import load_parameters

REPOSITORY = Path(__file__).parents[3]
ARCHIVE = REPOSITORY.parent / "shared" / "data" / "online_retail_by_day.tar.gz"


@pytest.mark.skipif(not ARCHIVE.exists(), reason="Online Retail is not there")
def test_the_preset_reads_online_retail(tmp_path: Path, connection: duckdb.DuckDBPyConnection) -> None:
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(tmp_path, filter="data")
    columns = load_parameters(REPOSITORY / "presets/online_retail.yaml").custom
    assert columns is not None
    read = custom.read_events(connection, tmp_path / "by-day", columns)
    assert read.rows == 541_909
    assert read.rejected == {}
    assert read.left_out == {
        "user_missing": 135_080,
        "not_kept_by_Quantity": 8_905,
        "not_kept_by_UnitPrice": 40,
        "not_kept_by_StockCode": 1_547,
    }
    counted = connection.sql(
        """
        SELECT count(*), count(DISTINCT "user"), min(day), max(day), count(DISTINCT day),
               count(*) FILTER (kind = 'LANTERN'), count(*) FILTER (look = 'WHITE')
        FROM events
        """
    ).fetchall()
    assert counted[0][:5] == (396_337, 4_334, 14_944, 15_317, 305)
    assert counted[0][5:] == _lanterns_and_white(sorted((tmp_path / "by-day").iterdir()))


def _lanterns_and_white(files: list[Path]) -> tuple[int, int]:
    """The same with Python's own reader."""
    other = {"POST", "DOT", "M", "D", "C2", "S", "PADS", "BANK CHARGES", "AMAZONFEE", "CRUK"}
    lanterns = white = 0
    for file in files:
        with file.open(encoding="utf-8", newline="") as stream:
            for row in csv.DictReader(stream):
                if not row["CustomerID"] or int(row["Quantity"]) <= 0 or float(row["UnitPrice"]) <= 0:
                    continue
                words = row["Description"].strip().split(" ")
                if row["StockCode"] not in other:
                    lanterns += words[-1] == "LANTERN"
                    white += words[0] == "WHITE"
    return lanterns, white
