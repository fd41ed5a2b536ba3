"""Stage `train_boosted`: trees on the augmented model's score, fitted on validation users for all tasks."""

from offerbench.batching.batches import batches_file, read_batches
from offerbench.core import command
from offerbench.core.atomic import atomic_directory
from offerbench.core.columns import Split
from offerbench.core.paths import MODELS_DIRECTORY, PREPARED_DIRECTORY
from offerbench.core.rows import ALL_TASKS, AUGMENTED_MODEL, BOOSTED_MODEL
from offerbench.parameters import load_parameters
from offerbench.preparation.prepared import load_prepared


def main() -> None:
    """Fit the trees."""
    parameters = load_parameters()
    from offerbench.model import runtime
    from offerbench.model.saved_model import load_model
    from offerbench.scorers.boosted_ranker import fit_on_ranker
    from offerbench.scorers.event_pairs import event_pairs
    from offerbench.scorers.ranker import RankerScorer

    boosted = parameters.train_boosted
    runtime.configure(boosted.boosting.threads)
    data, split = load_prepared(PREPARED_DIRECTORY), Split.VALIDATION
    batches = read_batches(batches_file(split), parameters.rebatch.batch_size)
    groups = batches.reshape(-1, parameters.train_augmented.neighbours)
    ranker = RankerScorer(load_model(MODELS_DIRECTORY / AUGMENTED_MODEL))
    tasks = event_pairs(data, split, groups, parameters.tasks, parameters.group_test.values_per_feature)
    trees = fit_on_ranker(ranker, tasks, boosted.features, boosted.boosting)
    with atomic_directory(MODELS_DIRECTORY / BOOSTED_MODEL) as directory:
        trees.save(directory, ALL_TASKS)


if __name__ == "__main__":
    command.run(main)
