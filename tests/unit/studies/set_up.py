"""A small study, its experiments and results."""

import io
from typing import Any

import pandas as pd
from ruamel.yaml import YAML

from offerbench.studies.config import Study
from offerbench.studies.experiments import Experiment, plan_experiments
from offerbench.studies.results import StudyResults

from ..parameters import COMPLETE

Values = dict[str, dict[str, dict[str, float]]]
"""wAUC by segment, task and model."""


def parameters_text(content: dict[str, Any] = COMPLETE) -> str:
    yaml, stream = YAML(), io.StringIO()
    yaml.dump(content, stream)
    return stream.getvalue()


def make_study(**changes: Any) -> Study:
    """Two settings, as rows of the augmented model, with some keys changed."""
    content = {
        "title": "A study",
        "about": "What it is about.",
        "settings": {
            "one": {"train_augmented.seed": 1},
            "two": {"train_augmented.seed": 2, "train_augmented.groupings": None},
        },
        "tabulate": {
            "kind": "settings_as_rows",
            "model": "augmented",
            "columns": {"seed": "train_augmented.seed", "groupings": "train_augmented.groupings"},
        },
    }
    return Study.model_validate({**content, **changes})


def plan(study: Study) -> list[Experiment]:
    return plan_experiments("some", study, parameters_text())


def results(values: dict[str, Values], **best_epochs: int) -> StudyResults:
    """The results of settings; half widths are a tenth of the values."""
    rows = [
        (setting, segment, task, model, value, value / 10)
        for setting, segments in values.items()
        for segment, tasks in segments.items()
        for task, models in tasks.items()
        for model, value in models.items()
    ]
    columns = ["setting", "segment", "task", "model", "wauc", "half_width"]
    return StudyResults(pd.DataFrame(rows, columns=columns), best_epochs)
