"""Read and validate `params.yaml` as a whole."""

from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, ValidationError, model_validator
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from offerbench.errors import OfferbenchError
from offerbench.params.custom import Custom
from offerbench.params.evaluate import Evaluate
from offerbench.params.group_test import GroupTest
from offerbench.params.model import Model
from offerbench.params.prepare import Name, Prepare
from offerbench.params.rebatch import Rebatch
from offerbench.params.regression import Regression
from offerbench.params.resources import Resources
from offerbench.params.section import Section
from offerbench.params.train import Train
from offerbench.params.train_augmented import TrainAugmented
from offerbench.schema import PARAMETERS_FILE


class Parameters(Section):
    """All of `params.yaml`."""

    dataset: Literal["complete_journey", "custom", "movielens_100k", "movielens_imdb", "rees46", "synthetic"]
    """Data source: the reader, and the directory under data/raw."""
    tasks: list[Name] = Field(min_length=1)
    """Offer features that campaigns are defined by, in the order of the tables."""
    custom: Custom | None = None
    """The columns of your own log, for the data set `custom`; null for the others."""
    prepare: Prepare
    rebatch: Rebatch
    model: Model
    train: Train
    train_augmented: TrainAugmented
    group_test: GroupTest
    evaluate: Evaluate
    regression: Regression
    resources: Resources

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for key, values in (
            ("tasks", self.tasks),
            ("prepare.offer_features", self.prepare.offer_features),
            ("prepare.history.events", self.prepare.history.events),
        ):
            if len(set(values)) != len(values):
                raise ValueError(f"{key}: every entry may stand there once, got {values}")
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
        minibatch = self.train.number_of_negatives + 1
        if self.rebatch.batch_size % minibatch:
            raise ValueError(
                f"rebatch.batch_size: must be a multiple of train.number_of_negatives + 1 = {minibatch}, "
                f"got {self.rebatch.batch_size}"
            )
        if any(units < 1 for units in self.model.tower_units):
            raise ValueError(
                f"model.tower_units: every entry must be at least 1, got {self.model.tower_units}"
            )
        if self.evaluate.popular_min_positives < self.evaluate.cold_start_min_positives:
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
        content = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise OfferbenchError(f"{path}: no such file. Copy one of presets/ there.") from None
    except (YAMLError, UnicodeDecodeError) as error:
        raise OfferbenchError(f"{path}: not valid YAML. {error}") from None
    try:
        return Parameters.model_validate(content)
    except ValidationError as error:
        lines = [f"{path}: {_explain(problem)}" for problem in error.errors()]
        raise OfferbenchError("\n".join(lines)) from None


def _explain(problem: Any) -> str:
    message = problem["msg"].removeprefix("Value error, ")
    key = ".".join(str(part) for part in problem["loc"])
    if not key:
        return str(message)
    if problem["type"] == "extra_forbidden":
        return f"{key}: unknown key. Remove it, or see src/offerbench/params for the keys there are."
    if problem["type"] == "missing":
        return f"{key}: missing. presets/ has complete files."
    return f"{key}: {message}, got {problem['input']!r}"
