"""Read and validate `params.yaml` as a whole."""

import math
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from offerbench.batching.config import Rebatch
from offerbench.campaigns.config import Backtest, PreparePast, TrainActivity, TrainHead
from offerbench.core.errors import OfferbenchError
from offerbench.core.paths import PARAMETERS_FILE
from offerbench.core.section import Name, Section
from offerbench.core.yaml_files import parse_yaml
from offerbench.datasets.config import Custom
from offerbench.evaluation.config import Evaluate
from offerbench.features.config import GroupTest
from offerbench.gate.config import Gate
from offerbench.model.config import TrainParameters
from offerbench.preparation.config import Prepare
from offerbench.preparation.resources import Resources
from offerbench.report.config import Report
from offerbench.scorers.config import TrainBoosted, TrainPeer

MAX_SHOWN = 200
"""Characters of a key or value in a message."""
TRAININGS = ("train_full", "train_augmented", "train_mono")
"""Sections of rankers."""
WITH_NEGATIVES = (*TRAININGS, "train_peer", "evaluate")
"""Sections that cut batches into negatives groups."""
OTHER_TRAININGS = ("train_boosted", "train_peer", "train_activity", "train_head")
"""Sections of what is fitted beside them."""


class Parameters(Section):
    """All of `params.yaml`."""

    dataset: Literal[
        "complete_journey",
        "custom",
        "instacart_sample",
        "movielens_100k",
        "movielens_imdb",
        "rees46",
        "synthetic",
    ]
    """Data source: the reader, and the directory under data/raw."""
    tasks: list[Name] = Field(min_length=1)
    """Offer features that campaigns are defined by, in the order of the tables."""
    custom: Custom | None = None
    """The columns of your own log, for the data set `custom`; null for the others."""
    prepare: Prepare
    """Raw files -> labels, splits, histories."""
    rebatch: Rebatch
    """Target events -> batches."""
    train_full: TrainParameters
    """The generalist that sees all offer features."""
    train_augmented: TrainParameters
    """The generalist that sees events as events of groups, and matches."""
    train_mono: TrainParameters
    """The specialist of each task, which sees its offer feature only."""
    train_boosted: TrainBoosted
    """Trees on the augmented model's score, for all tasks."""
    train_peer: TrainPeer
    """Other methods."""
    group_test: GroupTest
    """Test batches -> the offers of each task."""
    evaluate: Evaluate
    """Models and offers -> wAUC, intervals, gaps."""
    prepare_past: PreparePast
    """Raw files -> the data as they would have been prepared earlier."""
    train_activity: TrainActivity
    """How often users shopped -> expected events and shopping days."""
    train_head: TrainHead
    """Activity, share, matches -> chance of a purchase."""
    backtest: Backtest
    """Campaigns of the past -> how well each way to choose an audience would have done."""
    report: Report
    """Results -> tables and pictures."""
    gate: Gate
    """Results of another revision -> pass or fail."""
    resources: Resources
    """Where and within which limits stages run; they rerun none."""

    @property
    def batch_size_multiple(self) -> int:
        """What a batch size is a multiple of: the negatives groups of all sections."""
        return math.lcm(*(getattr(self, section).number_of_negatives + 1 for section in WITH_NEGATIVES))

    @property
    def specialist_is_full(self) -> bool:
        """Whether the full model and the specialist are one training: one offer feature, equal sections."""
        return len(self.prepare.offer_features) == 1 and self.train_full == self.train_mono

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for key, values in (
            ("tasks", self.tasks),
            ("prepare.offer_features", self.prepare.offer_features),
            ("prepare.history.events", self.prepare.history.events),
        ):
            if len(set(values)) != len(values):
                raise ValueError(f"{key}: every entry may be named once, got {values}")
        if missing := set(self.tasks) - set(self.prepare.offer_features):
            raise ValueError(f"tasks: {sorted(missing)} must be among prepare.offer_features")
        if unused := set(self.prepare.clusters) - set(self.prepare.offer_features):
            raise ValueError(f"prepare.clusters: {sorted(unused)} must be among prepare.offer_features")
        if unused := set(self.prepare.history.lengths) - set(self.prepare.offer_features):
            raise ValueError(
                f"prepare.history.lengths: {sorted(unused)} must be among prepare.offer_features"
            )
        if self.dataset == "custom" and self.custom is None:
            raise ValueError("custom: the data set custom needs this section, see presets/custom.yaml")
        for section in WITH_NEGATIVES:
            neighbours = getattr(self, section).number_of_negatives + 1
            if self.rebatch.batch_size % neighbours:
                raise ValueError(
                    f"rebatch.batch_size: must be a multiple of {section}.number_of_negatives + 1 = "
                    f"{neighbours}, got {self.rebatch.batch_size}"
                )
        replicas = self.resources.replicas
        for section in TRAININGS if replicas > 1 else ():
            training = getattr(self, section)
            if self.rebatch.batch_size % (training.neighbours * replicas):
                raise ValueError(
                    f"resources.replicas: rebatch.batch_size, {self.rebatch.batch_size}, must be a multiple "
                    f"of {replicas} x ({section}.number_of_negatives + 1) = {training.neighbours * replicas}"
                )
            if training.ranker.compression is not None:
                raise ValueError(
                    f"resources.replicas: must be 1 for {section}.ranker.compression: it normalises over the "
                    "distinct histories of a batch, of which replicas have some in common"
                )
        for key, days in (
            ("prepare_past.cuts", self.prepare_past.cuts),
            ("backtest.dates", self.backtest.dates),
        ):
            if days != sorted(set(days)):
                raise ValueError(f"{key}: must be ascending, each day once, got {days}")
        if self.backtest.dates and self.backtest.dates[0] < min(self.prepare_past.cuts, default="~"):
            raise ValueError(
                f"backtest.dates: {self.backtest.dates[0]} is before every day in prepare_past.cuts"
            )
        popular, cold_start = self.evaluate.popular_min_positives, self.evaluate.cold_start_min_positives
        if isinstance(popular, int) != isinstance(cold_start, int):
            raise ValueError(
                "evaluate.popular_min_positives: must be a number if cold_start_min_positives is one, a "
                f"share if that is a share, got {popular} and {cold_start}"
            )
        if popular < cold_start:
            raise ValueError("evaluate.popular_min_positives: must not be below cold_start_min_positives")
        return self


