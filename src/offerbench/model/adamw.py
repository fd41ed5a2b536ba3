"""AdamW by TensorFlow's own operations, the same on every version: the bits of tensorflow-addons' AdamW."""

from collections.abc import Iterable, Sequence

import tensorflow as tf

Both = tuple[tf.Tensor, tf.Tensor]
"""Of the first moment and of the second."""
BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-7
"""Decay of the moments, and what is added to the root of the second: Keras's defaults."""


class AdamW:
    """Adam, with a decay before it: a step subtracts `weight_decay * variable` first.

    Loshchilov and Hutter, "Decoupled weight decay regularization", 2019, without their schedule. The decay
    is not multiplied by the learning rate. As in tensorflow-addons, a sparse gradient decays the rows that
    it names alone, while Adam moves every row that has a moment.

    Parameters
    ----------
    learning_rate : float
        Step size of Adam.
    weight_decay : float
        Share of a variable that each step subtracts.
    """

    def __init__(self, learning_rate: float, weight_decay: float) -> None:
        # Variables, as in tensorflow-addons: what is constant, the optimizer of graphs may fold and reorder.
        self._rate, self._decay, self._beta_1, self._beta_2 = (
            tf.Variable(value, dtype=tf.float32, trainable=False)
            for value in (learning_rate, weight_decay, BETA_1, BETA_2)
        )
        self._iterations = tf.Variable(0, dtype=tf.int64, trainable=False, name="adamw/iterations")
        self._moments: dict[object, tuple[tf.Variable, tf.Variable]] = {}

    @property
    def variables(self) -> list[tf.Variable]:
        """What a training goes on from: number of steps (int64, scalar), both moments of each variable."""
        return [self._iterations, *(moment for both in self._moments.values() for moment in both)]

    def build(self, trained: Sequence[tf.Variable]) -> None:
        """Make the moments of what is trained, float32; what has some already keeps them."""
        with tf.init_scope():
            for variable in trained:
                if variable.ref() not in self._moments:
                    self._moments[variable.ref()] = _moment(variable, "m"), _moment(variable, "v")

    def apply_gradients(self, pairs: Iterable[tuple[tf.Tensor | tf.IndexedSlices, tf.Variable]]) -> None:
        """Make a step.

        Parameters
        ----------
        pairs : iterable of (tf.Tensor or tf.IndexedSlices, tf.Variable)
            Gradient and variable, each float32 and of one shape. The rows of a sparse gradient may come
            more than once: they are added up.
        """
        changes = list(pairs)
        self.build([variable for _, variable in changes])
        step = tf.cast(self._iterations + 1, tf.float32)
        powers = tf.pow(self._beta_1, step), tf.pow(self._beta_2, step)
        for gradient, variable in changes:
            moments = self._moments[variable.ref()]
            if isinstance(gradient, tf.IndexedSlices):
                self._apply_sparse(gradient, variable, moments, powers)
            else:
                self._apply_dense(gradient, variable, moments, powers)
        self._iterations.assign_add(1)

    def _apply_dense(self, gradient: tf.Tensor, variable: tf.Variable, moments: Both, powers: Both) -> None:
        variable.assign_sub(self._decay * variable)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=moments[0].handle,
            v=moments[1].handle,
            beta1_power=powers[0],
            beta2_power=powers[1],
            lr=self._rate,
            beta1=self._beta_1,
            beta2=self._beta_2,
            epsilon=EPSILON,
            grad=gradient,
        )

    def _apply_sparse(
        self, gradient: tf.IndexedSlices, variable: tf.Variable, moments: Both, powers: Both
    ) -> None:
        rows, row_of_slice = tf.unique(gradient.indices)
        values = tf.math.unsorted_segment_sum(gradient.values, row_of_slice, tf.size(rows))
        decayed = _add_to_rows(variable, rows, -self._decay * tf.gather(variable, rows))
        # What waits for the decay is left as it is written: the optimizer of graphs would reorder the factors
        # of the square, and round otherwise.
        with tf.control_dependencies([decayed]):
            parts = values * (1 - self._beta_1), (values * values) * (1 - self._beta_2)
        for moment, beta, part in zip(moments, (self._beta_1, self._beta_2), parts, strict=True):
            moment.assign(moment * beta)
            _add_to_rows(moment, rows, part)
        rate = self._rate * (tf.sqrt(1 - powers[1]) / (1 - powers[0]))
        variable.assign_sub(rate * moments[0] / (tf.sqrt(moments[1]) + EPSILON))


def _moment(variable: tf.Variable, letter: str) -> tf.Variable:
    name = f"adamw/{variable.name.removesuffix(':0')}/{letter}"
    return tf.Variable(tf.zeros(variable.shape, variable.dtype), trainable=False, name=name)


def _add_to_rows(variable: tf.Variable, rows: tf.Tensor, updates: tf.Tensor) -> tf.Operation | None:
    return tf.raw_ops.ResourceScatterAdd(resource=variable.handle, indices=rows, updates=updates)
