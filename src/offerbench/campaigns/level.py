"""Levels: by how much the buyers of the last horizons surpassed what was expected of them.

A single horizon says nothing of the next one: on validation users of Complete Journey two weeks of much are
followed by two of little. What stays over several horizons is a drift since the cut, of one task more than
of another: new products, that the vocabulary doesn't have, or prices.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from offerbench.campaigns.head import Examples, fitted_levels
from offerbench.campaigns.moment import Moment
from offerbench.core.columns import Split


def draw_examples(moment: Moment, tasks: Sequence[str], days: Sequence[int]) -> list[Examples]:
    """Draw what validation users bought within the horizons of some past days, of every task.

    Parameters
    ----------
    moment : Moment
        What was made at a cut; its head is not needed.
    tasks : sequence of str
        Offer features.
    days : sequence of int
        Days since 1970-01-01.
    """
    generator = np.random.default_rng(moment.parameters.seed)
    examples = []
    for day in days:
        users = moment.users([Split.VALIDATION], day)
        for task in tasks if len(users) else ():
            pairs = moment.learning_pairs(task, users)
            sampled = moment.sample(pairs, generator)
            examples.append(Examples(task, sampled, pairs.inputs(sampled.user, sampled.offer)))
    return examples


def levels_at(moment: Moment, tasks: Sequence[str], day: int) -> Mapping[str, float]:
    """Measure the level of each task, and of all, in the last horizons that end at a day.

    Validation users are scored as of earlier days. The level multiplies the rates of purchase, so that as
    many buyers are expected as there were. What is measured is known at the day.

    Parameters
    ----------
    moment : Moment
        What was made at a cut, with its head.
    tasks : sequence of str
        Offer features.
    day : int
        Days since 1970-01-01; at the cut the levels are those that the head was fitted with.
    """
    if day == moment.until:
        return moment.head.levels
    return fitted_levels(moment.head.model, draw_examples(moment, tasks, moment.learning_days(day)))
