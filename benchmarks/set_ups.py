"""Data prepared beside the pipeline's, for other set-ups than that of params.yaml."""

from collections.abc import Callable
from pathlib import Path

from offerbench.core.paths import RAW_DIRECTORY
from offerbench.parameters import Parameters
from offerbench.preparation.prepare import prepare_dataset
from offerbench.preparation.prepared import PreparedData, load_prepared


def prepare_beside(parameters: Parameters, directory: Path, report: Callable[[str], None]) -> None:
    """Prepare the data set into an empty directory."""
    raw = RAW_DIRECTORY / parameters.dataset
    prepare_dataset(parameters.dataset, raw, directory, parameters.prepare, parameters.resources, report)


class PreparedSetUps:
    """Prepares the data of each set-up when it is first asked for; the same `prepare` section once.

    Parameters
    ----------
    directory : Path
        An empty directory that outlives the data.
    report : callable
        Called with one line for each step done.
    """

    def __init__(self, directory: Path, report: Callable[[str], None]) -> None:
        self._directory = directory
        self._report = report
        self._data: dict[str, PreparedData] = {}

    def of(self, parameters: Parameters) -> PreparedData:
        """Give the data of a set-up."""
        key = parameters.prepare.model_dump_json()
        if key not in self._data:
            directory = self._directory / str(len(self._data))
            directory.mkdir()
            prepare_beside(parameters, directory, self._report)
            self._data[key] = load_prepared(directory)
        return self._data[key]
