"""The whole ranker in NumPy, one history, one offer and one pair at a time."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from offerbench.model.config import RankerParameters
from tests.oracle.layers import (
    Vector,
    Weights,
    bag_mean,
    batch_normalised,
    dense,
    gelu,
    keep_winners,
    layer_normalised,
    selu,
    tower_vector,
    weighted_mean,
)

Bags = Mapping[str, Mapping[int, float]]
"""Label -> weight for each feature of a side."""
MIN_SHARE = 1e-6  # shares of 0 and 1 have no finite log odds


def compressed_user(weights: Weights, features: Sequence[Vector]) -> list[Vector]:
    """Meta features of a user."""
    dim = len(features[0])
    hidden = gelu(dense(weights, "user_compression/expand", np.concatenate(features)))
    rows = [
        layer_normalised(weights, "user_compression/normalization", hidden[start : start + dim])
        for start in range(0, len(hidden), dim)
    ]
    mix, bias = weights["user_compression/mix/kernel"], weights["user_compression/mix/bias"]
    meta_features = []
    for place in range(mix.shape[1]):
        mixed = np.full(dim, bias[place, 0], np.float64)
        for share, row in zip(mix[:, place], rows, strict=True):
            mixed += share * row
        meta_features.append(batch_normalised(weights, "user_compression/output", selu(mixed)))
    return meta_features


def offer_network(weights: Weights, name: str, moments: Vector) -> Vector:
    """Dense, gelu, normalisation, a third of the entries, dense, tanh."""
    hidden = gelu(dense(weights, f"{name}/hidden", moments))
    hidden = layer_normalised(weights, f"{name}/normalization", hidden)
    winners = max(len(hidden) // 3, 1)
    return np.tanh(dense(weights, f"{name}/output", keep_winners(hidden, winners)))


def compressed_offer(weights: Weights, means: Sequence[Vector], moments: Vector, mask: bool) -> list[Vector]:
    """Meta features of an offer."""
    features, dim = len(means), len(means[0])
    kernel = offer_network(weights, "offer_compression/kernel", moments)
    number = len(kernel) // features
    meta_features = []
    for place in range(number):
        mixed = np.zeros(dim)
        for feature, mean in enumerate(means):
            mixed += kernel[feature * number + place] * mean
        if mask:
            of_offer = offer_network(weights, "offer_compression/mask", moments)
            mixed *= of_offer[place * dim : (place + 1) * dim]
        meta_features.append(mixed)
    return meta_features


def offer_moments(weights: Weights, name: str, distribution: Mapping[int, float]) -> tuple[Vector, Vector]:
    """Mean of the embeddings of a feature's values, and their variance around it."""
    table = weights[f"offer_embedding/{name}"]
    mean = weighted_mean(table, distribution)
    variance = np.zeros(len(mean))
    for label, weight in distribution.items():
        variance += weight * (table[label].astype(np.float64) - mean) ** 2
    return mean, variance


def user_rows(weights: Weights, shape: RankerParameters, bags: Bags) -> list[Vector]:
    """A history as it goes into the interaction."""
    features = [bag_mean(weights[f"user_embedding/{name}"], bag) for name, bag in bags.items()]
    return compressed_user(weights, features) if shape.compression else features


def offer_rows(weights: Weights, shape: RankerParameters, distributions: Bags) -> list[Vector]:
    """An offer, a distribution over the values of its features, as it goes into the interaction."""
    both = [offer_moments(weights, name, part) for name, part in distributions.items()]
    means, variances = [mean for mean, _ in both], [variance for _, variance in both]
    seen = [*means, *variances] if shape.variance else means
    if shape.compression:
        return compressed_offer(weights, means, np.concatenate(seen), shape.compression.mask)
    return seen


def user_vector(weights: Weights, bags: Bags) -> Vector:
    """A history's vector by its tower, without compression."""
    features = [bag_mean(weights[f"user_embedding/{name}"], bag) for name, bag in bags.items()]
    return tower_vector(weights, "user_tower", np.concatenate(features))


