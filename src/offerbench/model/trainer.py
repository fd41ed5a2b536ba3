"""The compiled steps of a training."""

import tensorflow as tf

from offerbench.model.layers import Dropout
from offerbench.model.negatives import Pairs, pair_loss
from offerbench.model.optimizer import make_optimizer
from offerbench.model.ranker import Ranker
from offerbench.model.tensors import BatchTensors


class Trainer:
    """One model, its optimizer and its compiled steps.

    Parameters
    ----------
    model : Ranker
        Trained in place.
    signature, validation_signature : BatchTensors of tf.TensorSpec
        Of the batches, as a feed names them.
    """

    def __init__(self, model: Ranker, signature: BatchTensors, validation_signature: BatchTensors) -> None:
        self.model = model
        self.parameters = model.specification.training
        self.optimizer = make_optimizer(self.parameters.optimizer)
        self.variables = model.trainable_variables
        # No step branches on a tensor, so nothing is there for AutoGraph to rewrite; that takes a second.
        step = tf.TensorSpec([], tf.int32)
        self.train_step = tf.function(self._train_step, [signature, step], autograph=False)
        self.validation_step = tf.function(self._validation_step, [validation_signature], autograph=False)

    def loss(self, batch: BatchTensors, drop: Dropout | None) -> tuple[tf.Tensor, Pairs]:
        """Loss of a batch with its L1 penalty (scalar), and its pairs; `drop` is that of a training step."""
        pairs = self.model.pairs(batch, self.parameters.neighbours, drop)
        return pair_loss(pairs) + self._penalty(), pairs

    def _penalty(self) -> tf.Tensor:
        absolute = [tf.reduce_sum(tf.abs(variable)) for variable in self.model.regularised()]
        return self.parameters.ranker.l1 * tf.add_n(absolute)

    def _train_step(self, batch: BatchTensors, step: tf.Tensor) -> tuple[tf.Tensor, Pairs]:
        drop = Dropout(self.parameters.ranker.dropout, self.parameters.seed, step)
        with tf.GradientTape() as tape:
            loss, pairs = self.loss(batch, drop)
        gradients = tape.gradient(loss, self.variables)
        # An embedding's L1 term makes its gradient dense; add the rows that were looked up to it.
        dense = [tf.convert_to_tensor(gradient) for gradient in gradients]
        self.optimizer.apply_gradients(zip(dense, self.variables, strict=True))
        return loss, pairs

    def _validation_step(self, batch: BatchTensors) -> tuple[tf.Tensor, Pairs]:
        return self.loss(batch, None)
