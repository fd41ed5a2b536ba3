"""Run a study: plan its experiments, run what has not finished, report all."""

import logging
from pathlib import Path

from offerbench.core.atomic import atomic_file
from offerbench.core.errors import OfferbenchError
from offerbench.core.paths import PARAMETERS_FILE
from offerbench.studies.config import MeanAndDeviation, load_study
from offerbench.studies.experiments import (
    STUDY_REPORTS,
    committed_text,
    finished_revisions,
    head,
    plan_experiments,
    refuse_uncommitted,
)
from offerbench.studies.report import study_markdown
from offerbench.studies.results import read_study_results, write_study_results
from offerbench.studies.runner import run_experiments
from offerbench.studies.settings import differences, read_parameters

LOG = logging.getLogger(__name__)


def run_study(name: str, jobs: int, finished_only: bool) -> list[Path]:
    """Run a study's settings as experiments of the commit that is checked out, and report them.

    Parameters
    ----------
    name : str
        The study's file, `studies/NAME.yaml`.
    jobs : int
        Experiments at a time.
    finished_only : bool
        Run nothing, report what has finished.

    Returns
    -------
    list of Path
        The report's files, written anew.

    Raises
    ------
    OfferbenchError
        If there is no such study, something of it is wrong, tracked files have changed since the commit,
        an experiment fails or has other parameters than meant, or there is nothing to report.
    """
    study, commit = load_study(name), head()
    base = committed_text(commit, study.base)
    experiments = plan_experiments(name, study, base)
    revisions = finished_revisions(experiments, commit)
    missing = [one for one in experiments if one.name not in revisions]
    if not finished_only:
        refuse_uncommitted()
        LOG.info("%d of %d experiments have finished", len(revisions), len(experiments))
        if missing:
            run_experiments(name, missing, study.targets, commit, jobs)
            revisions = finished_revisions(experiments, commit)
    least = 2 if isinstance(study.tabulate, MeanAndDeviation) else 1
    if len(revisions) < least:
        raise OfferbenchError(
            f"{name}: {len(revisions)} of {len(experiments)} experiments have finished on commit "
            f"{commit[:7]}, and a report needs {least}. Run `offerbench study {name}`."
        )
    results = read_study_results(study, experiments, revisions)
    committed = read_parameters(committed_text(commit, str(PARAMETERS_FILE)))
    changes = differences(committed, read_parameters(base))
    text = study_markdown(name, study, experiments, results, changes)
    report, values = STUDY_REPORTS / f"{name}.md", STUDY_REPORTS / f"{name}.json"
    with atomic_file(report) as temporary:
        temporary.write_text(text, encoding="utf-8")
    write_study_results(values, study, experiments, results)
    return [report, values]
