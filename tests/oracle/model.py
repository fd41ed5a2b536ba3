"""The two-tower model in NumPy, one history and one offer at a time."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

Vector = npt.NDArray[np.float64]
EPSILON = 1e-3  # of Keras's BatchNormalization


def weighted_mean(table: npt.NDArray[np.float32], weights: Mapping[int, float]) -> Vector:
    """Sum of weight times embedding."""
    total = np.zeros(table.shape[1])
    for label, weight in weights.items():
        total += weight * table[label].astype(np.float64)
    return total


def bag_mean(table: npt.NDArray[np.float32], bag: Mapping[int, float]) -> Vector:
    """Mean of the embeddings of the labels by their weights; zeros if there are none."""
    total = sum(bag.values())
    return weighted_mean(table, {label: weight / total for label, weight in bag.items()})


def infer_tower(weights: Mapping[str, npt.NDArray[np.float32]], tower: str, row: Vector) -> Vector:
    """A tower's vector of one input row: moving moments, then dense and tanh for each layer."""
    moment = {
        name: weights[f"{tower}/{name}"].astype(np.float64)
        for name in ("moving_mean", "moving_variance", "scale", "offset")
    }
    vector = (row - moment["moving_mean"]) / np.sqrt(moment["moving_variance"] + EPSILON)
    vector = vector * moment["scale"] + moment["offset"]
    layer = 0
    while f"{tower}/kernel_{layer}" in weights:
        vector = np.tanh(vector @ weights[f"{tower}/kernel_{layer}"] + weights[f"{tower}/bias_{layer}"])
        layer += 1
    return vector


def user_vector(
    weights: Mapping[str, npt.NDArray[np.float32]], bags: Mapping[str, Mapping[int, float]]
) -> Vector:
    """Vector of a history: label -> weight for each user feature."""
    parts = [bag_mean(weights[f"user_embedding/{name}"], bag) for name, bag in bags.items()]
    return infer_tower(weights, "user_tower", np.concatenate(parts))


def offer_vector(
    weights: Mapping[str, npt.NDArray[np.float32]], distributions: Mapping[str, Mapping[int, float]]
) -> Vector:
    """Vector of an offer: label -> weight for each offer feature."""
    parts = [weighted_mean(weights[f"offer_embedding/{name}"], part) for name, part in distributions.items()]
    return infer_tower(weights, "offer_tower", np.concatenate(parts))


def pair_loss(logits: npt.NDArray[np.float64]) -> float:
    """Mean binary cross-entropy of (minibatches, m, m) logits whose diagonals are the positives."""
    losses = []
    for minibatch in logits:
        for i in range(len(minibatch)):
            for j in range(len(minibatch)):
                probability = 1 / (1 + np.exp(-minibatch[i, j]))
                losses.append(-np.log(probability if i == j else 1 - probability))
    return float(np.mean(losses))
