"""The augmented model in NumPy, one history, one offer and one pair at a time."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from offerbench.model.interaction import PRIOR_EVENTS
from offerbench.params.train_augmented import Parts
from tests.oracle.model import EPSILON, Vector, bag_mean, infer_tower, weighted_mean

Weights = Mapping[str, npt.NDArray[np.float32]]
SELU_SCALE, SELU_ALPHA = 1.0507009873554805, 1.6732632423543772
LEAST_SHARE = 1e-6  # shares of 0 and 1 have no finite log odds


def dense(weights: Weights, name: str, vector: Vector) -> Vector:
    """Kernel and bias."""
    return vector @ weights[f"{name}/kernel"].astype(np.float64) + weights[f"{name}/bias"]


def gelu(vector: Vector) -> Vector:
    """Each entry times the chance that a standard normal is below it."""
    return np.array([x * (1 + math.erf(x / math.sqrt(2))) / 2 for x in vector])


def selu(vector: Vector) -> Vector:
    """Klambauer and others, "Self-normalizing neural networks", 2017."""
    return np.array([SELU_SCALE * (x if x > 0 else SELU_ALPHA * (math.exp(x) - 1)) for x in vector])


def keep_winners(vector: Vector, k: int) -> Vector:
    """The k entries of largest absolute value, and those as large as the k-th; the others are 0."""
    least = sorted((abs(x) for x in vector), reverse=True)[k - 1]
    return np.array([x if abs(x) >= least else 0.0 for x in vector])


def layer_normalised(weights: Weights, name: str, vector: Vector) -> Vector:
    """By the vector's own moments."""
    row = (vector - np.mean(vector)) / np.sqrt(np.var(vector) + EPSILON)
    return row * weights[f"{name}/scale"] + weights[f"{name}/offset"]


def batch_normalised(weights: Weights, name: str, vector: Vector) -> Vector:
    """By the moving moments."""
    variance = weights[f"{name}/moving_variance"].astype(np.float64)
    row = (vector - weights[f"{name}/moving_mean"]) / np.sqrt(variance + EPSILON)
    return row * weights[f"{name}/scale"] + weights[f"{name}/offset"]


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


def compressed_offer(weights: Weights, means: Sequence[Vector], moments: Vector) -> list[Vector]:
    """Meta features of an offer."""
    features, dim = len(means), len(means[0])
    kernel = offer_network(weights, "offer_compression/kernel", moments)
    number = len(kernel) // features
    meta_features = []
    for place in range(number):
        mixed = np.zeros(dim)
        for feature, mean in enumerate(means):
            mixed += kernel[feature * number + place] * mean
        if "offer_compression/mask/hidden/kernel" in weights:
            mask = offer_network(weights, "offer_compression/mask", moments)
            mixed *= mask[place * dim : (place + 1) * dim]
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


def user_rows(weights: Weights, parts: Parts, bags: Mapping[str, Mapping[int, float]]) -> list[Vector]:
    """A history, label -> weight for each user feature, as it goes into the interaction."""
    features = [bag_mean(weights[f"user_embedding/{name}"], bag) for name, bag in bags.items()]
    return compressed_user(weights, features) if parts.user_meta_features else features


def offer_rows(
    weights: Weights, parts: Parts, distributions: Mapping[str, Mapping[int, float]]
) -> list[Vector]:
    """An offer, label -> weight for each offer feature, as it goes into the interaction."""
    both = [offer_moments(weights, name, part) for name, part in distributions.items()]
    means, variances = [mean for mean, _ in both], [variance for _, variance in both]
    seen = [*means, *variances] if parts.variance else means
    if parts.offer_meta_features:
        return compressed_offer(weights, means, np.concatenate(seen))
    return seen if parts.interaction == "dot" else means


def log_odds(share: float) -> float:
    """Of an event that has this share of all."""
    return math.log(share) - math.log(1 - share)


def match_functions(counts: Sequence[int], lengths: Sequence[int], base: float) -> list[float]:
    """Share of each window, then how far its log odds, after events of everyone's share, are above theirs."""
    both = list(zip(counts, lengths, strict=True))
    expected = min(max(base, LEAST_SHARE), 1 - LEAST_SHARE)
    shares = [count / max(length, 1) for count, length in both]
    posterior = [(count + PRIOR_EVENTS * expected) / (length + PRIOR_EVENTS) for count, length in both]
    return [*shares, *(log_odds(share) - log_odds(expected) for share in posterior)]


def match_score(
    weights: Weights, counts: Sequence[int], lengths: Sequence[int], base: float, offer: Vector
) -> float:
    """Learned functions, the log odds of each window and 1, each times its weight for the offer."""
    functions = np.array(match_functions(counts, lengths, base))
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
    parts: Parts,
    bags: Mapping[str, Mapping[int, float]],
    distributions: Mapping[str, Mapping[int, float]],
    counts: Sequence[int],
    lengths: Sequence[int],
    base: float,
) -> float:
    """Score of one history with one offer; counts and lengths for each window of matches.

    `base` is the share of all events that match the offer.
    """
    users, offers = user_rows(weights, parts, bags), offer_rows(weights, parts, distributions)
    if parts.interaction == "dot":
        offer = infer_tower(weights, "offer_tower", np.concatenate(offers))
        score = float(infer_tower(weights, "user_tower", np.concatenate(users)) @ offer)
    else:
        offer = np.concatenate(offers)
        score = bilinear_score(weights, users, offers)
    return score + (match_score(weights, counts, lengths, base, offer) if parts.matching else 0.0)
