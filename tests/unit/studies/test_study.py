"""A study from its file to its report, in a repository where a function takes the place of DVC."""

import fcntl
import json
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from offerbench.core.errors import OfferbenchError
from offerbench.report.campaign_tables import calibration_table, wauc_table
from offerbench.studies import runner
from offerbench.studies.experiments import reference
from offerbench.studies.settings import read_parameters
from offerbench.studies.study import run_study

from ..git_repository import commit_all, git, write_yaml
from ..report.test_campaigns import content as campaign_content
from .set_up import make_study, parameters_text

NAMES = ["some-one", "some-two"]
RAW = "data/raw/rees46"
REPORTS = [Path("reports/studies/some.md"), Path("reports/studies/some.json")]


class Pipeline:
    """What DVC does in a clone: it keeps an experiment with the results of its parameters, or fails."""

    def __init__(self) -> None:
        self.ran: list[str] = []
        self.targets: list[list[str]] = []
        self.failing: set[str] = set()
        self.commits: set[str] = set()
        self.configurations: list[str] = []
        self.together: threading.Barrier | None = None
        self.meanwhile: Path | None = None  # committed in here while an experiment runs
        self.raw: list[set[str]] = []

    def reproduce(self, project: Path, name: str, targets: Sequence[str], log: Path) -> bool:
        self.ran.append(name)
        self.targets.append(list(targets))
        if self.together:
            self.together.wait(timeout=20)
        if self.meanwhile:
            (self.meanwhile / "README.md").write_text(name)
            commit_all(self.meanwhile)
        log.write_text("what DVC prints")
        self.raw.append({path.name for path in (project / RAW).rglob("*")})
        commit = git(project, "rev-parse", "HEAD")
        self.commits.add(commit)
        self.configurations.append((project / ".dvc/config.local").read_text())
        if name in self.failing:
            return False
        seed = int(name == "some-two") + 1
        assert f"seed: {seed}" in (project / "params.yaml").read_text().partition("train_augmented")[2]
        cell = {"full": 0.6, "augmented": 0.6 + seed / 10, "mono_brand": 0.6}
        content = {segment: {"brand": cell} for segment in ("all", "popular", "cold_start")}
        for file in ("wauc", "half_widths"):
            (project / f"metrics/{file}.json").write_text(json.dumps(content))
        if "backtest" in targets:
            (project / "metrics/campaign.json").write_text(json.dumps(campaign_content()))
        git(project, "update-ref", reference(commit, name), commit_all(project))
        return True

    def answer(self, project: Path, *words: str) -> str:
        """Other commands of DVC: where the cache is, and to take it."""
        if words == ("cache", "dir"):
            return "/the/cache\n"
        assert words == ("cache", "dir", "--local", "/the/cache")
        with (project / ".dvc/config.local").open("a") as file:
            file.write("cache = /the/cache")
        return ""


