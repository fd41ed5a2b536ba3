"""Preparation on Spark against one machine: every file the same bytes, every count and refusal the same."""

import csv
import gzip
import os
from pathlib import Path

import fsspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from ruamel.yaml import YAML

from offerbench.datasets import complete_journey
from offerbench.datasets.config import Custom
from offerbench.datasets.synthetic.generate import generate
from offerbench.engines.remote_files import list_remote, write_listing
from offerbench.preparation.config import Prepare
from tests.bad_input import custom_log
from tests.unit.engines.s3_server import s3_server
from tests.unit.parameters import merged, prepare_parameters
from tests.unit.tiny_log import FIRST_DAY, HEADER, csv_line, draw_log, write_log

from .conftest import CONF, LOCAL, Engines

pytestmark = pytest.mark.spark
OF_S3 = ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION")
REPOSITORY = Path(__file__).parents[2]
LINES = [line for _, line in draw_log(90, seed=20)]
SMALL = {
    "clusters.price_cluster.clusters": 20,
    "split": {"test_users": 10, "validation_users": 10},
    "vocabulary.min_occurrences": 20,
    "history.length": 40,
}


def preset(name: str) -> Prepare:
    """The section `prepare` of a parameters file with less of everything."""
    content = YAML(typ="safe").load((REPOSITORY / name).read_text())
    return Prepare.model_validate(merged(content["prepare"], SMALL))


@pytest.mark.parametrize("users_per_shard", [1, 17, 1_000_000])
def test_bytes_do_not_depend_on_the_shards(engines: Engines, users_per_shard: int) -> None:
    write_log(engines.directory / "raw", LINES)
    found = engines.check("rees46", prepare_parameters(), users_per_shard=users_per_shard)
    assert found.refusal is None
    assert len(found.files) == 15


def test_other_histories(engines: Engines) -> None:
    write_log(engines.directory / "raw", LINES)
    prepare = prepare_parameters(
        keep="oldest", weights="recency", lengths={"brand": 2}, events=["view", "cart"]
    )
    assert engines.check("rees46", prepare).refusal is None


def test_vocabulary_of_what_was_known_before_a_day(engines: Engines) -> None:
    write_log(engines.directory / "raw", LINES)
    assert engines.check("rees46", prepare_parameters(), until=FIRST_DAY + 12).refusal is None
    assert "Choose a later day" in str(engines.check("rees46", prepare_parameters(), until=FIRST_DAY).refusal)


def test_synthetic_preset(engines: Engines) -> None:
    generate(engines.directory / "raw", rows=30_000, months=3, seed=7)
    found = engines.check("synthetic", preset("presets/synthetic.yaml"), users_per_shard=100)
    assert found.refusal is None


def test_complete_journey(engines: Engines) -> None:
    raw = engines.directory / "raw"
    complete_journey.fetch(raw)
    table = pq.read_table(raw / "transactions.parquet")
    pq.write_table(table.filter(pc.less(table["household_id"], 60)), raw / "transactions.parquet")
    assert engines.check("complete_journey", preset("presets/complete_journey.yaml")).refusal is None


def test_a_log_of_your_own(engines: Engines) -> None:
    (engines.directory / "raw/orders.csv").write_bytes(custom_log.as_csv(custom_log.rows()))
    content = custom_log.parameters()
    found = engines.check(
        "custom", Prepare.model_validate(content["prepare"]), Custom.model_validate(content["custom"])
    )
    assert found.refusal is None


