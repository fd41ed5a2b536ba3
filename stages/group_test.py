"""Stage `group_test`: test batches -> one table of offers for each task."""

from offerbench import command
from offerbench.batching.batches import read_batches
from offerbench.batching.prepared import load_prepared
from offerbench.evaluation.offers import group_offers, write_offers
from offerbench.params.loading import load_parameters
from offerbench.schema import BATCHES_DIRECTORY, GROUP_TEST_DIRECTORY, PREPARED_DIRECTORY
from offerbench.storage import whole_directory


def main() -> None:
    """Group the test events of every task."""
    parameters = load_parameters()
    steps = command.Steps("group_test")
    data = load_prepared(PREPARED_DIRECTORY)
    rows = read_batches(BATCHES_DIRECTORY / "test.arrow", parameters.rebatch.batch_size).reshape(-1)
    events = {name: data.events[name][rows] for name in data.offer_sizes}
    with whole_directory(GROUP_TEST_DIRECTORY) as directory:
        for task in parameters.tasks:
            table = group_offers(events, task, parameters.group_test.values_per_feature)
            write_offers(directory / f"{task}.parquet", table)
            steps.done(f"{task}: {len(table.keys):,} offers")


if __name__ == "__main__":
    command.run(main)