@pytest.fixture
def pipeline(monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    fake = Pipeline()
    monkeypatch.setattr(runner, "_reproduce", fake.reproduce)
    monkeypatch.setattr(runner, "_dvc", fake.answer)
    return fake


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    project = tmp_path / "repository" / "project"
    for name in (".dvc", "metrics", RAW):
        (project / name).mkdir(parents=True)
        (project / name / "config").touch()
    git(project.parent, "init", "-q", "-b", "main")
    (project / ".gitignore").write_text("/.dvc/tmp\n/.dvc/config.local\n/data/raw/*/\n")
    (project / "params.yaml").write_text(parameters_text())
    write_yaml(project / "studies/some.yaml", make_study().model_dump())
    commit_all(project)
    monkeypatch.chdir(project)
    return project


def kept(project: Path) -> list[str]:
    names = git(project, "for-each-ref", "--format=%(refname)", "refs/exps").split()
    return [name.rpartition("/")[2] for name in names]


def clones() -> list[str]:
    return [path.name for path in Path(".dvc/tmp/studies/some").iterdir() if path.is_dir()]


def test_settings_become_experiments_of_the_commit_and_a_report(project: Path, pipeline: Pipeline) -> None:
    commit = git(project, "rev-parse", "HEAD")
    assert run_study("some", 1, False) == REPORTS
    assert pipeline.ran == kept(project) == NAMES and pipeline.commits == {commit}
    settings = json.loads(REPORTS[1].read_text())["settings"]
    assert [settings[name]["wauc"]["all"]["brand"]["augmented"] for name in ("one", "two")] == [0.7, 0.8]
    assert "| 2      | no          | **.800** | **.800** |" in REPORTS[0].read_text()
    assert git(project, "status", "--porcelain", "--", ":!reports") == "", "the work tree stays as it was"
    assert clones() == []


def test_what_has_finished_is_not_run_again(project: Path, pipeline: Pipeline) -> None:
    pipeline.failing = {"some-two"}
    with pytest.raises(OfferbenchError) as refused:
        run_study("some", 1, False)
    log = ".dvc/tmp/studies/some/some-two.log"
    assert str(refused.value) == f"some-two failed: see {log}. Run it again: what finished stays."
    assert Path(log).read_text() == "what DVC prints"
    assert kept(project) == ["some-one"] and not REPORTS[0].exists()
    pipeline.failing = set()
    run_study("some", 1, False)
    assert pipeline.ran == [*NAMES, "some-two"], "a failed one is run again"
    run_study("some", 1, False)
    assert pipeline.ran == [*NAMES, "some-two"]


def test_what_has_finished_is_reported_and_nothing_run(project: Path, pipeline: Pipeline) -> None:
    pipeline.failing = {"some-one"}
    with pytest.raises(OfferbenchError, match=r"0 of 2 experiments have finished on commit [0-9a-f]{7}"):
        run_study("some", 1, True)
    assert pipeline.ran == []
    with pytest.raises(OfferbenchError, match="some-one failed"):
        run_study("some", 1, False)
    (project / "params.yaml").write_text("changed: later\n")
    run_study("some", 1, True)
    assert pipeline.ran == NAMES
    assert "Not run yet, and so without numbers: one." in REPORTS[0].read_text()


def test_a_deviation_needs_two_that_have_finished(project: Path, pipeline: Pipeline) -> None:
    study = make_study(tabulate={"kind": "mean_and_deviation"})
    write_yaml(project / "studies/some.yaml", study.model_dump())
    pipeline.failing = {"some-one"}
    with pytest.raises(OfferbenchError, match="some-one failed"):
        run_study("some", 1, False)
    with pytest.raises(OfferbenchError, match=r"1 of 2 experiments .* a report needs 2"):
        run_study("some", 1, True)


def test_experiments_are_those_of_the_commit_at_the_start(project: Path, pipeline: Pipeline) -> None:
    commit = git(project, "rev-parse", "HEAD")
    pipeline.meanwhile = project
    run_study("some", 1, False)
    assert git(project, "rev-parse", "HEAD") != commit
    assert pipeline.commits == {commit} and kept(project) == NAMES
    assert "**.800**" in REPORTS[0].read_text()


def test_a_detached_head_that_no_branch_has_is_a_commit_too(project: Path, pipeline: Pipeline) -> None:
    git(project, "checkout", "-q", "--detach")
    commit = commit_all(project)
    run_study("some", 1, False)
    assert pipeline.commits == {commit} and kept(project) == NAMES


def test_a_shallow_clone_is_enough(
    project: Path, pipeline: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit_all(project)
    git(tmp_path, "clone", "-q", "--depth", "1", project.parent.as_uri(), "shallow")
    shallow = tmp_path / "shallow/project"
    (shallow / RAW).mkdir(parents=True)
    monkeypatch.chdir(shallow)
    run_study("some", 1, False)
    assert kept(shallow) == NAMES


def test_jobs_run_at_the_same_time(project: Path, pipeline: Pipeline) -> None:
    pipeline.together = threading.Barrier(2)  # breaks if the second does not come
    run_study("some", 2, False)
    assert sorted(pipeline.ran) == NAMES


def test_clones_have_the_cache_and_the_configuration_of_the_checkout(
    project: Path, pipeline: Pipeline
) -> None:
    (project / ".dvc/config.local").write_text("secret = 1\n")
    git(project, "config", "user.name", "Somebody")
    run_study("some", 1, False)
    assert pipeline.configurations == ["secret = 1\ncache = /the/cache"] * 2


def test_who_commits_here_keeps_the_experiments(
    project: Path, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.delenv(f"GIT_{role}_NAME")
        monkeypatch.delenv(f"GIT_{role}_EMAIL")
    git(project, "config", "user.name", "Somebody")
    git(project, "config", "user.email", "somebody@localhost")
    run_study("some", 1, False)
    revision = git(project, "for-each-ref", "--format=%(objectname)", "refs/exps/**/some-one")
    assert git(project, "log", "-1", "--format=%an %ae", revision) == "Somebody somebody@localhost"


def test_a_changed_file_is_refused_before_anything_runs(project: Path, pipeline: Pipeline) -> None:
    (project / "metrics/config").write_text("changed")
    with pytest.raises(OfferbenchError, match=r"^metrics/config: changed since the last commit"):
        run_study("some", 1, False)
    assert pipeline.ran == []


def test_an_experiment_that_was_run_with_other_parameters_is_refused(
    project: Path, pipeline: Pipeline
) -> None:
    run_study("some", 1, False)
    write_yaml(
        project / "studies/some.yaml",
        make_study(settings={"one": {"train_augmented.seed": 5}, "three": {}}).model_dump(),
    )
    for finished_only in (False, True):
        with pytest.raises(OfferbenchError, match="experiment some-one of this commit has other parameters"):
            run_study("some", 1, finished_only)
    assert pipeline.ran == NAMES


def test_parameters_that_were_kept_otherwise_than_meant_are_refused(
    project: Path, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_otherwise(clone: Path, name: str, targets: Sequence[str], log: Path) -> bool:
        done = pipeline.reproduce(clone, name, targets, log)
        (clone / "params.yaml").write_text(parameters_text())
        git(clone, "update-ref", reference(git(clone, "rev-parse", "HEAD~1"), name), commit_all(clone))
        return done

    monkeypatch.setattr(runner, "_reproduce", read_otherwise)
    with pytest.raises(OfferbenchError, match="experiment some-two of this commit has other parameters"):
        run_study("some", 1, False)
    assert not REPORTS[0].exists()


def test_a_study_runs_once_at_a_time(project: Path, pipeline: Pipeline) -> None:
    directory = Path(".dvc/tmp/studies")
    directory.mkdir(parents=True)
    with (directory / "some.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(OfferbenchError, match="the study some is running already"):
            run_study("some", 1, False)
    assert pipeline.ran == []
    run_study("some", 1, False)
    assert pipeline.ran == NAMES


def test_clones_of_a_run_that_was_killed_are_removed(project: Path, pipeline: Pipeline) -> None:
    left = Path(".dvc/tmp/studies/some/some-one/project")
    left.mkdir(parents=True)
    (left / "params.yaml").write_text("half of it")
    run_study("some", 1, False)
    assert kept(project) == NAMES and clones() == []


def test_an_interruption_starts_nothing_more_and_leaves_no_clone(
    project: Path, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> bool:
        pipeline.ran.append("interrupted")
        raise KeyboardInterrupt

    monkeypatch.setattr(runner, "_reproduce", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run_study("some", 1, False)
    assert pipeline.ran.count("interrupted") <= 2 and clones() == []
    monkeypatch.setattr(runner, "_reproduce", pipeline.reproduce)
    run_study("some", 1, False)
    assert kept(project) == NAMES


def test_a_preset_is_run_beside_the_checkout(project: Path, pipeline: Pipeline) -> None:
    preset = parameters_text().replace("seed: 11", "seed: 12")
    (project / "presets").mkdir()
    (project / "presets/mine.yaml").write_text(preset)
    study = make_study(base="presets/mine.yaml", tabulate={"kind": "models_as_rows"})
    write_yaml(project / "studies/some.yaml", study.model_dump())
    commit_all(project)
    run_study("some", 1, False)
    revision = git(project, "for-each-ref", "--format=%(objectname)", "refs/exps/**/some-one")
    assert read_parameters(git(project, "show", f"{revision}:./params.yaml")) == read_parameters(preset)
    text = REPORTS[0].read_text()
    assert "The base is presets/mine.yaml; against params.yaml it has:\n\n- `rebatch.seed`: 11 → 12\n" in text
    assert "| augmented model           | **.700 ±.700** |" in text
    assert (project / "params.yaml").read_text() == parameters_text()


def test_a_study_runs_the_backtest_if_it_says_so(project: Path, pipeline: Pipeline) -> None:
    (project / "metrics/campaign.json").write_text('{"of": "another data set"}')
    commit_all(project)
    run_study("some", 1, False)
    assert pipeline.targets == [["evaluate"]] * 2
    assert "campaigns" not in json.loads(REPORTS[1].read_text())["settings"]["one"]
    assert "Campaigns of the past" not in REPORTS[0].read_text()
    write_yaml(project / "studies/some.yaml", make_study(backtest=True).model_dump())
    commit_all(project)
    run_study("some", 1, False)
    assert pipeline.targets[2:] == [["evaluate", "backtest"]] * 2
    assert json.loads(REPORTS[1].read_text())["settings"]["one"]["campaigns"] == campaign_content()
    text = REPORTS[0].read_text()
    for setting in ("one", "two"):
        section = text.partition(f"## Campaigns of the past of {setting}\n")[2]
        assert wauc_table(campaign_content(), "all", 3) in section
        assert calibration_table(campaign_content()) in section


def test_raw_files_that_nobody_tracks_are_linked_into_the_clones(project: Path, pipeline: Pipeline) -> None:
    month = project / RAW / "month=01"
    month.mkdir()
    (month / "part.csv").write_text("mine")
    (project / RAW / "link.csv").symlink_to(month / "part.csv")
    run_study("some", 1, False)
    assert pipeline.raw == [{"config", "month=01", "part.csv", "link.csv"}] * 2
    assert (month / "part.csv").read_text() == "mine"
    assert (month / "part.csv").stat().st_nlink == 1, "the clones are gone"


def test_raw_files_that_dvc_tracks_are_left_to_it(project: Path, pipeline: Pipeline) -> None:
    (project / f"{RAW}.dvc").write_text("outs: []")
    commit_all(project)
    run_study("some", 1, False)
    assert pipeline.raw == [set()] * 2


def test_a_study_without_raw_files_is_refused(project: Path, pipeline: Pipeline) -> None:
    (project / RAW / "config").unlink()
    (project / RAW).rmdir()
    with pytest.raises(OfferbenchError, match=rf"^{RAW}: no such directory\. Put the files"):
        run_study("some", 1, False)
    assert pipeline.ran == []
