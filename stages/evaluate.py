"""Stage `evaluate`: models and offers -> wAUC, tables, pictures."""

from offerbench import command
from offerbench.batching.batches import read_batches
from offerbench.batching.prepared import load_prepared
from offerbench.evaluation.offers import read_offers
from offerbench.params.loading import load_parameters
from offerbench.schema import (
    BATCHES_DIRECTORY,
    GROUP_TEST_DIRECTORY,
    MODELS_DIRECTORY,
    PREPARED_DIRECTORY,
    Split,
)


def main() -> None:
    """Evaluate every model on every task."""
    parameters = load_parameters()
    steps = command.Steps("evaluate")
    from offerbench.evaluation.evaluate import measure_task, sample_task, score_tasks
    from offerbench.evaluation.models import load_models
    from offerbench.model import runtime
    from offerbench.report.write import write_results

    runtime.configure(parameters.train.threads)
    tasks: list[str] = list(parameters.tasks)
    models = load_models(MODELS_DIRECTORY, tasks)
    tables = {task: read_offers(GROUP_TEST_DIRECTORY / f"{task}.parquet") for task in tasks}
    steps.done(f"loaded {len(models)} models and the offers of {len(tables)} tasks")
    data = load_prepared(PREPARED_DIRECTORY)
    batches = read_batches(BATCHES_DIRECTORY / "test.arrow", parameters.rebatch.batch_size)
    minibatch = parameters.train.number_of_negatives + 1
    results, samples = {}, {}
    for task, scored in score_tasks(models, tables, data, Split.TEST, batches, minibatch, steps.done):
        results[task] = measure_task(scored, data.first_label)
        samples[task] = sample_task(scored, results[task], parameters.evaluate, parameters.train.threads)
    print(write_results(results, samples, parameters, PREPARED_DIRECTORY))


if __name__ == "__main__":
    command.run(main)
