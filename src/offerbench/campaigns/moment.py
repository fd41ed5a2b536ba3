"""What was made before a cut, loaded once, and its pairs of any users and offers as of any later day."""

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from offerbench.campaigns.activity import Activity
from offerbench.campaigns.config import TrainHead
from offerbench.campaigns.cuts import Cut
from offerbench.campaigns.head import Head
from offerbench.campaigns.inputs import Pairs
from offerbench.campaigns.offers_as_of import OffersAsOf, task_offers
from offerbench.campaigns.one_offer import OneOffer
from offerbench.campaigns.sampling import SampledPairs, sample_pairs
from offerbench.campaigns.timeline import Labels, Timeline
from offerbench.campaigns.train_past import TrainPast, users_of
from offerbench.campaigns.users_as_of import UsersAsOf
from offerbench.core.columns import Split
from offerbench.core.errors import OfferbenchError
from offerbench.core.json_files import read_json
from offerbench.model.ranker import Ranker
from offerbench.model.saved_model import load_model
from offerbench.preparation.prepared import PreparedData, load_prepared


class Moment:
    """A cut with its data, ranker and activity.

    Parameters
    ----------
    cut : Cut
        Where they are.
    parameters : TrainHead
        How pairs are described.
    """

    def __init__(self, cut: Cut, parameters: TrainHead) -> None:
        self.cut, self.parameters = cut, parameters

    @cached_property
    def data(self) -> PreparedData:
        """The data set, with the labels of the cut."""
        return load_prepared(self.cut.prepared)

    @cached_property
    def timeline(self) -> Timeline:
        """Its target events."""
        return Timeline.of(self.data)

    @cached_property
    def ranker(self) -> Ranker:
        """The ranker that was trained before the cut."""
        return load_model(self.cut.ranker)

    @cached_property
    def activity(self) -> Activity:
        """The activity model that was fitted before the cut."""
        return Activity.of_content(read_json(self.cut.activity), str(self.cut.activity))

    @cached_property
    def head(self) -> Head:
        """The head that was fitted before the cut."""
        content = read_json(self.cut.head)
        return Head.of_content(content, list(self.data.offer_sizes), str(self.cut.head))

    @property
    def until(self) -> int:
        """Nothing from this day on was known; days since 1970-01-01."""
        return self.timeline.stop_day if self.cut.day is None else self.cut.day

    def past(self, day: int) -> TrainPast:
        """Give what train users did before a day."""
        if day not in self._pasts:
            self._pasts[day] = TrainPast(self.data, self.timeline, day, self.activity.horizon)
        return self._pasts[day]

    def users(self, parts: Sequence[Split], day: int) -> UsersAsOf:
        """Give the users of some parts that have a past at a day."""
        users: Labels = np.sort(np.concatenate([users_of(self.data, part) for part in parts]))
        return UsersAsOf(self.data, self.timeline, users, day, self.activity)

    def pairs(self, past: TrainPast, users: UsersAsOf, offers: OffersAsOf) -> Pairs:
        """Pair users with offers as of the same day."""
        return Pairs(past, users, offers, self.ranker, self.parameters)

    def one_offer(self, past: TrainPast, users: UsersAsOf, offer: OffersAsOf) -> OneOffer:
        """Pair users with one offer as of the same day."""
        return OneOffer(past, users, offer, self.ranker, self.parameters)

    def learning_days(self, until: int | None = None) -> list[int]:
        """Past as-of days whose horizons end before a day, the latest first.

        Parameters
        ----------
        until : int, optional
            The day; that of the cut if None.

        Raises
        ------
        OfferbenchError
            If the data begin too late.
        """
        until, head = self.until if until is None else until, self.parameters
        latest = until - self.activity.horizon
        days = [latest - number * head.step_days for number in range(head.as_of_days)]
        if days[-1] <= self.timeline.first_day:
            raise OfferbenchError(
                f"train_head: the data begin on {np.datetime64(self.timeline.first_day, 'D')}, too late for "
                f"{head.as_of_days} as-of days before {np.datetime64(until, 'D')}. Lower "
                "train_head.as_of_days or step_days, or choose a later cut."
            )
        return days

    def offers(self, task: str, day: int) -> OffersAsOf:
        """Give the offers of a task as of a day."""
        if (task, day) not in self._offers:
            self._offers[task, day] = task_offers(self.past(day), task, self.parameters.values_per_feature)
        return self._offers[task, day]

    def learning_pairs(self, task: str, users: UsersAsOf) -> Pairs:
        """Pair users as of a past day with all offers of a task."""
        return self.pairs(self.past(users.day), users, self.offers(task, users.day))

    def sample(self, pairs: Pairs, generator: np.random.Generator) -> SampledPairs:
        """Draw pairs of a past day."""
        head = self.parameters
        return sample_pairs(pairs, self.activity.horizon, head.negatives, head.max_pairs, generator)

    @cached_property
    def _offers(self) -> dict[tuple[str, int], OffersAsOf]:
        return {}

    @cached_property
    def _pasts(self) -> dict[int, TrainPast]:
        return {}
