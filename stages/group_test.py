"""Stage `group_test`: test batches -> one table of offers for each task."""

import logging

import numpy as np

from offerbench.batching.batches import batches_file, read_batches
from offerbench.core import command
from offerbench.core.atomic import atomic_directory
from offerbench.core.columns import Split
from offerbench.core.paths import GROUP_TEST_DIRECTORY, PREPARED_DIRECTORY
from offerbench.core.ranges import concatenated_ranges
from offerbench.features.offers import group_offers, write_offers
from offerbench.parameters import load_parameters
from offerbench.preparation.prepared import load_prepared

LOG = logging.getLogger("offerbench.stages")


def main() -> None:
    """Group the test events of every task."""
    parameters = load_parameters()
    split = Split[parameters.evaluate.users.upper()]
    data = load_prepared(PREPARED_DIRECTORY)
    rows = read_batches(batches_file(split), parameters.rebatch.batch_size).reshape(-1)
    of_train = concatenated_ranges(*data.user_rows[Split.TRAIN])
    events = {name: data.events[name][of_train] for name in data.offer_sizes}
    with atomic_directory(GROUP_TEST_DIRECTORY) as directory:
        for task in parameters.tasks:
            keys = np.unique(data.events[task][rows])
            table = group_offers(events, task, parameters.group_test.values_per_feature, keys)
            write_offers(directory / f"{task}.parquet", table)
            LOG.info("%s: %s offers", task, f"{len(table.keys):,}")


if __name__ == "__main__":
    command.run(main)
