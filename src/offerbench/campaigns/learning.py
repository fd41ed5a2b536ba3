"""Fitting activity and head at a cut: from the data and the ranker to their files."""

import logging
from collections.abc import Sequence
from typing import Any

from offerbench.campaigns.activity import Activity, fit_activity
from offerbench.campaigns.config import TrainActivity
from offerbench.campaigns.head import Head, fit_head
from offerbench.campaigns.level import draw_examples
from offerbench.campaigns.moment import Moment
from offerbench.campaigns.train_past import users_of
from offerbench.core.columns import Split

LOG = logging.getLogger(__name__)


def learn_activity(moment: Moment, parameters: TrainActivity) -> Activity:
    """Fit the activity model to what train users did before the cut."""
    train, validation = (users_of(moment.data, part) for part in (Split.TRAIN, Split.VALIDATION))
    found = fit_activity(moment.timeline, train, validation, moment.until, parameters)
    LOG.info(
        "%s: activity is that of the %s (deviance of validation users: %s)",
        *(moment.cut.name, found.kept, _deviances(found)),
    )
    return found


def _deviances(activity: Activity) -> str:
    measured: Any = activity.measured["events"]
    return ", ".join(f"{name} {values['deviance']}" for name, values in measured.items())


def learn_head(moment: Moment, tasks: Sequence[str]) -> Head:
    """Fit the head to what validation users bought within the horizons of past days before the cut."""
    examples = draw_examples(moment, tasks, moment.learning_days())
    head = fit_head(examples, list(moment.data.offer_sizes), moment.parameters.l2)
    count = sum(len(each.inputs) for each in examples)
    LOG.info("%s: fitted the head to %s pairs", moment.cut.name, f"{count:,}")
    return head
