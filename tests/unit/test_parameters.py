"""Every mistake in params.yaml is named with its key and what is allowed there."""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from offerbench.core.errors import OfferbenchError
from offerbench.parameters import load_parameters

from .. import remembered_yaml
from .parameters import COMPLETE, changed


def write(directory: Path, content: Any) -> Path:
    (directory / "params.yaml").write_text(remembered_yaml.dumped(content))
    return directory / "params.yaml"


def message(path: Path) -> str:
    with pytest.raises(OfferbenchError) as caught:
        load_parameters(path)
    return str(caught.value)


def test_complete_parameters_are_read(tmp_path: Path) -> None:
    assert load_parameters(write(tmp_path, COMPLETE)).model_dump() == COMPLETE


def test_spark_is_asked_for_by_its_section(tmp_path: Path) -> None:
    spark = {"master": "spark://host:7077", "work_directory": "/shared/work", "users_per_shard": 10}
    content = changed("resources.spark", {**spark, "conf": {"spark.executor.memory": "8g"}})
    assert load_parameters(write(tmp_path, content)).model_dump() == content
    with pytest.raises(OfferbenchError, match=r"resources\.spark\.conf: missing"):
        load_parameters(write(tmp_path, changed("resources.spark", spark)))
    for place in ("s3a://bucket/a/b", "hdfs://host:8020/work", "file:///shared/work", "work", "/shared/w o"):
        content = changed("resources.spark", {**spark, "conf": {}, "work_directory": place})
        assert load_parameters(write(tmp_path, content)).model_dump() == content
    places = ["/shared/*", "", "s3://me:secret@bucket/work", "s3://bucket", "s3:/work", "a::s3://bucket/work"]
    wrong = {"users_per_shard": [0], "work_directory": places, "master": [""]}
    for key, values in wrong.items():
        for value in values:
            content = changed("resources.spark", {**spark, "conf": {}, key: value})
            with pytest.raises(OfferbenchError, match=rf"resources\.spark\.{key}: "):
                load_parameters(write(tmp_path, content))


def test_sizes_may_be_shares(tmp_path: Path) -> None:
    content = copy.deepcopy(COMPLETE)
    content["prepare"]["split"] |= {"test_users": 0.2, "validation_users": 3}
    content["prepare"]["vocabulary"]["min_occurrences"] = 1e-4
    content["evaluate"] |= {"popular_min_positives": 0.002, "cold_start_min_positives": 1e-4}
    assert load_parameters(write(tmp_path, content)).model_dump() == content


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("prepare.offer_features", ["brand"], True),
        ("prepare.offer_features", ["brand", "category2"], False),
        ("train_mono", {**COMPLETE["train_mono"], "seed": 7}, False),
    ],
)
def test_the_specialist_is_the_full_model_where_both_are_one_training(
    tmp_path: Path, key: str, value: Any, expected: bool
) -> None:
    content = copy.deepcopy(COMPLETE)
    content["tasks"], content["prepare"]["clusters"] = ["brand"], {}
    content["prepare"]["offer_features"] = ["brand"]
    *sections, last = key.split(".")
    section = content
    for name in sections:
        section = section[name]
    section[last] = value
    assert load_parameters(write(tmp_path, content)).specialist_is_full is expected


def test_replicas_share_whole_negatives_groups(tmp_path: Path) -> None:
    content = changed("resources.replicas", 2)  # batches of 20 events, groups of 5
    assert load_parameters(write(tmp_path, content)).resources.replicas == 2
    with pytest.raises(
        OfferbenchError, match=r"resources\.replicas: .*20, must be a multiple of 3 x \(train"
    ):
        load_parameters(write(tmp_path, changed("resources.replicas", 3)))
    compression = {"user_meta_features": 2, "offer_meta_features": 2, "mask": False}
    content["train_mono"]["ranker"]["compression"] = compression
    with pytest.raises(OfferbenchError, match=r"must be 1 for train_mono\.ranker\.compression"):
        load_parameters(write(tmp_path, content))
    content["resources"]["replicas"] = 1
    load_parameters(write(tmp_path, content))


