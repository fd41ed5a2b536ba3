"""One offer and all users of a part: the inputs of `Pairs`, bit for bit, in a fraction of the time.

Of a million users few bought the offer. What their pairs need is computed for them; what the pairs of all
others need depends on how many events a user has, and is computed once for each number of events. Nothing is
looked up by pair: the n-th pair is that of the n-th user.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from offerbench.campaigns.inputs import LOG_MU, MIN_BASE, MIN_DAYS, PRIOR, Pairs, log_odds
from offerbench.campaigns.pair_history import Float32s
from offerbench.campaigns.share import expected_purchase_days
from offerbench.campaigns.timeline import Floats, Ints
from offerbench.campaigns.users_as_of import Numbers
from offerbench.core.ranges import Rows
from offerbench.model.match_score import MatchScore


@dataclass(frozen=True, eq=False)
class OneOffer(Pairs):
    """All users in their order, each paired with the one offer.

    Methods take the places of all users and zeros, as those of `Pairs` would.
    """

    def __post_init__(self) -> None:
        """Make what takes longest: before Python 3.12 threads wait for who makes a cached property."""
        for name in ("history", "_soft"):
            made: cached_property[Any] = vars(Pairs)[name]
            self.__dict__[name] = made.func(self)

    @property
    def buyers(self) -> Rows:
        """Places of the users that bought the offer before, ascending; int64, shape (buyers,)."""
        return self.history.keys

    @cached_property
    def bought(self) -> dict[str, Float32s]:
        """What each user bought of the offer before, 0 where nothing; float32, shape (users,) each."""
        return {name: self._scattered(column) for name, column in self.history.columns.items()}

    def columns(self, user: Ints, offer: Ints) -> dict[str, Float32s]:
        """Give the inputs by name; float32, shape (users,) each."""
        head, users, offers = self.head, self.users, self.offers
        buyers, own = self.buyers, {name: each.astype(float) for name, each in self.history.columns.items()}
        base = np.clip(offers.base, MIN_BASE, 1 - MIN_BASE)
        prior = np.log(offers.prior) - np.log1p(-offers.prior)
        events, days = users.expected_events, users.expected_days
        dot, match = self.neural(user, offer)
        mu = np.maximum(expected_purchase_days(self.shares(dot + match, offer), events, days), MIN_DAYS)
        day_rate = self.bought["days"] + head.prior_days * np.maximum(offers.day_share, MIN_BASE)
        day_rate /= users.shopping_days + head.prior_days
        has = np.ones(len(buyers), bool)
        recent = f"last_{head.recent_days}"
        found: dict[str, npt.NDArray[np.floating]] = {  # type: ignore[type-arg]
            LOG_MU: np.log(mu),
            "dot": dot,
            "match": match,
            "log_base": np.broadcast_to(np.log(base), len(users)),
            PRIOR: np.broadcast_to(prior, len(users)),
            "log_odds": self._log_odds(own["events"], users.past_numbers, base),
            "log_odds_recent": self._log_odds(own[recent], users.recent_numbers(head.recent_days), base),
            "log_day_rate": np.log(day_rate * days),
            "log_match_days": self._scattered(np.log1p(own["days"])),
            "log_decayed": self._scattered(np.log1p(own[f"decayed_{head.half_life_days:g}"])),
            "has_match": self._scattered(has),
            "recency": self._scattered(np.exp(-own["since_last"] / head.recency_days)),
            "has_match_x_log_events": self._scattered(np.log(events[buyers])),
            "has_match_x_prior": self._scattered(has * prior),
            "has_match_x_match": self._scattered(match[buyers]),
        }
        columns = {name: np.asarray(values, np.float32) for name, values in found.items()}
        soft = {f"soft_{feature}": values for feature, values in self.soft_matches(user, offer).items()}
        return {**columns, **users.own_inputs, **soft}

    def soft_matches(self, user: Ints, offer: Ints) -> dict[str, Float32s]:
        """Say how much of a user's past is like the offer; see `Pairs.soft_matches`."""
        found, prior, numbers = {}, self.head.prior_events, self.users.past_numbers
        for feature in self.users.data.offer_sizes:
            if feature == self.offers.task:
                found[feature] = np.zeros(len(self.users), np.float32)
                continue
            expected, base = self._soft[feature]
            common = np.maximum(base, MIN_BASE)
            own = expected[:, 0]
            of_none = np.log((np.float32(0) + prior * common) / (numbers.values + prior) / common)
            values = of_none.astype(np.float32)[numbers.place]
            some = np.flatnonzero(own)
            length = self.users.events[some]
            values[some] = np.log((own[some] + prior * common) / (length + prior) / common)
            found[feature] = values
        return found

    def neural(self, user: Ints, offer: Ints) -> tuple[Float32s, Float32s]:
        """Give the ranker's two parts of each pair's logit; float32, shape (users,) each."""
        score = self.ranker.match_score
        if score is None or score.parameters.attribute_values:
            return super().neural(user, offer)
        vectors, of_offers = self.users.vectors(self.ranker), self.offers.vectors(self.ranker)
        of_pairs = np.broadcast_to(of_offers, (len(vectors), *of_offers.shape[1:]))
        dot = self.ranker.interaction.scores(vectors[:, None], of_pairs[:, None])[:, 0, 0]
        return dot, self._match_scores(score)

    def _match_scores(self, score: MatchScore) -> Float32s:
        """Score each combination of matches and events once: those without a match, then the others."""
        windows, events, numbers = score.parameters.windows, self.users.events, self.users.past_numbers
        matches = [self.history.columns[f"newest_{window}"].astype(np.int64) for window in windows]
        first, combination = _distinct([*matches, events[self.buyers]])
        of_none = np.bincount(numbers.place, minlength=len(numbers.values))
        of_none -= np.bincount(numbers.place[self.buyers], minlength=len(numbers.values))
        some = np.flatnonzero(of_none)  # one that nobody has would change the last bits of others
        row = np.searchsorted(some, np.arange(len(numbers.values)))[numbers.place]
        row[self.buyers] = len(some) + combination
        past = np.concatenate([numbers.values[some], events[self.buyers][first]])
        nothing = np.zeros(len(some), np.int64)
        counts = [np.concatenate([nothing, each[first]]) for each in matches]
        lengths = [past if window is None else np.minimum(past, window) for window in windows]
        found = score.scores(
            np.stack(counts, axis=-1).astype(np.float32)[:, None, None],
            np.stack(lengths, axis=-1).astype(np.float32)[:, None],
            np.repeat(self.offers.table.base[:, None], len(windows), axis=1).astype(np.float32),
            self.offers.vectors(self.ranker),
            np.zeros((len(past), 1), np.int32),
        )
        return np.asarray(found[:, 0, 0][row], np.float32)

    def _log_odds(self, matches: Floats, numbers: Numbers, base: Floats) -> Floats:
        """Log odds of a match: of users without one by the number of their events."""
        prior = self.head.prior_events
        found = log_odds(np.zeros(len(numbers.values)), numbers.values, base, prior)[numbers.place]
        of_buyers = numbers.values[numbers.place[self.buyers]]
        found[self.buyers] = log_odds(matches, of_buyers, base, prior)
        return found

    def _scattered(self, of_buyers: npt.NDArray[np.generic]) -> Float32s:
        """Give 0 to all that bought nothing of the offer before; float32, shape (users,)."""
        found = np.zeros(len(self.users), np.float32)
        found[self.buyers] = of_buyers
        return found


def _distinct(columns: list[Ints]) -> tuple[Rows, Rows]:
    """First row of each combination of some numbers, and the combination of each row."""
    key = np.zeros(len(columns[0]), np.int64)
    for column in columns:
        key = key * (int(column.max(initial=0)) + 1) + column
    first, combination = np.unique(key, return_index=True, return_inverse=True)[1:]
    return first, combination.reshape(-1)
