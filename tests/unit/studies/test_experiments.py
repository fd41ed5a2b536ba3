"""Experiments of a commit, looked up in git as DVC keeps them."""

import json
from pathlib import Path

import pytest

from offerbench.core.errors import OfferbenchError
from offerbench.studies.experiments import (
    committed_text,
    finished_revisions,
    head,
    plan_experiments,
    reference,
    refuse_uncommitted,
)
from offerbench.studies.results import best_epoch, read_study_results, read_table, write_study_results

from ..git_repository import commit_all, git
from .set_up import make_study, parameters_text, plan

STUDY = make_study()
ONE, TWO = plan(STUDY)


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    project = tmp_path / "repository" / "project"
    project.mkdir(parents=True)
    git(project.parent, "init", "-q", "-b", "main")
    (project / "params.yaml").write_text(parameters_text())
    commit_all(project)
    monkeypatch.chdir(project)
    return project


def keep(project: Path, name: str, text: str, value: float = 0.6) -> str:
    """Keep an experiment of the commit that is checked out, as DVC does; give its hash."""
    commit = git(project, "rev-parse", "HEAD")
    (project / "params.yaml").write_text(text)
    metrics, curve = project / "metrics", project / "plots/training/augmented/plots/metrics/validation"
    metrics.mkdir(exist_ok=True)
    curve.mkdir(parents=True, exist_ok=True)
    wauc = {"all": {"brand": {"full": value, "augmented": None}}}
    widths = {"all": {"brand": {"augmented": None, "full": value / 4}}}
    (metrics / "wauc.json").write_text(json.dumps(wauc))
    (metrics / "half_widths.json").write_text(json.dumps(widths))
    (curve / "auc.tsv").write_text("step\tauc\n0\t0.51\n1\t0.62\n2\t0.6\n")
    revision = commit_all(project)
    git(project, "update-ref", reference(commit, name), revision)
    git(project, "reset", "-q", "--hard", commit)
    return revision


def test_what_has_finished_is_found_by_the_name_of_dvc(repository: Path) -> None:
    assert finished_revisions([ONE, TWO], head()) == {}
    revision = keep(repository, "some-two", TWO.text)
    assert finished_revisions([ONE, TWO], head()) == {"some-two": revision}


def test_an_experiment_of_another_commit_is_not_one_of_this(repository: Path) -> None:
    keep(repository, "some-two", TWO.text)
    commit_all(repository)
    assert finished_revisions([ONE, TWO], head()) == {}


@pytest.mark.parametrize("text", [ONE.text, TWO.text.replace("seed: 2", "seed: '2'"), parameters_text()])
def test_an_experiment_with_other_parameters_is_refused(repository: Path, text: str) -> None:
    keep(repository, "some-two", text)
    refusal = (
        "experiment some-two of this commit has other parameters than the study says: "
        "`train_augmented.seed` = 2, `train_augmented.groupings` = null. "
        "Remove it (`dvc exp remove some-two`), then run it again."
    )
    with pytest.raises(OfferbenchError) as refused:
        finished_revisions([ONE, TWO], head())
    assert str(refused.value) == refusal


def test_results_are_read_from_the_experiments(repository: Path, tmp_path: Path) -> None:
    study = make_study(tabulate={**STUDY.tabulate.model_dump(), "best_epoch": True})
    revisions = {
        one.name: keep(repository, one.name, one.text, value) for one, value in ((ONE, 0.6), (TWO, 0.7))
    }
    found = read_study_results(study, [ONE, TWO], {"some-two": revisions["some-two"]})
    assert found.settings == ["two"] and found.best_epochs == {"two": 2}
    found = read_study_results(study, [ONE, TWO], revisions)
    assert found.settings == ["one", "two"]
    rows = found.table.astype(object).where(found.table.notna(), None).to_numpy().tolist()
    assert rows == [
        ["one", "all", "brand", "full", 0.6, 0.15],
        ["one", "all", "brand", "augmented", None, None],
        ["two", "all", "brand", "full", 0.7, 0.175],
        ["two", "all", "brand", "augmented", None, None],
    ]
    write_study_results(tmp_path / "some.json", study, [ONE, TWO], found)
    written = json.loads((tmp_path / "some.json").read_text())
    assert (written["title"], written["base"]) == ("A study", "params.yaml")
    assert written["settings"]["two"] == {
        "changes": {"train_augmented.seed": 2, "train_augmented.groupings": None},
        "wauc": {"all": {"brand": {"full": 0.7, "augmented": None}}},
        "half_widths": {"all": {"brand": {"full": 0.175, "augmented": None}}},
        "best_epoch": 2,
    }


