"""The head: from activity, share and matches to the chance of a purchase, one for all tasks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from offerbench.campaigns.inputs import LOG_MU, PRIOR, Pairs, input_names
from offerbench.campaigns.linear import LinearModel, fit_linear
from offerbench.campaigns.pair_history import Float32s
from offerbench.campaigns.sampling import SampledPairs
from offerbench.campaigns.share import chance_without_label, fit_factor
from offerbench.campaigns.timeline import Floats, Ints
from offerbench.core.errors import OfferbenchError

ALL_TASKS = "all"


@dataclass(frozen=True, eq=False)
class Examples:
    """Sampled pairs of a task and day with their inputs."""

    task: str
    sampled: SampledPairs
    inputs: Float32s
    """Shape (pairs, inputs)."""


@dataclass(frozen=True)
class Head:
    """A logistic regression with the offer's own log odds as offset; and the baseline that has no label."""

    model: LinearModel
    factors: Mapping[str, float]
    """For each task, and for all of them, the factor of `chance_without_label`."""
    levels: Mapping[str, float]
    """For each task, and for all of them, what rates of purchase are multiplied by at the cut."""

    def logits(self, inputs: Float32s) -> Floats:
        """Give the log odds of a purchase within the horizon.

        Parameters
        ----------
        inputs : float32, shape (pairs, inputs)
            Of `Pairs.inputs`.

        Returns
        -------
        float64, shape (pairs,)
        """
        prior = inputs[:, self.model.names.index(PRIOR)].astype(np.float64)
        return self.model.predict(inputs) + prior

    def chances(self, inputs: Float32s, level: float = 1.0) -> Floats:
        """Give the chance of a purchase within the horizon, if the rate is `level` times the head's.

        Returns
        -------
        float64, shape (pairs,)
        """
        return chance_without_label(_rates(self.logits(inputs)), level)

    def chances_without_label(self, inputs: Float32s, task: str | None) -> Floats:
        """Give the chance by activity and share alone; of a task, or of any other offer."""
        return chance_without_label(self.expected_days(inputs), of_task(self.factors, task))

    def chances_and_purchases(
        self, pairs: Pairs, user: Ints, offer: Ints, level: float = 1.0
    ) -> tuple[Floats, Floats]:
        """Give the chance of a purchase, and the expected number of events of the offer.

        The chance P is that of at least one day with a purchase at the rate -log(1 - P); such a day has as
        many events of the offer as the share says: lambda p / mu.

        Parameters
        ----------
        pairs : Pairs
            Users and offers.
        user, offer : int64, shape (pairs,)
            Their places.
        level : float
            Multiplies the rate.

        Returns
        -------
        chances, purchases : float64, shape (pairs,)
            Purchases are not below chances.
        """
        columns = pairs.columns(user, offer)
        logits = self.logits(pairs.inputs_of(columns))
        rate = level * _rates(logits)
        shares = pairs.shares(columns["dot"] + columns["match"], offer)
        of_day = pairs.users.expected_events[user] * shares / np.exp(columns[LOG_MU].astype(np.float64))
        return -np.expm1(-rate), rate * np.maximum(of_day, 1.0)

    def expected_days(self, inputs: Float32s) -> Floats:
        """Give the expected number of days with a purchase, mu; float64, shape (pairs,)."""
        return np.exp(inputs[:, self.model.names.index(LOG_MU)].astype(np.float64))

    def content(self) -> dict[str, Any]:
        """Give what JSON keeps of it."""
        return {
            "factors": dict(self.factors),
            "levels": dict(self.levels),
            "model": self.model.content(),
        }

    @classmethod
    def of_content(cls, content: Mapping[str, Any], offer_features: Sequence[str], source: str) -> Self:
        """Make it again of what JSON kept.

        Raises
        ------
        OfferbenchError
            If it is no head for these offer features; names the source.
        """
        try:
            factors, levels = (
                {str(task): float(factor) for task, factor in content[key].items()}
                for key in ("factors", "levels")
            )
            model = LinearModel.of_content(content["model"], input_names(offer_features), source)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise OfferbenchError(
                f"{source}: no saved head ({error!r}). Run `dvc repro train_head`."
            ) from None
        numbers = [*factors.values(), *levels.values()]
        if not {ALL_TASKS} <= set(factors) & set(levels) or not all(0 < each < np.inf for each in numbers):
            raise OfferbenchError(f"{source}: has numbers that no head has. Run `dvc repro train_head`.")
        return cls(model, factors, levels)


def fit_head(examples: Sequence[Examples], offer_features: Sequence[str], l2: float) -> Head:
    """Fit one set of weights to the pairs of all tasks and days side by side.

    Parameters
    ----------
    examples : sequence of Examples
        Of validation users: on train users the ranker's vectors are too good to be true.
    offer_features : sequence of str
        Of the data set.
    l2 : float
        Penalty of the standardised weights.

    Raises
    ------
    OfferbenchError
        If nobody bought anything.
    """
    names = input_names(offer_features)
    inputs = np.concatenate([each.inputs for each in examples])
    bought = np.concatenate([each.sampled.is_buyer for each in examples])
    if not bought.any():
        raise OfferbenchError(
            "train_head: no validation user bought anything within the horizon of the past as-of days. "
            "Lower train_head.step_days, or raise train_activity.horizon_days."
        )
    prior = inputs[:, names.index(PRIOR)].astype(np.float64)
    log_rate = np.concatenate([each.sampled.log_rate for each in examples])
    offset = prior - log_rate
    model = fit_linear(names, inputs, bought.astype(np.float64), "logistic", l2, offset)
    mu = [np.exp(each.inputs[:, names.index(LOG_MU)].astype(np.float64)) for each in examples]
    return Head(model, _factors(examples, mu), fitted_levels(model, examples))


def fitted_levels(model: LinearModel, examples: Sequence[Examples]) -> dict[str, float]:
    """Give the factors of rates for which as many buyers are expected as there were; by task, and of all."""
    place = model.names.index(PRIOR)
    rates = [_rates(model.predict(each.inputs) + each.inputs[:, place].astype(float)) for each in examples]
    return _factors(examples, rates)


def _rates(logits: Floats) -> Floats:
    """Rate of purchase of a chance: -log(1 - sigmoid(x)) = log(1 + exp(x))."""
    return np.logaddexp(0, logits)


def _factors(examples: Sequence[Examples], rates: Sequence[Floats]) -> dict[str, float]:
    """Fit `chance_without_label` to the rates of each task that has a buyer, and of all."""
    found = {ALL_TASKS: 1.0}
    for task in (ALL_TASKS, *dict.fromkeys(each.task for each in examples)):
        some = [place for place, each in enumerate(examples) if task in (ALL_TASKS, each.task)]
        if any(examples[place].sampled.is_buyer.any() for place in some):
            found[task] = fit_factor(
                np.concatenate([rates[place] for place in some]),
                np.concatenate([examples[place].sampled.is_buyer for place in some]),
                np.concatenate([examples[place].sampled.weights for place in some]),
            )
    return found


def of_task(factors: Mapping[str, float], task: str | None) -> float:
    """Give the factor of a task, or of any other offer."""
    return factors.get(task or ALL_TASKS, factors[ALL_TASKS])
