"""Stage `train_full`: the model that sees every offer feature."""

from offerbench import command
from offerbench.params.loading import load_parameters
from offerbench.schema import FULL_MODEL, MODELS_DIRECTORY


def main() -> None:
    """Train the full model."""
    parameters = load_parameters()
    from offerbench.model.stage import train_two_tower

    train_two_tower(
        FULL_MODEL,
        MODELS_DIRECTORY / FULL_MODEL,
        None,
        parameters.rebatch,
        parameters.model,
        parameters.train,
    )


if __name__ == "__main__":
    command.run(main)
