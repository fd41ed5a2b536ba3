from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from offerbench.core.errors import OfferbenchError
from offerbench.studies.config import load_study

from ..git_repository import write_yaml
from .set_up import make_study

SMALL: dict[str, Any] = {
    "title": "A study",
    "about": "What it is about.",
    "settings": {"one": {}},
    "tabulate": {"kind": "models_as_rows"},
}


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_yaml(tmp_path / "studies/mine.yaml", SMALL)
    return tmp_path


def test_a_file_of_studies_is_a_study(directory: Path) -> None:
    study = load_study("mine")
    assert (study.title, study.base, study.common) == ("A study", "params.yaml", {})
    assert study.settings == {"one": {}}


@pytest.mark.parametrize("name", ["other", "../params", "mine.yaml", ""])
def test_an_unknown_study_is_answered_with_those_there_are(directory: Path, name: str) -> None:
    write_yaml(directory / "params.yaml", SMALL)
    write_yaml(directory / "studies/another.yaml", SMALL)
    with pytest.raises(OfferbenchError) as refused:
        load_study(name)
    assert str(refused.value) == f"studies/{name}.yaml: no such file. There are another, mine."


def test_no_studies_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(OfferbenchError, match="There are none"):
        load_study("mine")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"titel": "x"}, "titel: Extra inputs are not permitted"),
        ({"title": None}, "title: Input should be a valid string"),
        ({"settings": {}}, "settings: "),
        ({"settings": {"one": None}}, "settings.one: "),
        ({"settings": {1: {}}}, "settings.1"),
        ({"settings": {"a b": {}}}, "settings.a b"),
        ({"settings": {"../a": {}}}, "settings.../a"),
        ({"settings": {"one": {"Train seed": 1}}}, "settings.one.Train seed"),
        ({"common": {"train_full.": 1}}, "common.train_full."),
        ({"base": "presets/../params.yaml"}, "base: "),
        ({"base": "/etc/passwd"}, "base: "),
        ({"tabulate": {"kind": "pie"}}, "tabulate: "),
        ({"tabulate": {"kind": "settings_as_rows", "model": "full"}}, "tabulate.settings_as_rows.columns: "),
        ({"tabulate": {"kind": "mean_and_deviation"}}, "settings: a deviation needs two at least"),
    ],
    ids=str,
)
def test_a_mistake_is_named_with_its_key(directory: Path, changes: dict[str, Any], words: str) -> None:
    write_yaml(directory / "studies/mine.yaml", {**SMALL, **changes})
    with pytest.raises(OfferbenchError) as refused:
        load_study("mine")
    assert str(refused.value).startswith("studies/mine.yaml: ") and words in str(refused.value)


@pytest.mark.parametrize("text", ["title: [", "title: a\ntitle: b\n"])
def test_a_file_that_is_not_yaml_is_named(directory: Path, text: str) -> None:
    (directory / "studies/mine.yaml").write_text(text)
    with pytest.raises(OfferbenchError, match=r"^studies/mine.yaml: not valid YAML"):
        load_study("mine")


def test_a_study_is_not_changed_once_read() -> None:
    with pytest.raises(ValidationError):
        make_study().title = "Another"
