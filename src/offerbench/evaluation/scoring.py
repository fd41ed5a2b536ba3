"""Scores by factors: vectors once a history and once an offer, then their pairs."""

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from offerbench.batching.batches import gather_bags
from offerbench.batching.grouping import packed_key
from offerbench.batching.prepared import PreparedData
from offerbench.evaluation.matches import Matches
from offerbench.evaluation.offers import OfferTable
from offerbench.model.augmented import AugmentedModel
from offerbench.model.interaction import BilinearScore, MatchScore
from offerbench.model.layers import no_dropout
from offerbench.model.ranking_model import RankingModel

Vectors = npt.NDArray[np.float32]
VIEWS_AT_A_TIME = 20_000
MINIBATCHES_AT_A_TIME = 2_000
NETWORK_DECIMALS = 5


def user_vectors(model: RankingModel, data: PreparedData, views: npt.NDArray[np.int64]) -> Vectors:
    """Vector of each view; float32, shape (views, units), or (views, features, dim) for a bilinear score."""
    parts = []
    for start in range(0, len(views), VIEWS_AT_A_TIME):
        some = views[start : start + VIEWS_AT_A_TIME]
        bags = {name: gather_bags(data.bags[name], some) for name in model.specification.user_features}
        parts.append(
            model.infer_users(
                {name: bag.values for name, bag in bags.items()},
                {name: bag.segments for name, bag in bags.items()},
                {name: bag.weights for name, bag in bags.items() if bag.weights is not None},
                tf.constant(len(some)),
            ).numpy()
        )
    return np.concatenate(parts)


def offer_vectors(model: RankingModel, table: OfferTable) -> Vectors:
    """Vector of each offer of a task; float32, shape (offers, units) or (offers, features, dim)."""
    seen = {name: table.distributions[name] for name in model.specification.offer_features}
    vectors = model.infer_offers(
        {name: part.values for name, part in seen.items()},
        {name: part.segments for name, part in seen.items()},
        {name: part.weights for name, part in seen.items()},
        tf.constant(len(table.keys)),
    )
    return np.asarray(vectors.numpy())


def model_scores(
    model: RankingModel,
    users: Vectors,
    view_of_event: npt.NDArray[np.int64],
    offers: Vectors,
    offer_of_event: npt.NDArray[np.int32],
    matches: Matches,
) -> Vectors:
    """Score every user with every offer of its minibatch of m neighbours.

    Parameters
    ----------
    model : RankingModel
        The model.
    users : float32, shape (views, ...)
        From `user_vectors`.
    view_of_event : int64, shape (minibatches, m)
        History of each event.
    offers : float32, shape (offers, ...)
        From `offer_vectors`.
    offer_of_event : int32, shape (minibatches, m)
        Offer of each event.
    matches : Matches
        Counts of the users' pasts that match; read only by a model that sees them.

    Returns
    -------
    float32, shape (minibatches, m, m)
        Entry (b, i, j): user of event i with the offer of event j.
    """
    if isinstance(model, AugmentedModel) and model.bilinear is not None:
        scores = _bilinear_scores(model.bilinear, users, view_of_event, offers, offer_of_event)
    else:
        scores = pair_scores(users[view_of_event], offers[offer_of_event])
    if isinstance(model, AugmentedModel) and model.match_score is not None:
        scores += _match_scores(model.match_score, offers, offer_of_event, matches)
    return scores


def pair_scores(users: Vectors, offers: Vectors) -> Vectors:
    """Dot products of every user with every offer of its minibatch of m neighbours.

    Parameters
    ----------
    users, offers : float32, shape (minibatches, m, units)
        Vectors of the events of each minibatch.

    Returns
    -------
    float32, shape (minibatches, m, m)
        Entry (b, i, j): user of event i with the offer of event j.
    """
    # A matrix product sums in an order that depends on the entry's place: equal pairs would get
    # scores that differ in their last bit, and ties, which count half, would be broken.
    scores: Vectors = np.einsum("biu,bju->bij", users, offers)
    return scores


def _match_scores(
    score: MatchScore, offers: Vectors, offer_of_event: npt.NDArray[np.int32], matches: Matches
) -> Vectors:
    """Score of the matches of each pair; float32, shape (minibatches, m, m)."""
    counts = matches.counts(score.windows)  # (b, m, m, windows)
    lengths = np.broadcast_to(matches.lengths(score.windows)[:, :, None], counts.shape)
    both = [part.reshape(-1, counts.shape[-1]) for part in (counts, lengths)]  # (pairs, windows) each
    offers_of_pairs = np.broadcast_to(offer_of_event[:, None, :], counts.shape[:-1]).reshape(-1)
    base = (np.bincount(offer_of_event.reshape(-1)) / offer_of_event.size).astype(np.float32)  # (offers,)
    # Each combination once: pairs of equal matches get scores of equal bits.
    columns = [offers_of_pairs, *(column for part in both for column in part.T)]
    packed = packed_key([column.astype(np.int64) for column in columns])
    first, row_of_pair = np.unique(packed, return_index=True, return_inverse=True)[1:]
    functions = score.of_pairs(
        both[0][first], both[1][first], base[offers_of_pairs[first]], training=False
    ).numpy()
    weights = score.of_offers(offers.reshape(len(offers), -1)).numpy()[offer_of_event]  # (b, m, functions)
    of_pair = functions[row_of_pair].reshape(*counts.shape[:-1], -1)
    scores: Vectors = np.einsum("bijf,bjf->bij", of_pair, weights)
    return scores


def _bilinear_scores(
    score: BilinearScore,
    users: Vectors,
    view_of_event: npt.NDArray[np.int64],
    offers: Vectors,
    offer_of_event: npt.NDArray[np.int32],
) -> Vectors:
    parts = []
    for start in range(0, len(view_of_event), MINIBATCHES_AT_A_TIME):
        part = slice(start, start + MINIBATCHES_AT_A_TIME)
        of_users, of_offers = users[view_of_event[part]], offers[offer_of_event[part]]
        parts.append(score(of_users, of_offers, no_dropout, training=False).numpy())
    # Rounded, since a network's matrix products give equal pairs unequal last bits (see `pair_scores`).
    scores: Vectors = np.concatenate(parts).round(NETWORK_DECIMALS)
    return scores