@pytest.mark.parametrize("work_directory", ["work", "file://{}/there"])
def test_a_parquet_log_by_row_groups(
    work_directory: str, engines: Engines, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("offerbench.engines.raw_sources.ROWS_OF_PART", 40)
    rows = custom_log.rows()
    for number, some in enumerate((rows[:300], rows[300:])):
        text = custom_log.as_csv(some).decode().splitlines()
        columns = zip(*csv.reader(text[1:]), strict=True)
        table = pa.table(dict(zip(custom_log.COLUMNS, map(list, columns), strict=True)))
        pq.write_table(table, engines.directory / f"raw/orders{number}.parquet", row_group_size=30)
    content = custom_log.parameters(files="orders*.parquet")
    custom, prepare = Custom.model_validate(content["custom"]), Prepare.model_validate(content["prepare"])
    found = engines.check("custom", prepare, custom, work_directory=work_directory.format(tmp_path))
    assert found.refusal is None


def test_names_that_are_words_of_sql(engines: Engines) -> None:
    (engines.directory / "raw/orders.csv").write_bytes(custom_log.as_csv(custom_log.rows()))
    content = custom_log.parameters()
    names = ["select", "order", "shard", "null", "current_date", "from", "array"]
    custom = {**content["custom"], "features": dict.fromkeys(names, "sku")}
    prepare = {**content["prepare"], "offer_features": [*names, "price_cluster"]}
    prepare["history"] = {**prepare["history"], "lengths": {}}
    found = engines.check("custom", Prepare.model_validate(prepare), Custom.model_validate(custom))
    assert found.refusal is None


ROW = csv_line(7, 0, "purchase", "100", "a.b", "x", "1.50")
BAD = [
    *(ROW.replace("2019-10-01", "2019-02-30"), ROW.replace("1.50", "cheap"), ROW.replace("1.50", "-1.50")),
    *(ROW.replace("1.50", "1e300"), ROW.replace(",7,", ",1.5,"), ROW.replace(",7,", ",,"), ROW + ",more"),
    *(ROW.replace(",100,", ",,"), ROW.replace(",x,", ",\xff\xfe,"), "short", ROW.replace("purchase", "Cart")),
]


def write(raw: Path, *files: list[str]) -> None:
    """Write every second file packed."""
    for number, lines in enumerate(files):
        data = "".join(f"{line}\n" for line in [HEADER, *lines]).encode("latin-1")
        packed = number % 2 == 1
        (raw / f"{number}.csv{'.gz' * packed}").write_bytes(gzip.compress(data) if packed else data)


def test_damaged_rows_are_rejected_alike(engines: Engines) -> None:
    write(engines.directory / "raw", [*LINES[:900], *BAD * 3], [*BAD * 4, *LINES[900:]])
    found = engines.check("rees46", prepare_parameters().model_copy(update={"max_rejected_share": 0.5}))
    assert found.refusal is None
    assert found.files["rejects.csv"].count(b"\n") > 60


def test_too_many_damaged_rows_are_refused_alike(engines: Engines) -> None:
    write(engines.directory / "raw", [*LINES[:900], *BAD * 3], [*BAD * 4, *LINES[900:]])
    assert "rows can't be used" in str(engines.check("rees46", prepare_parameters()).refusal)


def test_a_damaged_file_is_refused_alike(engines: Engines) -> None:
    write(engines.directory / "raw", LINES[:900], LINES[900:])
    packed = engines.directory / "raw/1.csv.gz"
    packed.write_bytes(packed.read_bytes()[:-6])
    assert "raw/1.csv.gz: can't be unpacked" in str(engines.check("rees46", prepare_parameters()).refusal)


def test_files_that_repeat_events_are_refused_alike(engines: Engines) -> None:
    write(engines.directory / "raw", LINES, LINES[300:900])
    assert "repeats" in str(engines.check("rees46", prepare_parameters()).refusal)


def test_a_feature_that_is_not_there_is_refused_alike(engines: Engines) -> None:
    write_log(engines.directory / "raw", LINES)
    prepare = prepare_parameters().model_copy(update={"offer_features": ["colour", "brand"]})
    assert "has no column" in str(engines.check("rees46", prepare).refusal)
    prepare = prepare_parameters().model_copy(update={"target_event": "gift"})
    assert "no event of type 'gift'" in str(engines.check("rees46", prepare).refusal)


def conf_of_s3() -> dict[str, str]:
    """Tell workers where the server of a test is: they have the variables with which Java was started."""
    return {**CONF, **{f"spark.executorEnv.{name}": os.environ[name] for name in OF_S3}}


def test_work_directory_at_a_url(engines: Engines, tmp_path: Path) -> None:
    write(engines.directory / "raw", [*LINES[:900], *BAD * 3], [*BAD * 4, *LINES[900:]])
    prepare = prepare_parameters().model_copy(update={"max_rejected_share": 0.5})
    found = engines.check("rees46", prepare, work_directory=f"file://{tmp_path}/there")
    assert found.refusal is None
    assert list((tmp_path / "there").iterdir()) == []


def test_work_directory_on_s3(engines: Engines, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("offerbench.engines.spark_files.PIECE", 30)  # some files a table
    border = [csv_line(user, 20, "cart", "100", "a.b", "x", "1.50") for user in range(40, 60)]
    mine = [line for line in LINES if not line.startswith("2019-10-2")]
    later = [csv_line(user, 22, "purchase", "100", "a.b", "x", "1.50") for user in range(30)]
    write(engines.directory / "raw", [*mine, *border], [*border, *later])
    with s3_server() as url:
        work = f"{url.replace('s3', 's3a', 1)}/work"
        prepare = prepare_parameters().model_copy(update={"max_rejected_share": 0.5})
        found = engines.check("rees46", prepare, work_directory=work, conf=conf_of_s3())
        assert fsspec.filesystem("s3").find(url) == []
    assert found.refusal is None
    assert '"repeats_an_event_of_another_file": 20' in found.counts


def test_raw_files_on_s3(engines: Engines) -> None:
    raw = engines.directory / "raw"
    write(raw, [*LINES[:900], *BAD * 3], [*BAD * 4, *LINES[900:]])
    prepare = prepare_parameters().model_copy(update={"max_rejected_share": 0.5})
    expected = engines.run("rees46", prepare, None)
    with s3_server() as url:
        for file in list(raw.iterdir()):
            fsspec.filesystem("s3").put_file(str(file), f"{url}/{file.name}")
            file.unlink()
        write_listing(list_remote(url), raw)
        found = engines.run("rees46", prepare, {**LOCAL, "conf": conf_of_s3()})
    assert expected.refusal is None
    assert found == expected
