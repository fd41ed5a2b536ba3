"""The campaign score of the models that the pipeline trained."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from offerbench.campaigns.as_of import day_number
from offerbench.campaigns.attributes import Attributes, load_attributes
from offerbench.campaigns.cuts import PRESENT
from offerbench.campaigns.head import of_task
from offerbench.campaigns.kept_users import KeptUsers, digest_of, files_of
from offerbench.campaigns.level import levels_at
from offerbench.campaigns.moment import Moment
from offerbench.campaigns.offer import Offer
from offerbench.campaigns.offers_as_of import OffersAsOf
from offerbench.campaigns.one_offer import OneOffer
from offerbench.campaigns.paths import USERS_DIRECTORY
from offerbench.campaigns.scored_users import ScoredUsers
from offerbench.campaigns.single_offer import single_offer
from offerbench.campaigns.timeline import Labels
from offerbench.campaigns.users_as_of import UsersAsOf
from offerbench.core.columns import USER
from offerbench.core.paths import PREPARED_DIRECTORY
from offerbench.core.tables import read_parquet

LOG = logging.getLogger(__name__)
USERS_AT_A_TIME = 50_000
DAYS_OF_YEAR = 365


class HeadScore:
    """The head's chance for any users and offers.

    An as-of day at the end of the data is scored with what was made of all data. An earlier one is scored
    with what was made at the last cut before it, as in the backtest: nothing later is known to any part.

    Parameters
    ----------
    moments : mapping of Moment
        By the name of their cut; one of them is the present.
    tasks : sequence of str
        Offer features that levels are measured of.
    """

    def __init__(self, moments: dict[str, Moment], tasks: Sequence[str]) -> None:
        self._moments, self._tasks = moments, tasks

    def score_offers(self, offers: Sequence[Offer], as_of: date, horizon: int) -> Iterator[ScoredUsers]:
        """Score all eligible users for one offer after the other; see `CampaignScore`."""
        scoring = self.scoring(as_of, horizon)
        moment = scoring.moment
        with ThreadPoolExecutor(moment.parameters.threads) as pool:  # libraries let other threads run
            ahead = _MadeAhead(scoring.described, offers, pool)
            chunks = self._chunks(scoring, pool)
            for described in ahead:
                scored = pool.map(scoring.scored(described), chunks)
                yield ScoredUsers(*(np.concatenate(columns) for columns in zip(*scored, strict=True)))

    def scoring(self, as_of: date, horizon: int) -> "Scoring":
        """Choose what users are scored with as of a day; say what is to be known of it."""
        day = day_number(as_of)
        moment = self._moment(day)
        trained = moment.activity.horizon
        if horizon != trained:
            LOG.warning(
                "a horizon of %d days: chances are those of train_activity.horizon_days = %d, taken to grow "
                "in proportion with the days. Train with that horizon to be sure",
                *(horizon, trained),
            )
        if moment.timeline.first_day > day - DAYS_OF_YEAR:
            LOG.warning(
                "the data begin on %s: these weeks of the year were not seen before, and the expected "
                "numbers may be off by the season. The order of the users is not concerned",
                np.datetime64(moment.timeline.first_day, "D"),
            )
        levels = levels_at(moment, self._tasks, day)
        return Scoring(moment, self._moments[PRESENT], day, levels, horizon, USERS_AT_A_TIME)

    def _moment(self, day: int) -> Moment:
        """Choose what an as-of day is scored with."""
        present = self._moments[PRESENT]
        if day >= present.timeline.stop_day:
            return present
        earlier = [
            each for each in self._moments.values() if each.cut.day is not None and each.cut.day <= day
        ]
        if not earlier:
            LOG.warning(
                "%s is before every day in prepare_past.cuts: scored with models that know later days",
                np.datetime64(day, "D"),
            )
            return present
        chosen = max(earlier, key=lambda each: each.cut.day or 0)
        LOG.info("scored with what was known before %s", chosen.cut.name)
        return chosen

    def _chunks(self, scoring: "Scoring", pool: Executor) -> list[UsersAsOf]:
        """All users with a past at a day, some at a time; each has what offers share."""
        moment, parts = scoring.moment, scoring.parts()
        settings = {
            "day": scoring.day,
            "users": scoring.users_at_a_time,
            "threads": moment.parameters.threads,
        }
        kept = KeptUsers(USERS_DIRECTORY, digest_of(files_of(moment.cut, moment.data), settings))
        ranker = moment.ranker

        def make(number: int) -> UsersAsOf:
            made = scoring.users(parts[number])
            if len(made) and not kept.restore(number, made, ranker):
                kept.keep(number, made, ranker)
            made.forget_rows()  # of all users they take as much memory as the events
            return made

        _ = moment.activity, moment.timeline.days_before  # loaded once, not by each thread
        work = pool.map(make, range(len(parts)))
        made = list(tqdm(work, total=len(parts), desc="users", unit=" parts", disable=None))
        kept.remove_older()
        return [part for part in made if len(part)]


@dataclass(frozen=True, eq=False)
class Scoring:
    """What users are scored with as of a day."""

    moment: Moment
    present: Moment
    """Made of all data: offers are named by its labels."""
    day: int
    """Days since 1970-01-01."""
    levels: Mapping[str, float]
    """From `levels_at`."""
    horizon: int
    """Days in which a purchase counts."""
    users_at_a_time: int

    def parts(self) -> list[Labels]:
        """Give all users, some at a time: whoever scores them gets the same bits; int32, (users,) each."""
        users, size = self.moment.timeline.distinct_users, self.users_at_a_time
        return [users[start : start + size] for start in range(0, len(users), size)]

    def users(self, part: Labels) -> UsersAsOf:
        """Give the users of a part that have a past at the day."""
        return UsersAsOf(self.moment.data, self.moment.timeline, part, self.day, self.moment.activity)

    def scored(self, described: OffersAsOf) -> Callable[[UsersAsOf], tuple[npt.NDArray[np.generic], ...]]:
        """Give the function from some users to the columns of `ScoredUsers` for an offer."""
        moment, numbers = self.moment, self._numbers
        level = of_task(self.levels, described.task) * self.horizon / moment.activity.horizon
        past = moment.past(self.day)
        return lambda users: _scored(moment, moment.one_offer(past, users, described), numbers, level)

    @cached_property
    def _numbers(self) -> npt.NDArray[np.int64]:
        """The source's numbers of the users."""
        return read_parquet(self.moment.cut.prepared / "users.parquet")[USER]

    @cached_property
    def _attributes(self) -> Attributes:
        return load_attributes(PREPARED_DIRECTORY)

    def described(self, offer: Offer) -> OffersAsOf:
        """Describe an offer; its labels are those of the present, rows those of all cuts."""
        moment = self.moment
        is_of_offer = offer.matches(self.present.data.events)
        possible: dict[str, npt.NDArray[np.bool_]] = {}
        if moment.cut.day is None:
            possible = {name: offer.possible_labels(each) for name, each in self._attributes.by_name.items()}
        task = next(iter(offer.attributes)) if len(offer.attributes) == 1 else None
        past = moment.past(self.day)
        return single_offer(past, is_of_offer, possible, moment.parameters.values_per_feature, task)


