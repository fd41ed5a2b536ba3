import copy
import json
from pathlib import Path
from typing import Any

import pytest
from dvc.utils.serialize import load_yaml

from offerbench.core.errors import OfferbenchError
from offerbench.studies.settings import differences, read_parameters, value_at, with_settings

from ..parameters import COMPLETE, changed
from .set_up import parameters_text

REPOSITORY = Path(__file__).parents[3]
SET_UPS = [REPOSITORY / "params.yaml", *sorted((REPOSITORY / "presets").glob("*.yaml"))]
TEXT = """\
# About the file.
tasks: [brand]  # what is sold
train:
  seed: 1
  rate: 2e-7  # small
  part: {a: 1, b: null}
"""


def test_settings_are_all_that_changes_and_comments_stay() -> None:
    assert with_settings(TEXT, {"train.seed": 3}) == TEXT.replace("seed: 1", "seed: 3")


@pytest.mark.parametrize("file", SET_UPS, ids=lambda file: file.stem)
def test_nothing_else_changes_in_any_set_up(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    same = read_parameters(text)["rebatch"]["seed"]
    assert with_settings(text, {}) == with_settings(text, {"rebatch.seed": same}) == text


def test_a_set_up_that_nothing_is_set_in_stays_however_it_is_written() -> None:
    text = "a:   [1,2]\nb:\n"
    assert with_settings(text, {}) == text


def test_a_value_replaces_the_whole_of_a_section() -> None:
    assert read_parameters(with_settings(TEXT, {"train.part": {"c": 2}}))["train"]["part"] == {"c": 2}
    assert "  part: null\n" in with_settings(TEXT, {"train.part": None})


def test_a_section_takes_the_place_of_null_and_a_later_key_is_set_in_it() -> None:
    section = {"user_meta_features": 5, "offer_meta_features": 3, "mask": False}
    before = copy.deepcopy(section)
    key = "train_full.ranker.compression"
    text = with_settings(parameters_text(), {key: section, f"{key}.mask": True})
    assert read_parameters(text) == changed(key, {**section, "mask": True})
    assert section == before, "the study's own value stays"


@pytest.mark.parametrize("key", ["train.part.b.c", "train.seed.x", "test.seed"])
def test_a_key_in_what_is_no_section_is_refused(key: str) -> None:
    with pytest.raises(OfferbenchError, match=rf"^{key}: {key.rpartition('.')[0]} is no section"):
        with_settings(TEXT, {key: 1})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("train_full.seed", 3),
        ("train_augmented.ranker.match_score", None),
        ("train_augmented.ranker.l1", 3e-7),
        ("train_augmented.history_dropout", 0.0),
        ("train_augmented.ranker.interaction", "bilinear"),
        ("train_augmented.ranker.variance", False),
        ("train_augmented.ranker.compression", {"user_meta_features": 5, "mask": True}),
        ("train_augmented.ranker.match_score.windows", [100, None]),
        ("prepare.history.keep", "yes"),
        ("prepare.history.lengths", {}),
        ("dataset", "null"),
        ("dataset", "a: #b\n'"),
    ],
    ids=json.dumps,
)
def test_dvc_reads_settings_as_they_are_meant(key: str, value: Any, tmp_path: Path) -> None:
    text = with_settings(parameters_text(), {key: value})
    (tmp_path / "params.yaml").write_text(text, encoding="utf-8")
    assert load_yaml(tmp_path / "params.yaml") == read_parameters(text) == changed(key, value)
    found = value_at(read_parameters(text), key)
    assert (found, type(found)) == (value, type(value))


def test_value_of_a_key() -> None:
    assert value_at(COMPLETE, "train_full.ranker.units") == [6, 3]
    assert value_at(COMPLETE, "train_full.ranker.compression.mask") is None, "its section is null"
    assert value_at(COMPLETE, "train_full.no_such_key") is None


@pytest.mark.parametrize(("one", "other"), [(1, 1.0), (1, True), ("1", 1), ([0], [False]), (None, "null")])
def test_values_of_other_types_differ(one: Any, other: Any) -> None:
    assert set(differences({"a": {"b": one}}, {"a": {"b": other}})) == {"a.b"}
    assert differences({"a": {"b": one}}, {"a": {"b": one}}) == {}


def test_differences_are_listed_key_by_key() -> None:
    before = {"a": {"x": 1, "y": 2, "z": None}, "gone": {"b": 1}, "same": [1, 2], "section": {"k": 1, "l": 2}}
    after = {"a": {"x": 1, "y": 3, "z": {"d": 1}}, "same": [1, 2], "section": None, "new": "text"}
    assert differences(before, after) == {
        "a.y": ("2", "3"),
        "a.z": ("null", '{"d": 1}'),
        "gone": ('{"b": 1}', "(no such key)"),
        "section": ('{"k": 1, "l": 2}', "null"),
        "new": ("(no such key)", '"text"'),
    }


@pytest.mark.parametrize("file", SET_UPS, ids=lambda file: file.stem)
def test_differences_applied_give_the_other_set_up(file: Path) -> None:
    committed = (REPOSITORY / "params.yaml").read_text(encoding="utf-8")
    wanted = read_parameters(file.read_text(encoding="utf-8"))
    found = differences(read_parameters(committed), wanted)
    assert bool(found) == (wanted != read_parameters(committed))
    content = read_parameters(committed)
    for key, (_, value) in found.items():
        *sections, last = key.split(".")
        section = content
        for name in sections:
            section = section[name]
        if value == "(no such key)":
            del section[last]
        else:
            section[last] = json.loads(value)
    assert content == wanted