def test_what_has_not_finished_is_written_without_numbers(repository: Path, tmp_path: Path) -> None:
    revision = keep(repository, "some-two", TWO.text)
    found = read_study_results(STUDY, [ONE, TWO], {"some-two": revision})
    write_study_results(tmp_path / "some.json", STUDY, [ONE, TWO], found)
    settings = json.loads((tmp_path / "some.json").read_text())["settings"]
    assert settings["one"] == {"changes": {"train_augmented.seed": 1}}
    assert settings["two"]["wauc"]["all"]["brand"]["full"] == 0.6


def test_an_experiment_without_results_is_named(repository: Path) -> None:
    with pytest.raises(OfferbenchError, match=r"^metrics/wauc.json: not among the results of experiment"):
        read_table(head())
    with pytest.raises(OfferbenchError, match=r"^plots/training/full/.*not among the results"):
        best_epoch(head(), "full")


def test_changes_since_the_commit_are_refused(repository: Path) -> None:
    refuse_uncommitted()
    (repository / "params.yaml").write_text("other: 1\n")
    (repository / "README.md").write_text("new")
    git(repository, "add", "README.md")
    with pytest.raises(OfferbenchError, match=r"^README.md, params.yaml: changed since the last commit"):
        refuse_uncommitted()


def test_the_files_of_studies_and_what_is_outside_the_project_may_change(repository: Path) -> None:
    files = [repository / name for name in ("studies/mine.yaml", "reports/studies/mine.md")]
    files.append(repository.parent / "outside.txt")
    for content in ("before", "after"):
        for file in files:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content)
        if content == "before":
            commit_all(repository.parent)
    refuse_uncommitted()


def test_a_base_that_is_not_committed_is_named(repository: Path) -> None:
    (repository / "presets").mkdir()
    (repository / "presets/mine.yaml").write_text(parameters_text())
    with pytest.raises(OfferbenchError, match=r"^presets/mine.yaml: not in commit [0-9a-f]{7}. Commit it"):
        committed_text(head(), "presets/mine.yaml")
    commit_all(repository)
    assert committed_text(head(), "presets/mine.yaml") == parameters_text()


def test_a_repository_without_a_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    git(tmp_path, "init", "-q")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(OfferbenchError, match="no commit yet"):
        head()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"train_full.sead": 1}, "train_full.sead: unknown key"),
        ({"train_full.seed": -1}, "train_full.seed: Input should be greater than or equal to 0, got -1"),
        ({"train_full.ranker.compression.mask": True}, "train_full.ranker.compression is no section"),
        ({"tasks": ["colour"]}, "tasks: ['colour'] must be among prepare.offer_features"),
    ],
    ids=str,
)
def test_a_setting_that_no_stage_takes_is_named_before_anything_runs(settings: dict, words: str) -> None:
    study = make_study(settings={"fine": {}, "bad": settings})
    with pytest.raises(OfferbenchError) as refused:
        plan_experiments("some", study, parameters_text())
    assert str(refused.value).startswith("studies/some.yaml: setting bad: ") and words in str(refused.value)


def test_what_is_common_to_all_is_set_first() -> None:
    study = make_study(common={"train_augmented.seed": 7, "train_mono.seed": 8})
    one, two = plan_experiments("some", study, parameters_text())
    assert (one.content["train_augmented"]["seed"], one.content["train_mono"]["seed"]) == (1, 8)
    assert two.settings == {
        "train_augmented.seed": 2,
        "train_mono.seed": 8,
        "train_augmented.groupings": None,
    }
