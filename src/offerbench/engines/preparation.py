"""Preparation on the engine that `resources.spark` names."""

from pathlib import Path
from typing import Any

from offerbench.datasets.config import Custom
from offerbench.engines.remote_files import refuse_remote
from offerbench.engines.spark_preparation import prepare_on_spark
from offerbench.preparation import prepare as one_machine
from offerbench.preparation.config import Prepare
from offerbench.preparation.resources import Resources


def prepare_dataset(
    dataset: str,
    raw_directory: Path,
    directory: Path,
    prepare: Prepare,
    resources: Resources,
    custom: Custom | None = None,
    until: int | None = None,
) -> dict[str, Any]:
    """Make the prepared tables of a data set: the same bytes and counts on every engine.

    Parameters and errors are those of `offerbench.preparation.prepare.prepare_dataset`.
    """
    if resources.spark is None:
        refuse_remote(raw_directory)
        engine = one_machine.prepare_dataset
    else:
        engine = prepare_on_spark
    return engine(dataset, raw_directory, directory, prepare, resources, custom, until)
