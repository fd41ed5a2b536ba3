"""The season's level: by how much the buyers of the last horizon surpassed what was expected of it."""

from collections.abc import Mapping, Sequence

import numpy as np

from offerbench.campaigns.head import ALL_TASKS
from offerbench.campaigns.measures import Mask
from offerbench.campaigns.moment import Moment
from offerbench.campaigns.share import fit_factor
from offerbench.campaigns.timeline import Floats
from offerbench.core.columns import Split

MIN_LEVEL, MAX_LEVEL = 0.5, 2.0
"""A level beyond these is no season: the last horizon has too few buyers to tell."""


def season_levels(moment: Moment, tasks: Sequence[str], day: int) -> dict[str, float]:
    """Measure the level of each task, and of all, on validation users in the horizon that ends at a day.

    The users are scored as of the earlier day; the level multiplies the rates of purchase, so that as many
    buyers are expected as there were. What is measured is known at the day.

    Parameters
    ----------
    moment : Moment
        What was made at a cut.
    tasks : sequence of str
        Offer features.
    day : int
        Days since 1970-01-01.
    """
    generator = np.random.default_rng([moment.parameters.seed, day])
    users = moment.users([Split.VALIDATION], day - moment.activity.horizon)
    rates: list[Floats] = []
    bought: list[Mask] = []
    weights: list[Floats] = []
    levels = {}
    for task in tasks if len(users) else ():
        pairs = moment.learning_pairs(task, users)
        sampled = moment.sample(pairs, generator)
        inputs = pairs.inputs(sampled.user, sampled.offer)
        rates.append(np.logaddexp(0, moment.head.logits(inputs)))
        bought.append(sampled.is_buyer)
        weights.append(sampled.weights)
        levels[task] = _level(rates[-1:], bought[-1:], weights[-1:])
    return {**levels, ALL_TASKS: _level(rates, bought, weights)}


def _level(rates: Sequence[Floats], bought: Sequence[Mask], weights: Sequence[Floats]) -> float:
    if not sum(int(each.sum()) for each in bought):
        return 1.0
    found = fit_factor(np.concatenate(rates), np.concatenate(bought), np.concatenate(weights))
    return float(np.clip(found, MIN_LEVEL, MAX_LEVEL))


def level_of(levels: Mapping[str, float], task: str | None) -> float:
    """Give the level of a task, or of any other offer."""
    return levels.get(task or ALL_TASKS, levels[ALL_TASKS])
