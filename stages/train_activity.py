"""Stage `train_activity`: how often users shopped -> expected events and shopping days."""

from offerbench.campaigns.cuts import ACTIVITY_DIRECTORY, all_cuts
from offerbench.core import command
from offerbench.core.atomic import atomic_directory
from offerbench.core.json_files import write_json
from offerbench.core.paths import METRICS_DIRECTORY
from offerbench.parameters import load_parameters


def main() -> None:
    """Fit the activity model of each cut and of the present."""
    parameters = load_parameters()
    from offerbench.campaigns.learning import learn_activity
    from offerbench.campaigns.moment import Moment

    measured = {}
    with atomic_directory(ACTIVITY_DIRECTORY) as directory:
        for cut in all_cuts(parameters.prepare_past.cuts):
            activity = learn_activity(Moment(cut, parameters.train_head), parameters.train_activity)
            write_json(directory / cut.activity.name, activity.content())
            measured[cut.name] = {"kept": activity.kept, **activity.measured}
    write_json(METRICS_DIRECTORY / "activity.json", measured)


if __name__ == "__main__":
    command.run(main)
