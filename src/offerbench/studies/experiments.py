"""Experiments of a commit: what each setting of a study is run with, and which have finished."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from offerbench.core import git
from offerbench.core.errors import OfferbenchError
from offerbench.core.paths import PARAMETERS_FILE, REPORTS_DIRECTORY
from offerbench.parameters import Parameters, validate_parameters
from offerbench.studies.config import STUDIES_DIRECTORY, Study
from offerbench.studies.settings import differences, read_parameters, with_settings

STUDY_REPORTS = REPORTS_DIRECTORY / "studies"


@dataclass(frozen=True)
class Experiment:
    """A setting of a study, to be run as an experiment of DVC."""

    name: str
    """In DVC: the study's and the setting's."""
    setting: str
    """Name of the setting."""
    settings: Mapping[str, Any]
    """What it changes in the base, by dotted key."""
    text: str
    """The params.yaml that it is run with."""
    content: Mapping[str, Any]
    """The same, read."""
    parameters: Parameters
    """The same, validated."""


def plan_experiments(name: str, study: Study, base: str) -> list[Experiment]:
    """Make the set-up of each setting.

    Parameters
    ----------
    name : str
        Of the study.
    study : Study
        The study.
    base : str
        Text of the set-up that the settings change.

    Raises
    ------
    OfferbenchError
        If a setting names a key that is unknown, or a value that is not allowed; names the setting.
    """
    experiments = []
    for setting, own in study.settings.items():
        settings = {**study.common, **own}
        source = f"{STUDIES_DIRECTORY / name}.yaml: setting {setting}"
        try:
            text = with_settings(base, settings)
        except OfferbenchError as error:
            raise OfferbenchError(f"{source}: {error}") from None
        content = read_parameters(text)
        parameters = validate_parameters(content, source)
        experiments.append(Experiment(f"{name}-{setting}", setting, settings, text, content, parameters))
    return experiments


def settings_text(settings: Mapping[str, Any]) -> str:
    """Write settings in one line: `key` = value, with values as JSON."""
    return ", ".join(f"`{key}` = {json.dumps(value, ensure_ascii=False)}" for key, value in settings.items())


def reference(commit: str, name: str) -> str:
    """Name of git's reference to an experiment of a commit, as DVC makes it."""
    return f"refs/exps/{commit[:2]}/{commit[2:]}/{name}"


def head() -> str:
    """Hash of the commit that is checked out.

    Raises
    ------
    OfferbenchError
        If there is none.
    """
    git.output("rev-parse", "--git-dir")
    commit = git.find_commit("HEAD")
    if commit is None:
        raise OfferbenchError("no commit yet. Commit the pipeline first: experiments start from a commit.")
    return commit


def committed_text(commit: str, path: str) -> str:
    """Give the text of a file of a commit.

    Raises
    ------
    OfferbenchError
        If it is not there.
    """
    content = git.read_committed(commit, Path(path))
    if content is None:
        raise OfferbenchError(f"{path}: not in commit {commit[:7]}. Commit it, then run it again.")
    return content.decode()


def refuse_uncommitted() -> None:
    """Refuse changes of the work tree: experiments start from the commit, and would be without them.

    The files of studies and their reports may differ: no stage reads them, and what an experiment was run
    with is looked up in the experiment.
    """
    own = [f":(exclude){directory}" for directory in (STUDIES_DIRECTORY, STUDY_REPORTS)]
    changed = git.output("diff", "--name-only", "--relative", "HEAD", "--", ".", *own).decode().splitlines()
    if changed:
        raise OfferbenchError(
            f"{', '.join(changed)}: changed since the last commit, which the experiments start from. "
            "Commit or undo the changes, then run it again."
        )


def finished_revisions(experiments: Iterable[Experiment], commit: str) -> dict[str, str]:
    """Find the experiments of a commit that have finished: DVC keeps those that succeeded.

    Returns
    -------
    dict of str to str
        Hash of the experiment's own commit, by its name.

    Raises
    ------
    OfferbenchError
        If one was run with other parameters than meant.
    """
    revisions = {}
    for experiment in experiments:
        revision = git.find_commit(reference(commit, experiment.name))
        if revision is None:
            continue
        kept = read_parameters(committed_text(revision, str(PARAMETERS_FILE)))
        if differences(kept, experiment.content):
            raise OfferbenchError(
                f"experiment {experiment.name} of this commit has other parameters than the study says: "
                f"{settings_text(experiment.settings) or 'those of its base'}. "
                f"Remove it (`dvc exp remove {experiment.name}`), then run it again."
            )
        revisions[experiment.name] = revision
    return revisions