class _MadeAhead:
    """Offers described one after the other; a thread describes the next one while this one is scored."""

    def __init__(
        self, describe: Callable[[Offer], OffersAsOf], offers: Sequence[Offer], pool: Executor
    ) -> None:
        self._describe, self._pool, self._left = describe, pool, list(offers)
        self._next = self._begin()

    def __iter__(self) -> Iterator[OffersAsOf]:
        """Give each offer's description."""
        while self._next is not None:
            made = self._next.result()
            self._next = self._begin()
            yield made

    def _begin(self) -> "Future[OffersAsOf] | None":
        return self._pool.submit(self._describe, self._left.pop(0)) if self._left else None


def _scored(
    moment: Moment, pairs: OneOffer, numbers: npt.NDArray[np.int64], level: float
) -> tuple[npt.NDArray[np.generic], ...]:
    """Columns of `ScoredUsers` for some users; `level` multiplies the rates of purchase."""
    users = pairs.users
    user, offer = np.arange(len(users)), np.zeros(len(users), np.int64)
    chance, purchases = moment.head.chances_and_purchases(pairs, user, offer, level)
    last = np.full(len(users), np.datetime64("NaT", "D"))
    days_ago = pairs.history.columns["since_last"].astype(np.int64)
    last[pairs.buyers] = np.datetime64(users.day, "D") - days_ago
    return (
        numbers[users.users].astype(np.int64),
        chance,
        purchases,
        pairs.bought["events"].astype(np.int64),
        last,
    )
