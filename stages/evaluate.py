"""Stage `evaluate`: models and offers -> wAUC, intervals, gaps."""

import logging

import pandas as pd

from offerbench.core import command
from offerbench.core.findings import log_findings
from offerbench.core.paths import PREPARED_DIRECTORY
from offerbench.core.rows import table_rows
from offerbench.core.tables import read_parquet
from offerbench.parameters import load_parameters

LOG = logging.getLogger("offerbench.stages")


def main() -> None:
    """Measure every scorer on every task."""
    parameters = load_parameters()
    from offerbench.engines.evaluation import Evaluation, measure_tasks
    from offerbench.evaluation.evaluate import TaskResult
    from offerbench.evaluation.findings import evaluation_findings
    from offerbench.evaluation.pairs import Measure
    from offerbench.evaluation.result_files import write_results
    from offerbench.evaluation.results import gap_table, wauc_table
    from offerbench.model import runtime

    evaluate, tasks = parameters.evaluate, parameters.tasks
    runtime.configure(evaluate.threads)
    evaluation = Evaluation(
        tasks=tuple(tasks),
        evaluate=evaluate,
        boosted=parameters.train_boosted.features,
        peer=parameters.train_peer,
        batch_size=parameters.rebatch.batch_size,
    )
    found: dict[Measure, dict[str, TaskResult]] = {measure: {} for measure in Measure}
    for task, of_task in measure_tasks(evaluation, parameters.resources):
        for measure, result in of_task.items():
            found[measure][task] = result
    rows = table_rows(list(tasks))
    vocabulary = pd.DataFrame(read_parquet(PREPARED_DIRECTORY / "vocabulary.parquet"))
    for measure, results in found.items():
        table = wauc_table(results, evaluate)
        write_results(measure, table, gap_table(table, results, rows), results, vocabulary)
    published = found[Measure.PUBLISHED].items()
    log_findings(evaluation_findings({task: result.counts for task, result in published}), LOG)


if __name__ == "__main__":
    command.run(main)