def test_numbers_with_an_exponent_are_numbers(tmp_path: Path) -> None:
    # YAML 1.1, and with it PyYAML, reads 2e-7 as text.
    text = write(tmp_path, COMPLETE).read_text().replace("weight_decay: 1e-06", "weight_decay: 2e-7")
    (tmp_path / "params.yaml").write_text(text)
    assert load_parameters(tmp_path / "params.yaml").train_full.optimizer.weight_decay == 2e-7


@pytest.mark.parametrize(
    ("key", "value", "allowed"),
    [
        ("dataset", "movielens", "'rees46'"),
        ("tasks", [], "at least 1"),
        ("tasks", ["price cluster"], "should match pattern"),
        ("prepare.target_event", "a purchase", "should match pattern"),
        ("prepare.clusters.price_cluster.clusters", 0, "greater than or equal to 1"),
        ("prepare.clusters.price_cluster.decimals", 7, "less than or equal to 6"),
        ("prepare.vocabulary.min_occurrences", "40", "integer"),
        ("prepare.vocabulary.out_of_vocabulary_buckets", 0, "greater than or equal to 1"),
        ("prepare.split.test_users", 1.5, "integer"),
        ("prepare.split.test_users", 0, "1 or more, or a share above 0 and below 1"),
        ("prepare.split.validation_users", True, "share above 0 and below 1"),
        ("prepare.vocabulary.min_occurrences", 1.0, "share above 0 and below 1"),
        ("prepare.vocabulary.min_occurrences", None, "integer"),
        ("evaluate.popular_min_positives", -1, "0 or more, or a share"),
        ("train_full.min_steps_per_epoch", 0, "greater than or equal to 1"),
        ("prepare.split.seed", -1, "greater than or equal to 0"),
        ("prepare.history.events", [], "at least 1"),
        ("prepare.history.keep", "newest", "'oldest' or 'latest'"),
        ("prepare.history.weights", "age", "'distinct', 'count' or 'recency'"),
        ("prepare.history.half_life_events", 0.0, "greater than or equal to 0.000001"),
        ("prepare.history.length", True, "integer"),
        ("prepare.history.lengths.brand", 0, "greater than or equal to 1"),
        ("rebatch.batch_size", 1, "greater than or equal to 2"),
        ("train_full.ranker.dropout", 1.0, "less than or equal to 0.999"),
        ("train_full.ranker.l1", -1e-9, "greater than or equal to 0"),
        ("train_full.ranker.units", 100, "list"),
        ("train_full.ranker.units", [6, 0], "greater than or equal to 1"),
        ("train_full.ranker.interaction", "product", "'dot' or 'bilinear'"),
        ("train_full.ranker.batch_normalization_momentum", "0.9", "number"),
        ("train_full.epochs", None, "integer"),
        ("train_full.early_stopping_patience", 0, "greater than or equal to 1"),
        ("train_mono.optimizer.name", "sgd", "'adamw_tfa' or 'adamw_keras'"),
        ("train_mono.optimizer.learning_rate", 0.0, "greater than or equal to 0.00"),
        ("train_augmented.remove_accidental_hits", "all", "'none', 'offer' or 'bought_that_day'"),
        ("train_augmented.groupings.coarser_and_finer_share", 1.1, "less than or equal to 1"),
        ("train_augmented.ranker.match_score.windows", [0], "greater than or equal to 1"),
        ("train_augmented.ranker.match_score.prior_events", 0.0, "greater than or equal to 0.000001"),
        ("train_augmented.ranker.match_score.attribute_values", 0, "greater than or equal to 1"),
        ("group_test.values_per_feature", 0, "greater than or equal to 1"),
        ("evaluate.users", "train", "'test' or 'validation'"),
        ("evaluate.yardsticks.prior_events", 0.0, "greater than or equal to 0.000001"),
        ("evaluate.yardsticks.half_life_days", 0.0, "greater than or equal to 0.000001"),
        ("report.table_decimals", 0, "greater than or equal to 1"),
        ("gate.tolerance.all", 1.5, "less than or equal to 1"),
        ("resources.memory_limit", "much", "GB"),
    ],
)
def test_a_value_that_is_not_allowed(tmp_path: Path, key: str, value: Any, allowed: str) -> None:
    text = message(write(tmp_path, changed(key, value)))
    assert text.startswith(f"{tmp_path}/params.yaml: {key}")
    assert allowed in text
    assert "got " in text
    assert len(text.splitlines()) == 1


