"""Stage `train_augmented`: one model for every task, trained on groups of events."""

from offerbench import command
from offerbench.params.loading import load_parameters
from offerbench.schema import AUGMENTED_MODEL, MODELS_DIRECTORY


def main() -> None:
    """Train the augmented model."""
    parameters = load_parameters()
    from offerbench.model.stage import train_augmented

    train_augmented(
        AUGMENTED_MODEL,
        MODELS_DIRECTORY / AUGMENTED_MODEL,
        parameters.rebatch,
        parameters.model,
        parameters.train,
        parameters.train_augmented,
    )


if __name__ == "__main__":
    command.run(main)
