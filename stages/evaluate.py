"""Stage `evaluate`: models and offers -> wAUC, intervals, gaps."""

import logging

import pandas as pd

from offerbench.batching.batches import batches_file, read_batches
from offerbench.core import command
from offerbench.core.columns import Split
from offerbench.core.findings import log_findings
from offerbench.core.paths import GROUP_TEST_DIRECTORY, MODELS_DIRECTORY, PREPARED_DIRECTORY
from offerbench.core.rows import table_rows
from offerbench.core.tables import read_parquet
from offerbench.features.offers import read_offers
from offerbench.parameters import load_parameters
from offerbench.preparation.prepared import load_prepared
from offerbench.scorers.registry import load_scorers

LOG = logging.getLogger("offerbench.stages")


def main() -> None:
    """Measure every scorer on every task."""
    parameters = load_parameters()
    from offerbench.evaluation.evaluate import TaskResult, measure_task, score_tasks
    from offerbench.evaluation.findings import evaluation_findings
    from offerbench.evaluation.negatives import draw_groups
    from offerbench.evaluation.pairs import Measure
    from offerbench.evaluation.result_files import write_results
    from offerbench.evaluation.results import gap_table, wauc_table
    from offerbench.model import runtime

    evaluate, tasks = parameters.evaluate, list(parameters.tasks)
    runtime.configure(evaluate.threads)
    rows = table_rows(tasks)
    scorers = load_scorers(
        rows, MODELS_DIRECTORY, evaluate.yardsticks, parameters.train_boosted.features, parameters.train_peer
    )
    tables = {task: read_offers(GROUP_TEST_DIRECTORY / f"{task}.parquet") for task in tasks}
    LOG.info("loaded %d scorers and the offers of %d tasks", len(scorers), len(tables))
    data = load_prepared(PREPARED_DIRECTORY)
    split = Split[evaluate.users.upper()]
    batches = read_batches(batches_file(split), parameters.rebatch.batch_size)
    groups = draw_groups(evaluate, data, split, batches)
    found: dict[Measure, dict[str, TaskResult]] = {measure: {} for measure in Measure}
    for task, scored in score_tasks(scorers, tables, groups):
        for measure, results in found.items():
            results[task] = measure_task(scored, measure, data.first_label, evaluate)
    vocabulary = pd.DataFrame(read_parquet(PREPARED_DIRECTORY / "vocabulary.parquet"))
    for measure, results in found.items():
        table = wauc_table(results, evaluate)
        write_results(measure, table, gap_table(table, results, rows), results, vocabulary)
    published = found[Measure.PUBLISHED].items()
    log_findings(evaluation_findings({task: result.counts for task, result in published}), LOG)


if __name__ == "__main__":
    command.run(main)
