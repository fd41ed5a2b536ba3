"""Stage `rebatch`: target events -> batches whose neighbours are close in time.

Validation and test batches are drawn here once. Training draws its own with the same functions
from (seed, epoch); its first epoch is drawn here too, to be counted.
"""

from offerbench import command
from offerbench.batching.batches import draw_pass, write_batches
from offerbench.batching.prepared import load_prepared
from offerbench.errors import OfferbenchError
from offerbench.params.loading import load_parameters
from offerbench.schema import BATCHES_DIRECTORY, METRICS_DIRECTORY, PREPARED_DIRECTORY, Split
from offerbench.storage import whole_directory, write_json


def main() -> None:
    """Draw the batches of the prepared data."""
    rebatch = load_parameters().rebatch
    steps = command.Steps("rebatch")
    data = load_prepared(PREPARED_DIRECTORY)
    counts = {}
    with whole_directory(BATCHES_DIRECTORY) as directory:
        for split in Split:
            name = split.name.lower()
            drawn = draw_pass(data, split, rebatch)
            if split is Split.TRAIN:
                batches = sum(1 for _ in drawn)
            else:
                batches = write_batches(directory / f"{name}.arrow", drawn)
            if not batches:
                raise OfferbenchError(
                    f"rebatch.batch_size: {rebatch.batch_size} events are more than a group of {name} users "
                    "has. Lower it, or raise rebatch.users_per_group, in params.yaml."
                )
            events = int(data.user_rows[split][1].sum())
            in_batches = batches * rebatch.batch_size
            counts[name] = {"events": events, "batches": batches, "events_in_batches": in_batches}
            steps.done(f"{name}: {batches} batches of {rebatch.batch_size}, {events:,} events")
    write_json(METRICS_DIRECTORY / "rebatch.json", counts)


if __name__ == "__main__":
    command.run(main)
