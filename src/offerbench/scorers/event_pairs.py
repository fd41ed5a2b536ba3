"""The pairs of target events for every task, to fit scorers on."""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from offerbench.core.columns import Split
from offerbench.core.ranges import Rows, concatenated_ranges
from offerbench.features.offers import group_offers
from offerbench.preparation.prepared import PreparedData
from offerbench.scorers.contexts import Contexts
from offerbench.scorers.pairs import TaskPairs


def event_pairs(
    data: PreparedData, split: Split, rows: Rows, tasks: Sequence[str], most_frequent: int
) -> Iterator[TaskPairs]:
    """Pair the users of negatives groups with the offers of their events, one task after the other.

    Parameters
    ----------
    data : PreparedData
        The data set.
    split : Split
        The users that the events are of.
    rows : int64, shape (groups, m)
        Rows of target events.
    tasks : sequence of str
        Features that define the offers.
    most_frequent : int
        Values kept of each feature of an offer, as in the stage `group_test`.

    Yields
    ------
    TaskPairs
        The offers are described by the train users' events.
    """
    contexts = Contexts.of_events(data, split, rows)
    of_train = concatenated_ranges(*data.user_rows[Split.TRAIN])
    events = {name: data.events[name][of_train] for name in data.offer_sizes}
    for task in tasks:
        labels = data.events[task][rows]
        table = group_offers(events, task, most_frequent, np.unique(labels))
        yield TaskPairs(task, table, contexts, np.searchsorted(table.keys, labels).astype(np.int32))


def fitted_pairs(pairs: TaskPairs) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Say which pairs are fitted on, and which of these are positive.

    Left out are pairs of a user with an offer that is also that of the own event, as the published measure
    does, and offers out of the vocabulary, which are many in one.

    Returns
    -------
    bool, shape (groups, m, m)
        Pairs to fit on.
    bool, shape (pairs to fit on,)
        Whether each is positive.
    """
    offer = pairs.offer_of_event
    is_positive = np.broadcast_to(np.eye(offer.shape[1], dtype=bool), pairs.shape)
    in_vocabulary = (pairs.offers.keys >= pairs.contexts.data.first_label)[offer][:, None, :]
    kept = (is_positive | (offer[:, :, None] != offer[:, None, :])) & in_vocabulary
    return kept, is_positive[kept]