@pytest.mark.parametrize(
    "key",
    ["colour", "prepare.colour", "prepare.history.kept", "train_full.ranker.drop_out", "resources.cores"],
)
def test_an_unknown_key(tmp_path: Path, key: str) -> None:
    text = message(write(tmp_path, changed(key, 1)))
    assert text.startswith(f"{tmp_path}/params.yaml: {key}: unknown key.")


@pytest.mark.parametrize(
    "key", ["tasks", "prepare.history.keep", "train_full.seed", "train_mono", "evaluate.yardsticks", "report"]
)
def test_a_missing_key(tmp_path: Path, key: str) -> None:
    content = copy.deepcopy(COMPLETE)
    *sections, last = key.split(".")
    section = content
    for name in sections:
        section = section[name]
    del section[last]
    assert (
        message(write(tmp_path, content))
        == f"{tmp_path}/params.yaml: {key}: missing. presets/ has complete files."
    )


@pytest.mark.parametrize(
    ("key", "value", "named", "allowed"),
    [
        ("tasks", ["brand", "category1"], "tasks", "['category1'] must be among prepare.offer_features"),
        ("tasks", ["brand", "brand"], "tasks", "once"),
        (
            "prepare.offer_features",
            ["brand", "category2", "price_cluster", "brand"],
            "prepare.offer_features",
            "once",
        ),
        ("prepare.history.events", ["cart", "cart"], "prepare.history.events", "once"),
        (
            "prepare.history.lengths",
            {"brand": 5, "colour": 5},
            "prepare.history.lengths",
            "['colour'] must be among prepare.offer_features",
        ),
        (
            "rebatch.batch_size",
            21,
            "rebatch.batch_size",
            "multiple of train_full.number_of_negatives + 1 = 5, got 21",
        ),
        ("train_full.number_of_negatives", 6, "rebatch.batch_size", "train_full.number_of_negatives + 1 = 7"),
        ("train_mono.number_of_negatives", 6, "rebatch.batch_size", "train_mono.number_of_negatives + 1 = 7"),
        ("evaluate.number_of_negatives", 6, "rebatch.batch_size", "evaluate.number_of_negatives + 1 = 7"),
        (
            "prepare.clusters",
            {"colour_cluster": COMPLETE["prepare"]["clusters"]["price_cluster"]},
            "prepare.clusters",
            "['colour_cluster'] must be among prepare.offer_features",
        ),
        ("evaluate.popular_min_positives", 3, "evaluate.popular_min_positives", "cold_start_min_positives"),
        ("evaluate.popular_min_positives", 0.5, "evaluate.popular_min_positives", "got 0.5 and 4"),
    ],
)
def test_values_that_contradict_each_other(
    tmp_path: Path, key: str, value: Any, named: str, allowed: str
) -> None:
    text = message(write(tmp_path, changed(key, value)))
    assert text.startswith(f"{tmp_path}/params.yaml: {named}: ")
    assert allowed in text


def test_every_mistake_has_its_line(tmp_path: Path) -> None:
    content = changed("train_full.epochs", 0)
    content["train_full"]["ranker"]["colour"] = "red"
    lines = message(write(tmp_path, content)).splitlines()
    assert sorted(line.split(": ")[1] for line in lines) == ["train_full.epochs", "train_full.ranker.colour"]


def test_a_missing_file(tmp_path: Path) -> None:
    assert (
        message(tmp_path / "params.yaml")
        == f"{tmp_path}/params.yaml: no such file. Copy one of presets/ there."
    )


@pytest.mark.parametrize(
    "content", [b"tasks: [brand", b"a: 1\na: 2", b"\xff\xfe\x00", b"tasks:\n\t- brand"], ids=repr
)
def test_a_file_that_is_not_yaml(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "params.yaml").write_bytes(content)
    assert message(tmp_path / "params.yaml").startswith(f"{tmp_path}/params.yaml: not valid YAML.")


@pytest.mark.parametrize("content", ["", "- brand", "text"])
def test_a_file_that_is_no_mapping(tmp_path: Path, content: str) -> None:
    (tmp_path / "params.yaml").write_text(content)
    assert f"{tmp_path}/params.yaml: " in message(tmp_path / "params.yaml")


