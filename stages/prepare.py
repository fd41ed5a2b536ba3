"""Stage `prepare`: raw files -> canonical events -> labels, splits, histories."""

import logging

from offerbench.core import command
from offerbench.core.atomic import atomic_directory
from offerbench.core.findings import log_findings
from offerbench.core.json_files import write_json
from offerbench.core.paths import METRICS_DIRECTORY, PREPARED_DIRECTORY, RAW_DIRECTORY
from offerbench.engines.preparation import prepare_dataset
from offerbench.parameters import load_parameters
from offerbench.preparation.findings import preparation_findings

LOG = logging.getLogger("offerbench.stages")


def main() -> None:
    """Prepare the data set that `dataset` in params.yaml names."""
    parameters = load_parameters()
    with atomic_directory(PREPARED_DIRECTORY) as directory:
        counts = prepare_dataset(
            parameters.dataset,
            RAW_DIRECTORY / parameters.dataset,
            directory,
            parameters.prepare,
            parameters.resources,
            parameters.custom,
        )
    write_json(METRICS_DIRECTORY / "prepare.json", counts)
    log_findings(preparation_findings(counts), LOG)


if __name__ == "__main__":
    command.run(main)
