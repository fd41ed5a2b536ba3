"""The two-tower model of Keras's own layers: one row of every event, one-hot look-ups, plain loss."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from tests.oracle.tower import KerasTower


def look_up_matrix(bags: Sequence[Mapping[int, float]], labels: int) -> npt.NDArray[np.float32]:
    """Row i times an embedding table is the mean of bag i by its weights; an empty bag gives zeros."""
    matrix = np.zeros((len(bags), labels), np.float32)
    for row, bag in enumerate(bags):
        for label, weight in bag.items():
            matrix[row, label] = weight / sum(bag.values())
    return matrix


class KerasTwoTower:
    """A copy of a model.

    Parameters
    ----------
    weights : dict of float32
        Every variable of the model by its name.
    momentum, l1 : float
        Parameters of the model.
    shared_tables : dict of str
        The offer feature whose table a user feature has.
    """

    def __init__(
        self,
        weights: Mapping[str, npt.NDArray[np.float32]],
        momentum: float,
        l1: float,
        shared_tables: Mapping[str, str],
    ) -> None:
        self.shared = {f"user_embedding/{u}": f"offer_embedding/{o}" for u, o in shared_tables.items()}
        self.tables = {name: tf.Variable(values) for name, values in weights.items() if "_embedding/" in name}
        self.towers = {}
        for tower in ("user_tower", "offer_tower"):
            layers = sum(name.startswith(f"{tower}/kernel_") for name in weights)
            self.towers[tower] = KerasTower(
                *(
                    weights[f"{tower}/{name}"]
                    for name in ("scale", "offset", "moving_mean", "moving_variance")
                ),
                [weights[f"{tower}/kernel_{layer}"] for layer in range(layers)],
                [weights[f"{tower}/bias_{layer}"] for layer in range(layers)],
                momentum,
            )
        self.l1 = l1

    def vectors(
        self, side: str, bags: Mapping[str, Sequence[Mapping[int, float]]], training: bool
    ) -> tf.Tensor:
        """Vector of each event; `side` is user or offer, `bags` has each event's bag for each feature."""
        embedded = []
        for name, of_events in bags.items():
            own = f"{side}_embedding/{name}"
            table = self.tables[self.shared.get(own, own)]
            embedded.append(look_up_matrix(of_events, table.shape[0]) @ table)
        return self.towers[f"{side}_tower"](tf.concat(embedded, axis=1), training)

    def loss(self, users: tf.Tensor, offers: tf.Tensor, minibatch: int) -> tuple[tf.Tensor, tf.Tensor]:
        """Mean cross-entropy of all pairs of all minibatches plus the L1 penalty; and the logits."""
        logits, targets = [], []
        for start in range(0, len(users), minibatch):
            for i in range(start, start + minibatch):
                for j in range(start, start + minibatch):
                    logits.append(tf.tensordot(users[i], offers[j], 1))
                    targets.append(float(i == j))
        stacked = tf.stack(logits)
        entropy = tf.keras.losses.BinaryCrossentropy(from_logits=True)(tf.constant(targets), stacked)
        regularised = [
            variable for name, variable in self.variables().items() if not name.endswith(("scale", "offset"))
        ]
        return entropy + self.l1 * tf.add_n([tf.norm(v, ord=1) for v in regularised]), stacked

    def variables(self) -> dict[str, tf.Variable]:
        """Trainable variables by the names that the model gives them."""
        named = dict(self.tables)
        for tower, keras in self.towers.items():
            layers = len(keras.layers)
            names = [f"{part}_{layer}" for layer in range(layers) for part in ("kernel", "bias")]
            named |= {
                f"{tower}/{name}": variable
                for name, variable in zip(["scale", "offset", *names], keras.variables(), strict=True)
            }
        return named

    def moving_moments(self) -> dict[str, tf.Variable]:
        """Moving mean and variance of each tower."""
        return {
            f"{tower}/{name}": getattr(keras.normalisation, name)
            for tower, keras in self.towers.items()
            for name in ("moving_mean", "moving_variance")
        }
