"""The compiled steps of one of the replicas of a training."""

import tensorflow as tf

from offerbench.model.layers import Dropout
from offerbench.model.negatives import Pairs, pair_loss
from offerbench.model.ranker import Ranker
from offerbench.model.replicas import Replica
from offerbench.model.tensors import BatchTensors
from offerbench.model.trainer import Trainer


class ReplicaTrainer(Trainer):
    """Computes the loss and the gradients of its share, and makes the step of the whole batch.

    Of an embedding table only the rows that the whole batch looks up are sent: every replica names the same
    rows, in the same order. The penalty is the same everywhere, so its gradient stays at home.

    Parameters
    ----------
    model : Ranker
        Trained in place. All replicas begin with the same weights.
    signature, validation_signature : BatchTensors of tf.TensorSpec
        Of the shares of batches, as a feed names them.
    replica : Replica
        This process.
    """

    def __init__(
        self,
        model: Ranker,
        signature: BatchTensors,
        validation_signature: BatchTensors,
        replica: Replica,
    ) -> None:
        self._replica = replica
        self._regularised = {variable.ref() for variable in model.regularised()}
        super().__init__(model, signature, validation_signature)

    def _train_step(self, batch: BatchTensors, step: tf.Tensor) -> tuple[tf.Tensor, Pairs]:
        loss, pairs, gradients = self._replica.run(self._gradients, batch, step)
        loss += self._penalty()
        # Outside of `run`, where variables and optimizer are what they are in a training by one process.
        self.optimizer.apply_gradients(zip(gradients, self.variables, strict=True))
        return loss, pairs

    def _validation_step(self, batch: BatchTensors) -> tuple[tf.Tensor, Pairs]:
        loss, pairs = self._replica.run(self._own_part, batch)
        return loss + self._penalty(), pairs

    def _gradients(self, batch: BatchTensors, step: tf.Tensor) -> tuple[tf.Tensor, Pairs, list[tf.Tensor]]:
        """Give the whole batch's loss without penalty, own pairs, the whole batch's gradients with it."""
        drop = Dropout(self.parameters.ranker.dropout, self.parameters.seed, step)
        with tf.GradientTape() as tape:
            pairs = self._pairs(batch, drop)
            own_part = pair_loss(pairs, self._replica)
        gradients = tape.gradient(own_part, self.variables)
        loss, *sums = self._replica.total([own_part, *map(sent, gradients)])
        wholes = [received(own, values) for own, values in zip(gradients, sums, strict=True)]
        l1 = self.parameters.ranker.l1
        return (
            loss,
            pairs,
            [
                whole + l1 * tf.sign(variable) if variable.ref() in self._regularised else whole
                for variable, whole in zip(self.variables, wholes, strict=True)
            ],
        )

    def _own_part(self, batch: BatchTensors) -> tuple[tf.Tensor, Pairs]:
        pairs = self._pairs(batch, None)
        return self._replica.total(pair_loss(pairs, self._replica)), pairs

    def _pairs(self, batch: BatchTensors, drop: Dropout | None) -> Pairs:
        return self.model.pairs(batch, self.parameters.neighbours, drop, self._replica)


def sent(gradient: tf.Tensor | tf.IndexedSlices) -> tf.Tensor:
    """Give what the replicas add up: a gradient, or of a table that of the rows that were looked up."""
    return gradient.values if isinstance(gradient, tf.IndexedSlices) else gradient


def received(own: tf.Tensor | tf.IndexedSlices, values: tf.Tensor) -> tf.Tensor:
    """Give the whole batch's gradient, of the variable's shape, from what the replicas have added up."""
    if not isinstance(own, tf.IndexedSlices):
        return values
    return tf.convert_to_tensor(tf.IndexedSlices(values, own.indices, own.dense_shape))
