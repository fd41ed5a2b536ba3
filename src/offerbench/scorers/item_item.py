"""Item-item similarity: how alike the buyers of the offer's value and of the user's past values are."""

import numpy as np
import numpy.typing as npt

from offerbench.core.columns import USER, Split
from offerbench.core.ranges import concatenated_ranges
from offerbench.features.co_occurrence import CoOccurrence
from offerbench.scorers.pairs import TaskPairs


class ItemItem:
    """Sum of the cosines between the distinct values of the past and the offer's, over a root.

    It is the root of the number of these values: without it, who bought many things would be close to
    everything. The buyers are train users.
    """

    def score(self, pairs: TaskPairs) -> npt.NDArray[np.float64]:
        """Score every user of a group with every offer of the group; see `Scorer`."""
        contexts, task = pairs.contexts, pairs.task
        data, size = contexts.data, contexts.data.offer_sizes[task]
        of_train = concatenated_ranges(*data.user_rows[Split.TRAIN])
        similarity = CoOccurrence(data.events[USER][of_train], data.events[task][of_train], size)
        pasts = contexts.past_counts(task)
        past = np.broadcast_to(contexts.numbers[:, :, None], pairs.shape).reshape(-1)
        keys = pairs.offers.keys[pairs.offer_of_event]
        label = np.broadcast_to(keys[:, None, :], pairs.shape).reshape(-1)
        sums = similarity.scores(pasts, past, label).astype(np.float64)
        scores: npt.NDArray[np.float64] = sums / np.sqrt(np.maximum(pasts.length[past], 1))
        return scores.reshape(pairs.shape)
