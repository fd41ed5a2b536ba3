"""The layers of a ranker in NumPy, one row at a time."""

import math
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

Vector = npt.NDArray[np.float64]
Weights = Mapping[str, npt.NDArray[np.float32]]
"""Every variable of a model by its name."""
EPSILON = 1e-3  # of Keras's BatchNormalization and LayerNormalization
SELU_SCALE, SELU_ALPHA = 1.0507009873554805, 1.6732632423543772


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


def tower_vector(weights: Weights, tower: str, row: Vector) -> Vector:
    """A tower's vector of one input row: normalised, then dense and tanh for each layer."""
    vector = batch_normalised(weights, tower, row)
    layer = 0
    while f"{tower}/kernel_{layer}" in weights:
        vector = np.tanh(vector @ weights[f"{tower}/kernel_{layer}"] + weights[f"{tower}/bias_{layer}"])
        layer += 1
    return vector
