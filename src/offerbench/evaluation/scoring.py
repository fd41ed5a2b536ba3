"""Scores by factors: the user tower once a history, the offer tower once an offer, then dots."""

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from offerbench.batching.batches import gather_bags
from offerbench.batching.prepared import PreparedData
from offerbench.evaluation.offers import OfferTable
from offerbench.model.two_tower import TwoTower

Vectors = npt.NDArray[np.float32]
VIEWS_AT_A_TIME = 20_000


def user_vectors(model: TwoTower, data: PreparedData, views: npt.NDArray[np.int64]) -> Vectors:
    """Vector of each view; float32, shape (views, units)."""
    parts = []
    for start in range(0, len(views), VIEWS_AT_A_TIME):
        some = views[start : start + VIEWS_AT_A_TIME]
        bags = {name: gather_bags(data.bags[name], some) for name in model.specification.user_features}
        parts.append(
            model.infer_users(
                {name: bag.values for name, bag in bags.items()},
                {name: bag.segments for name, bag in bags.items()},
                tf.constant(len(some)),
            ).numpy()
        )
    return np.concatenate(parts)


def offer_vectors(model: TwoTower, table: OfferTable) -> Vectors:
    """Vector of each offer of a task; float32, shape (offers, units)."""
    seen = {name: table.distributions[name] for name in model.specification.offer_features}
    vectors = model.infer_offers(
        {name: part.values for name, part in seen.items()},
        {name: part.segments for name, part in seen.items()},
        {name: part.weights for name, part in seen.items()},
        tf.constant(len(table.keys)),
    )
    return np.asarray(vectors.numpy())


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
