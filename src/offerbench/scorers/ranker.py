"""A trained ranker as a scorer: vectors once a history and once an offer, then their pairs."""

from weakref import WeakKeyDictionary

import numpy as np

from offerbench.features.offers import OfferTable
from offerbench.model.interaction import Vectors
from offerbench.model.match_score import MatchScore
from offerbench.model.ranker import Ranker
from offerbench.scorers.contexts import Contexts
from offerbench.scorers.histories import Histories
from offerbench.scorers.pairs import TaskPairs

HISTORIES_AT_A_TIME = 20_000


class RankerScorer:
    """Scores pairs by a ranker; the vectors of some contexts are made once for all tasks."""

    def __init__(self, model: Ranker) -> None:
        self._model = model
        self._users: WeakKeyDictionary[Contexts, Vectors] = WeakKeyDictionary()

    def score(self, pairs: TaskPairs) -> Vectors:
        """Score every user of a group with every offer of the group; see `Scorer`."""
        of_interaction, of_matches = self.parts(pairs)
        return of_interaction if of_matches is None else of_interaction + of_matches

    def parts(self, pairs: TaskPairs) -> tuple[Vectors, Vectors | None]:
        """Score the pairs by the interaction, and by the matches if the ranker has a match score.

        Returns
        -------
        float32, shape (groups, i, j), each
        """
        return pairs.shared(self, lambda: self._parts(pairs))

    def _parts(self, pairs: TaskPairs) -> tuple[Vectors, Vectors | None]:
        contexts = pairs.contexts
        if contexts not in self._users:
            self._model.specification.check_fits(contexts.data)
            self._users[contexts] = user_vectors(self._model, contexts.histories)
        users = self._users[contexts][contexts.histories.of_context]
        offers = offer_vectors(self._model, pairs.offers)
        scores = self._model.interaction.scores(users, offers[pairs.offer_of_event])
        if self._model.match_score is None:
            return scores, None
        return scores, _match_scores(self._model, self._model.match_score, pairs, offers)


def user_vectors(model: Ranker, histories: Histories) -> Vectors:
    """Vector of each history; float32, shape (histories, ...)."""
    parts = []
    for start in range(0, len(histories), HISTORIES_AT_A_TIME):
        some = slice(start, min(start + HISTORIES_AT_A_TIME, len(histories)))
        bags = histories.bags(model.specification.user_features, some)
        parts.append(
            model.infer_users(
                {name: bag.values for name, bag in bags.items()},
                {name: bag.segments for name, bag in bags.items()},
                {name: bag.weights for name, bag in bags.items() if bag.weights is not None},
                np.int32(some.stop - some.start),
            ).numpy()
        )
    return np.concatenate(parts)


def offer_vectors(model: Ranker, offers: OfferTable) -> Vectors:
    """Vector of each offer of a task; float32, shape (offers, ...)."""
    seen = {name: offers.distributions[name] for name in model.specification.offer_features}
    vectors = model.infer_offers(
        {name: part.values for name, part in seen.items()},
        {name: part.segments for name, part in seen.items()},
        {name: part.weights for name, part in seen.items()},
        np.int32(len(offers.keys)),
    )
    return np.asarray(vectors.numpy())


def _match_scores(model: Ranker, score: MatchScore, pairs: TaskPairs, offers: Vectors) -> Vectors:
    """Score of the matches of each pair; float32, shape (groups, i, j)."""
    parameters = score.parameters
    windows = [pairs.contexts.past(window) for window in parameters.windows]
    counts = np.stack([pairs.match_counts(*window) for window in windows], axis=-1).astype(np.float32)
    lengths = [length for _, length in windows]
    base = np.repeat(pairs.offers.base[:, None], len(windows), axis=1)
    if parameters.attribute_values:
        features = list(model.specification.offer_features)
        of_attributes, attribute_base = pairs.attribute_matches(features, parameters.attribute_values)
        counts = np.concatenate([counts, of_attributes], axis=-1)
        lengths += [pairs.contexts.past(None)[1]] * len(features)
        base = np.concatenate([base, attribute_base], axis=1)
    of_users = np.stack(lengths, axis=-1).astype(np.float32)
    return score.scores(counts, of_users, base, offers, pairs.offer_of_event)
