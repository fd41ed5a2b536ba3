"""Data prepared beside the pipeline's, for another set-up than that of params.yaml."""

from pathlib import Path

from offerbench.core.paths import RAW_DIRECTORY
from offerbench.parameters import Parameters
from offerbench.preparation.prepare import prepare_dataset
from offerbench.preparation.prepared import PreparedData, load_prepared


def prepare_beside(parameters: Parameters, directory: Path) -> PreparedData:
    """Prepare the data set of a set-up into an empty directory, which must outlive the data."""
    raw = RAW_DIRECTORY / parameters.dataset
    prepare_dataset(
        parameters.dataset, raw, directory, parameters.prepare, parameters.resources, parameters.custom
    )
    return load_prepared(directory)