BOMB = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 40))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("tasks: " + "[" * 3000, "nested too deeply"),
        ("tasks: " + "[" * 3000 + "]" * 3000, "nested too deeply"),
        ("".join(" " * n + "a:\n" for n in range(1500)), "nested too deeply"),
        (BOMB, "values with its aliases, at most 100,000"),
        ("tasks: &a [*a]", "contains itself"),
        ("tasks: " + "9" * 5000, "digits"),
        ("tasks: 2001-13-99", "month"),
        ("tasks: !!python/object:os.system [x]", "constructor"),
        ("# " + "x" * 5_000_001, "5,000,003 characters, at most"),
    ],
    ids=["open", "closed", "mappings", "bomb", "itself", "digits", "date", "object", "size"],
)
def test_a_file_that_is_made_to_harm(tmp_path: Path, content: str, reason: str) -> None:
    (tmp_path / "params.yaml").write_text(content)
    text = message(tmp_path / "params.yaml")
    assert text.startswith(f"{tmp_path}/params.yaml: ") and reason in text
    assert len(text) < 1000


def test_a_long_value_and_a_long_key_are_cut_in_the_message(tmp_path: Path) -> None:
    text = message(write(tmp_path, changed("dataset", "x" * 10_000)))
    assert len(text) < 600
    text = message(write(tmp_path, {**COMPLETE, "new\nline" + "x" * 10_000: 1}))
    assert len(text.splitlines()) == 1 and "new line" in text and len(text) < 600


def numbers(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every number of the schema, by where it stands."""
    waiting: list[tuple[str, Any]] = [("", schema)]
    while waiting:
        place, part = waiting.pop()
        if isinstance(part, dict):
            if part.get("type") in ("integer", "number"):
                yield place, part
            waiting += [(f"{place}/{key}", value) for key, value in part.items()]
        elif isinstance(part, list):
            waiting += [(f"{place}/{at}", value) for at, value in enumerate(part)]


def test_every_number_has_bounds() -> None:
    schema = json.loads((Path(__file__).parents[2] / "params.schema.json").read_text())
    found = dict(numbers(schema))
    assert len(found) > 40
    for place, part in found.items():
        assert {"minimum", "exclusiveMinimum"} & set(part), place
        upper = part.get("maximum", part.get("exclusiveMaximum"))
        assert upper is not None and upper <= 2**63, place


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *((f"{training}.seed", 2**31) for training in ("train_full", "train_augmented", "train_mono")),
        ("rebatch.seed", 2**63),
        ("evaluate.bootstrap.seed", 2**63),
        ("evaluate.bootstrap.samples", 10**9),
        ("rebatch.batch_size", 2**63 - 8),
        ("rebatch.users_per_group", 2**63),
        ("train_full.optimizer.learning_rate", 1e300),
        ("train_full.optimizer.learning_rate", 1e-300),
        ("train_full.optimizer.weight_decay", 1e300),
        ("train_full.ranker.l1", 1e300),
        ("train_full.ranker.embedding_dim", 2**40),
        ("train_full.ranker.units", [2**40]),
        ("train_augmented.groupings.mean_features", 1e-300),
        ("train_augmented.groupings.mean_further_groups", 1e300),
        ("train_augmented.ranker.match_score.prior_events", 1e-300),
        ("evaluate.yardsticks.half_life_days", 1e-300),
        ("evaluate.threads", 2**40),
        ("resources.memory_limit", "99999999999999999999GB"),
        ("resources.spill_directory", "data\x00spill"),
        ("resources.spill_directory", "x" * 5000),
        ("resources.events_per_chunk", 2**63),
    ],
)
def test_a_value_that_no_stage_could_work_with(tmp_path: Path, key: str, value: Any) -> None:
    lines = message(write(tmp_path, changed(key, value))).splitlines()
    assert len(lines) == 1 and lines[0].startswith(f"{tmp_path}/params.yaml: {key}")


def test_the_largest_memory_limit_is_one_for_duckdb(tmp_path: Path) -> None:
    load_parameters(write(tmp_path, changed("resources.memory_limit", "999999GB")))
    with duckdb.connect() as connection:
        connection.execute("SET memory_limit = ?", ["999999GB"])


def test_parameters_can_not_be_changed_once_read(tmp_path: Path) -> None:
    parameters = load_parameters(write(tmp_path, COMPLETE))
    with pytest.raises(ValueError, match="frozen"):
        parameters.train_full.epochs = 3
