"""Stage `train_past`: the augmented model, trained at each of the cuts on earlier events only."""

from offerbench.campaigns.as_of import day_number
from offerbench.campaigns.cuts import PAST_MODELS_DIRECTORY, past_cuts
from offerbench.core import command
from offerbench.engines.replicas import run_on_replicas
from offerbench.parameters import load_parameters


def main() -> None:
    """Train the ranker of each cut with the parameters of train_augmented."""
    parameters = load_parameters()
    replicas, spark = parameters.resources.replicas, parameters.resources.spark

    def train() -> None:
        from offerbench.model.run import run_past_training

        PAST_MODELS_DIRECTORY.mkdir(parents=True, exist_ok=True)
        for cut in past_cuts(parameters.prepare_past.cuts):
            run_past_training(
                cut.ranker,
                cut.prepared,
                day_number(cut.name),
                parameters.train_augmented,
                parameters.rebatch,
                replicas,
            )

    run_on_replicas(replicas, train, spark)


if __name__ == "__main__":
    command.run(main)
