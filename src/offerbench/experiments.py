"""Experiments of the last commit as DVC reports them: the set-up of params.yaml with some keys set."""

import copy
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from offerbench.schema import PARAMETERS_FILE

FAILED, QUEUED, RUNNING, SUCCESS = "failed", "queued", "running", "success"
STATES = (FAILED, QUEUED, RUNNING, SUCCESS)  # of two experiments of one name, the later state counts

Settings = Mapping[str, str | float | bool | None]
"""Values by dotted key of params.yaml, such as `train.seed`."""


@dataclass(frozen=True)
class Experiment:
    """An experiment of the last commit, as DVC reports it."""

    revision: str
    state: str
    parameters: Mapping[str, Any]


def experiments_of(shown: Sequence[Mapping[str, Any]]) -> dict[str, Experiment]:
    """Read what `dvc exp show --json` prints.

    Parameters
    ----------
    shown : sequence of mapping
        The work tree, then the last commit with its experiments.

    Returns
    -------
    dict of str to Experiment
        By name. One that failed and was queued again counts as queued.
    """
    found: dict[str, Experiment] = {}
    for entry in shown[1]["experiments"] or []:
        revision = entry["revs"][0]
        state = (entry["executor"] or {}).get("state", SUCCESS)  # run in the work tree: no executor
        state = FAILED if revision.get("error") else state
        experiment = Experiment(revision["rev"], state, _parameters_of(revision))
        known = found.get(entry["name"])
        if known is None or STATES.index(known.state) < STATES.index(state):
            found[entry["name"]] = experiment
    return found


def committed_parameters(shown: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Read the last commit's params.yaml from what `dvc exp show --json` prints."""
    return _parameters_of(shown[1])


def _parameters_of(revision: Mapping[str, Any]) -> dict[str, Any]:
    files = (revision["data"] or {}).get("params") or {}
    return dict(files.get(str(PARAMETERS_FILE), {}).get("data") or {})


def with_settings(parameters: Mapping[str, Any], settings: Settings) -> dict[str, Any]:
    """Give the content of params.yaml with some keys set; null in place of a section removes all of it."""
    changed = copy.deepcopy(dict(parameters))
    for key, value in settings.items():
        *sections, last = key.split(".")
        section = changed
        for name in sections:
            section = section.setdefault(name, {})
        section[last] = value
    return changed


def settings_text(settings: Settings) -> list[str]:
    """Write settings as `--set-param` takes them, `key=value`; JSON's values are those of its grammar."""
    return [f"{key}={json.dumps(value)}" for key, value in settings.items()]


def with_other_parameters(
    found: Mapping[str, Experiment], committed: Mapping[str, Any], wanted: Mapping[str, Settings]
) -> list[str]:
    """Find the experiments that have other parameters than wanted.

    Parameters
    ----------
    found : mapping of str to Experiment
        By name, as of `experiments_of`.
    committed : mapping of str to object
        The last commit's params.yaml.
    wanted : mapping of str to Settings
        What each experiment sets in it, by name.

    Returns
    -------
    list of str
        Names. One that failed, or that is not found, has no parameters to compare.
    """
    return [
        name
        for name, settings in wanted.items()
        if name in found
        and found[name].state != FAILED
        and found[name].parameters != with_settings(committed, settings)
    ]
