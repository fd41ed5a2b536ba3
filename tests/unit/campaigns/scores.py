"""Users scored by hand or drawn, and a campaign score that gives them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from offerbench.campaigns.offer import Offer
from offerbench.campaigns.scored_users import ScoredUsers

AS_OF = date(2017, 12, 1)


def scored_of(users: Sequence[dict[str, Any]]) -> ScoredUsers:
    """Columns of users given as dicts."""
    last = [user["last_purchase"] for user in users]
    return ScoredUsers(
        user=np.array([user["user"] for user in users], np.int64),
        chance=np.array([user["chance"] for user in users], np.float64),
        expected_purchases=np.array([user["expected_purchases"] for user in users], np.float64),
        past_purchases=np.array([user["past_purchases"] for user in users], np.int64),
        last_purchase=np.array(["NaT" if day is None else day.isoformat() for day in last], "datetime64[D]"),
    )


def drawn_scores(users: int, seed: int) -> ScoredUsers:
    """Scores as they may be: most chances low, some users with a past purchase."""
    generator = np.random.default_rng(seed)
    expected = generator.gamma(0.5, 0.3, users)
    past = generator.poisson(expected * 3)
    last = np.datetime64(AS_OF) - generator.integers(1, 300, users)
    return ScoredUsers(
        user=np.sort(generator.choice(users * 3, users, replace=False)),
        chance=-np.expm1(-expected),
        expected_purchases=expected,
        past_purchases=past,
        last_purchase=np.where(past > 0, last, np.datetime64("NaT", "D")),
    )


@dataclass
class FakeScore:
    """Gives users drawn by a seed for each offer in turn, and keeps what it was asked."""

    users: int
    asked: list[tuple[list[str], date, int]]

    def score_offers(self, offers: Sequence[Offer], as_of: date, horizon: int) -> Iterator[ScoredUsers]:
        """Score as `CampaignScore` says."""
        self.asked.append(([offer.expression for offer in offers], as_of, horizon))
        user = drawn_scores(self.users, 0).user
        for seed in range(len(offers)):
            drawn = drawn_scores(self.users, seed)
            yield ScoredUsers(
                user, drawn.chance, drawn.expected_purchases, drawn.past_purchases, drawn.last_purchase
            )
