"""The ranker of events only, of Keras's own layers: a row of every event, one-hot look-ups, plain loss."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from tests.oracle.layers import Weights

SIDES = ("user", "offer")


def look_up_matrix(bags: Sequence[Mapping[int, float]], labels: int) -> npt.NDArray[np.float32]:
    """Row i times an embedding table is the mean of bag i by its weights; an empty bag gives zeros."""
    matrix = np.zeros((len(bags), labels), np.float32)
    for row, bag in enumerate(bags):
        for label, weight in bag.items():
            matrix[row, label] = weight / sum(bag.values())
    return matrix


class KerasTower:
    """BatchNormalization, then Dense and tanh for each layer; no dropout.

    Parameters
    ----------
    weights : dict of float32
        Every variable by its name.
    name : str
        Prefix of the tower's variables.
    momentum : float
    """

    def __init__(self, weights: Weights, name: str, momentum: float) -> None:
        moments = [
            weights[f"{name}/{part}"] for part in ("scale", "offset", "moving_mean", "moving_variance")
        ]
        self.name = name
        self.normalisation = tf.keras.layers.BatchNormalization(momentum=momentum)
        self.normalisation.build((None, len(moments[0])))
        self.normalisation.set_weights(moments)
        self.layers = []
        while (kernel_name := f"{name}/kernel_{len(self.layers)}") in weights:
            kernel, bias = weights[kernel_name], weights[f"{name}/bias_{len(self.layers)}"]
            layer = tf.keras.layers.Dense(kernel.shape[1], activation="tanh")
            layer.build((None, kernel.shape[0]))
            layer.set_weights([kernel, bias])
            self.layers.append(layer)

    def __call__(self, rows: tf.Tensor, training: bool) -> tf.Tensor:
        """Vector of each row."""
        vectors = self.normalisation(rows, training=training)
        for layer in self.layers:
            vectors = layer(vectors)
        return vectors

    def variables(self) -> dict[str, tf.Variable]:
        """Trainable variables by the names that a ranker gives them."""
        named = {
            f"{self.name}/scale": self.normalisation.gamma,
            f"{self.name}/offset": self.normalisation.beta,
        }
        for number, layer in enumerate(self.layers):
            named |= {f"{self.name}/kernel_{number}": layer.kernel, f"{self.name}/bias_{number}": layer.bias}
        return named

    def moving_moments(self) -> dict[str, tf.Variable]:
        """Moving mean and variance."""
        return {
            f"{self.name}/{part}": getattr(self.normalisation, part)
            for part in ("moving_mean", "moving_variance")
        }


class KerasRanker:
    """A copy of a ranker with two towers and no other part.

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
        self, weights: Weights, momentum: float, l1: float, shared_tables: Mapping[str, str]
    ) -> None:
        self.shared = {f"user_embedding/{u}": f"offer_embedding/{o}" for u, o in shared_tables.items()}
        self.tables = {name: tf.Variable(values) for name, values in weights.items() if "_embedding/" in name}
        self.towers = {side: KerasTower(weights, f"{side}_tower", momentum) for side in SIDES}
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
        return self.towers[side](tf.concat(embedded, axis=1), training)

    def loss(self, users: tf.Tensor, offers: tf.Tensor, neighbours: int) -> tuple[tf.Tensor, tf.Tensor]:
        """Mean cross-entropy of all pairs of all negatives groups plus the L1 penalty; and the logits."""
        logits, targets = [], []
        for start in range(0, len(users), neighbours):
            for i in range(start, start + neighbours):
                for j in range(start, start + neighbours):
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
        of_towers = [tower.variables() for tower in self.towers.values()]
        return {**self.tables, **of_towers[0], **of_towers[1]}

    def moving_moments(self) -> dict[str, tf.Variable]:
        """Moving mean and variance of each tower."""
        user, offer = (tower.moving_moments() for tower in self.towers.values())
        return {**user, **offer}
