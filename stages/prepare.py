"""Stage `prepare`: raw files -> canonical events -> labels, splits, histories."""

from offerbench import command
from offerbench.params.loading import load_parameters
from offerbench.preparation.prepare import prepare_dataset
from offerbench.schema import METRICS_DIRECTORY, PREPARED_DIRECTORY, RAW_DIRECTORY
from offerbench.storage import whole_directory, write_json


def main() -> None:
    """Prepare the data set that `dataset` in params.yaml names."""
    parameters = load_parameters()
    steps = command.Steps("prepare")
    with whole_directory(PREPARED_DIRECTORY) as directory:
        counts = prepare_dataset(
            parameters.dataset,
            RAW_DIRECTORY / parameters.dataset,
            directory,
            parameters.prepare,
            parameters.resources,
            steps.done,
            parameters.custom,
        )
    write_json(METRICS_DIRECTORY / "prepare.json", counts)


if __name__ == "__main__":
    command.run(main)
