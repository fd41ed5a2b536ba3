"""Stage `train_head`: activity, share and matches -> chance of a purchase, at each cut and now."""

from offerbench.campaigns.cuts import HEAD_DIRECTORY, all_cuts
from offerbench.core import command
from offerbench.core.atomic import atomic_directory
from offerbench.core.json_files import write_json
from offerbench.parameters import load_parameters


def main() -> None:
    """Fit the head of each cut and of the present."""
    parameters = load_parameters()
    from offerbench.campaigns.learning import learn_head
    from offerbench.campaigns.moment import Moment
    from offerbench.model import runtime

    runtime.configure(parameters.train_head.threads)
    with atomic_directory(HEAD_DIRECTORY) as directory:
        for cut in all_cuts(parameters.prepare_past.cuts):
            head = learn_head(Moment(cut, parameters.train_head), parameters.tasks)
            write_json(directory / cut.head.name, head.content())


if __name__ == "__main__":
    command.run(main)
