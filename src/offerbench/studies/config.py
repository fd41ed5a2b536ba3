"""The form of a study's file, `studies/NAME.yaml`: which set-ups to run, and what to tabulate."""

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from offerbench.core.errors import OfferbenchError
from offerbench.core.section import Section
from offerbench.core.section_files import read_section

STUDIES_DIRECTORY = Path("studies")

Key = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*$")]
"""Dotted key of params.yaml, such as `train_full.seed`."""
# It becomes a part of the name of an experiment, which is a reference in git, and of a file.
SettingName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$", max_length=60)]
Settings = dict[Key, Any]


class MeanAndDeviation(Section):
    """A row for each model: mean and standard deviation over the settings."""

    kind: Literal["mean_and_deviation"]
    """Names this kind of table."""


class ModelsAsRows(Section):
    """The usual table, a row for each model, once for each setting."""

    kind: Literal["models_as_rows"]
    """Names this kind of table."""


class SettingsAsRows(Section):
    """A row for each setting with the wAUC of one model, and the mean over the tasks."""

    kind: Literal["settings_as_rows"]
    """Names this kind of table."""
    model: str
    """The row of the results that is shown of each setting, such as `augmented`."""
    columns: dict[str, Key] = Field(min_length=1)
    """What tells the settings apart: the title of a column, and the key whose value it shows."""
    references: list[str] = Field(default=[])
    """Rows of the results shown below for comparison; `specialist` is each task's own."""
    best_epoch: bool = False
    """Show the epoch with the highest validation AUC of the model's training."""
    best_first: bool = False
    """Sort the settings by their mean over all offers; false: they stay in the order of the file."""


class Study(Section):
    """A study."""

    title: str
    """Heading of the report."""
    about: str
    """What is compared and how to read it, in Markdown."""
    base: str = Field(default="params.yaml", pattern=r"^(params|presets/[a-z0-9_]+)\.yaml$")
    """The set-up that the settings change: params.yaml or one of presets/, as it is committed."""
    common: Settings = Field(default={})
    """What every setting changes in it; a value replaces the whole of what the key has."""
    settings: dict[SettingName, Settings] = Field(min_length=1)
    """What each setting changes besides, by its name; nothing changed: {}."""
    tabulate: MeanAndDeviation | ModelsAsRows | SettingsAsRows = Field(discriminator="kind")
    """What the report shows."""
    backtest: bool = False
    """Run the backtest of each setting too, and show wAUC of its campaigns."""

    @property
    def targets(self) -> list[str]:
        """Stages that are run, with all that they need."""
        return ["evaluate", "backtest"] if self.backtest else ["evaluate"]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if isinstance(self.tabulate, MeanAndDeviation) and len(self.settings) < 2:
            raise ValueError("settings: a deviation needs two at least")
        return self


def load_study(name: str) -> Study:
    """Read the file of a study.

    Raises
    ------
    OfferbenchError
        If there is no such study (names those there are), or its file is not YAML, or a key is unknown,
        missing or of a wrong type.
    """
    known = sorted(path.stem for path in STUDIES_DIRECTORY.glob("*.yaml"))
    path = STUDIES_DIRECTORY / f"{name}.yaml"
    if name not in known:
        raise OfferbenchError(f"{path}: no such file. There are {', '.join(known) or 'none'}.")
    return read_section(path, Study)
