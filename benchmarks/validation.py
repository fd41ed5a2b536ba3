"""wAUC on the validation batches' own offers: what set-ups are chosen by. Test users are never read."""

from collections.abc import Callable

from offerbench.model.ranking_model import RankingModel

from offerbench.core.columns import Split
from offerbench.core.ranges import Rows
from offerbench.evaluation.evaluate import measure_task, score_tasks
from offerbench.evaluation.results import Wauc, wauc_table
from offerbench.features.offers import group_offers
from offerbench.parameters import Parameters
from offerbench.preparation.prepared import PreparedData


def validation_wauc(
    models: dict[str, RankingModel],
    parameters: Parameters,
    data: PreparedData,
    batches: Rows,
    report: Callable[[str], None],
) -> Wauc:
    """Tabulate wAUC of some models and of history affinity, by segment, task and model.

    Parameters
    ----------
    models : dict of RankingModel
        By name.
    parameters : Parameters
        The set-up.
    data : PreparedData
        The data set.
    batches : int64, shape (batches, batch_size)
        Rows of target events of validation users.
    report : callable
        Called with one line for each step done.
    """
    events = {name: data.events[name][batches.reshape(-1)] for name in data.offer_sizes}
    most = parameters.group_test.values_per_feature
    tables = {task: group_offers(events, task, most) for task in parameters.tasks}
    minibatch = parameters.train.number_of_negatives + 1
    scored = score_tasks(models, tables, data, Split.VALIDATION, batches, minibatch, report)
    results = {task: measure_task(part, data.first_label) for task, part in scored}
    return wauc_table(results, parameters.evaluate)
