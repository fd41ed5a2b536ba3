"""Stage `prepare_past`: the data as they would have been prepared at each of the cuts."""

import logging

from offerbench.campaigns.cuts import past_cuts
from offerbench.core import command
from offerbench.core.atomic import atomic_directory
from offerbench.core.paths import PAST_DIRECTORY, RAW_DIRECTORY
from offerbench.engines.preparation import prepare_dataset
from offerbench.parameters import load_parameters

LOG = logging.getLogger("offerbench.stages")


def main() -> None:
    """Prepare the data set with vocabulary and clusters of what was known before each cut."""
    parameters = load_parameters()
    with atomic_directory(PAST_DIRECTORY) as directory:
        for cut in past_cuts(parameters.prepare_past.cuts):
            (directory / cut.name).mkdir()
            prepare_dataset(
                parameters.dataset,
                RAW_DIRECTORY / parameters.dataset,
                directory / cut.name,
                parameters.prepare,
                parameters.resources,
                parameters.custom,
                until=cut.day,
            )
            LOG.info("prepared what was known before %s", cut.name)


if __name__ == "__main__":
    command.run(main)