def load_parameters(path: Path = PARAMETERS_FILE) -> Parameters:
    """Read the parameters, the same for every stage: a mistake in any section stops them all.

    YAML is read with the library that DVC reads it with, so that both see the same values
    (`2e-7` is a number).

    Raises
    ------
    OfferbenchError
        If the file is missing or not YAML, or a key is unknown, missing, of a wrong type or out of
        its range; names the key and what is allowed.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise OfferbenchError(f"{path}: no such file. Copy one of presets/ there.") from None
    except UnicodeDecodeError as error:
        raise OfferbenchError(f"{path}: not valid YAML. {error}") from None
    return validate_parameters(parse_yaml(text, str(path)), str(path))


def validate_parameters(content: Any, source: str) -> Parameters:
    """Validate the content of a params.yaml.

    Raises
    ------
    OfferbenchError
        If a key is unknown, missing, of a wrong type or out of its range; names the source and the key.
    """
    try:
        return Parameters.model_validate(content)
    except ValidationError as error:
        lines = [f"{source}: {_explain(problem)}" for problem in error.errors()]
        raise OfferbenchError("\n".join(lines)) from None


def _explain(problem: Any) -> str:
    message = problem["msg"].removeprefix("Value error, ")
    key = " ".join(".".join(str(part) for part in problem["loc"]).split())[:MAX_SHOWN]
    if not key:
        return str(message)
    if problem["type"] == "extra_forbidden":
        return f"{key}: unknown key. Remove it, or see params.schema.json for the keys there are."
    if problem["type"] == "missing":
        return f"{key}: missing. presets/ has complete files."
    if isinstance(problem["input"], dict):  # what is wrong with a whole section is named in the message
        return f"{key}: {message}"
    return f"{key}: {message}, got {problem['input']!r:.{MAX_SHOWN}}"
