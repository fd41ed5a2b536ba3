"""Stage `rebatch`: target events -> batches whose neighbours are close in time.

Validation and test batches are drawn here once. Training draws its own with the same functions
from (seed, epoch); its first epoch is drawn here too, to be counted.
"""

import logging
from collections import deque

from offerbench.batching.batches import draw_pass, write_batches
from offerbench.batching.coverage import Coverage
from offerbench.batching.findings import batch_findings
from offerbench.core import command
from offerbench.core.atomic import atomic_directory
from offerbench.core.columns import Split
from offerbench.core.errors import OfferbenchError
from offerbench.core.findings import log_findings
from offerbench.core.json_files import write_json
from offerbench.core.paths import BATCHES_DIRECTORY, METRICS_DIRECTORY, PREPARED_DIRECTORY
from offerbench.parameters import load_parameters
from offerbench.preparation.prepared import load_prepared

LOG = logging.getLogger("offerbench.stages")


def main() -> None:
    """Draw the batches of the prepared data."""
    parameters = load_parameters()
    rebatch = parameters.rebatch
    data = load_prepared(PREPARED_DIRECTORY)
    counts = {}
    with atomic_directory(BATCHES_DIRECTORY) as directory:
        for split in Split:
            name = split.part
            coverage = Coverage(data, split, rebatch)
            drawn = coverage.counting(draw_pass(data, split, rebatch))
            if split is Split.TRAIN:
                deque(drawn, maxlen=0)
            else:
                write_batches(directory / f"{name}.arrow", drawn)
            counts[name] = coverage.counts()
            batches, events = counts[name]["batches"], counts[name]["events"]
            if not batches:
                raise OfferbenchError(
                    f"rebatch.batch_size: {rebatch.batch_size} events are more than a group of {name} users "
                    "has. Lower it, or raise rebatch.users_per_group, in params.yaml."
                )
            LOG.info("%s: %d batches of %d, %s events", name, batches, rebatch.batch_size, f"{events:,}")
    write_json(METRICS_DIRECTORY / "rebatch.json", counts)
    log_findings(batch_findings(counts, rebatch, parameters.batch_size_multiple), LOG)


if __name__ == "__main__":
    command.run(main)