def offer_vector(weights: Weights, distributions: Bags) -> Vector:
    """An offer's vector by its tower, without compression and variance."""
    parts = [weighted_mean(weights[f"offer_embedding/{name}"], part) for name, part in distributions.items()]
    return tower_vector(weights, "offer_tower", np.concatenate(parts))


def log_odds(share: float) -> float:
    """Of an event that has this share of all."""
    return math.log(share) - math.log(1 - share)


def match_functions(
    counts: Sequence[float], lengths: Sequence[float], base: Sequence[float], prior_events: float
) -> list[float]:
    """Share of each kind of match, then how far its log odds, after events of everyone's share, are above
    theirs.
    """
    shares, surplus = [], []
    for count, length, share in zip(counts, lengths, base, strict=True):
        expected = min(max(share, MIN_SHARE), 1 - MIN_SHARE)
        shares.append(count / max(length, 1))
        posterior = (count + prior_events * expected) / (length + prior_events)
        surplus.append(log_odds(posterior) - log_odds(expected))
    return [*shares, *surplus]


def match_score(
    weights: Weights,
    counts: Sequence[float],
    lengths: Sequence[float],
    base: Sequence[float],
    prior_events: float,
    offer: Vector,
) -> float:
    """Learned functions, the log odds of each kind of match and 1, each times its weight for the offer."""
    functions = np.array(match_functions(counts, lengths, base, prior_events))
    normalised = batch_normalised(weights, "match_score/normalization", functions)
    learned = np.tanh(dense(weights, "match_score", normalised))
    of_offer = weights["match_score/weights"] + offer @ weights["match_score/weights_of_offer"]
    values = [*learned, *functions[len(counts) :], 1.0]
    return sum(float(x) * w for x, w in zip(values, of_offer, strict=True))


def bilinear_score(weights: Weights, users: Sequence[Vector], offers: Sequence[Vector]) -> float:
    """Network on the products of all pairs of rows."""
    kernel = weights["bilinear_score/kernel"].astype(np.float64)
    products = [
        user @ kernel[place, other] @ offer
        for place, user in enumerate(users)
        for other, offer in enumerate(offers)
    ]
    values = batch_normalised(weights, "bilinear_score/normalization", np.array(products))
    layer = 0
    while f"bilinear_score/dense_{layer + 1}/kernel" in weights:
        values = np.tanh(dense(weights, f"bilinear_score/dense_{layer}", values))
        layer += 1
    return float(dense(weights, f"bilinear_score/dense_{layer}", values)[0])


def pair_score(
    weights: Weights,
    shape: RankerParameters,
    bags: Bags,
    distributions: Bags,
    counts: Sequence[float] = (),
    lengths: Sequence[float] = (),
    base: Sequence[float] = (),
) -> float:
    """Score of one history with one offer; counts, lengths and all users' shares for each kind of match."""
    users, offers = user_rows(weights, shape, bags), offer_rows(weights, shape, distributions)
    if shape.interaction == "dot":
        offer = tower_vector(weights, "offer_tower", np.concatenate(offers))
        score = float(tower_vector(weights, "user_tower", np.concatenate(users)) @ offer)
    else:
        offer = np.concatenate(offers)
        score = bilinear_score(weights, users, offers)
    if shape.match_score is None:
        return score
    return score + match_score(weights, counts, lengths, base, shape.match_score.prior_events, offer)


def pair_loss(logits: npt.NDArray[np.float64], weights: npt.NDArray[np.float64] | None = None) -> float:
    """Mean binary cross-entropy of the pairs that count of each grouping, then the mean of the groupings.

    `logits` and `weights` are of shape (groupings, groups, m, m); the positives are on the diagonals.
    """
    of_groupings = []
    for g in range(len(logits)):
        losses = []
        for b, i, j in np.ndindex(*logits.shape[1:]):
            if weights is None or weights[g, b, i, j]:
                probability = 1 / (1 + np.exp(-logits[g, b, i, j]))
                losses.append(-np.log(probability if i == j else 1 - probability))
        of_groupings.append(np.mean(losses))
    return float(np.mean(of_groupings))
