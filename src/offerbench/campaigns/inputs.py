"""The inputs of the head: activity, share, matches and co-occurrence of a pair, the same for every offer."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse

from offerbench.campaigns.config import TrainHead
from offerbench.campaigns.offers_as_of import OffersAsOf
from offerbench.campaigns.pair_history import Float32s, PairHistory, pair_history
from offerbench.campaigns.share import expected_purchase_days, share
from offerbench.campaigns.timeline import Floats, Ints
from offerbench.campaigns.train_past import TrainPast
from offerbench.campaigns.users_as_of import UsersAsOf
from offerbench.features.offers import Distribution, most_frequent_values
from offerbench.model.ranker import Ranker

MIN_BASE = 1e-7
MIN_DAYS = 1e-6
LOG_MU = "log_mu"
PRIOR = "prior"


def input_names(offer_features: Sequence[str]) -> list[str]:
    """Name the inputs, in their order."""
    return [
        LOG_MU,
        "dot",
        "match",
        "log_events",
        "log_days",
        "log_base",
        PRIOR,
        "log_odds",
        "log_odds_recent",
        "log_day_rate",
        "log_match_days",
        "log_decayed",
        "has_match",
        "recency",
        "log_past_events",
        "log_past_days",
        "has_match_x_log_events",
        "has_match_x_prior",
        "has_match_x_match",
        *(f"soft_{feature}" for feature in offer_features),
    ]


def log_odds(matches: Floats, events: Floats | Ints, base: Floats, prior_events: float) -> Floats:
    """Log odds of a match with a beta prior of `prior_events` events, against all users' log odds."""
    rest = np.maximum(events - matches, 0) + prior_events * (1 - base)
    ratio = (matches + prior_events * base) / rest
    return np.asarray(np.log(ratio) - np.log(base / (1 - base)), np.float64)


@dataclass(frozen=True, eq=False)
class Pairs:
    """Pairs of users and offers as of a day, with what their scores need."""

    past: TrainPast
    users: UsersAsOf
    offers: OffersAsOf
    ranker: Ranker
    head: TrainHead

    @cached_property
    def history(self) -> PairHistory:
        """What the users bought of the offers so far."""
        parameters = self.ranker.specification.ranker.match_score
        return pair_history(
            self.users,
            self.offers,
            newest=parameters.windows if parameters else (),
            last_days=(self.head.recent_days,),
            half_lives=(self.head.half_life_days,),
        )

    def inputs(self, user: Ints, offer: Ints) -> Float32s:
        """Give the inputs of pairs.

        Parameters
        ----------
        user, offer : int64, shape (pairs,)
            Places of users and offers.

        Returns
        -------
        float32, shape (pairs, inputs)
            In the order of `input_names`.
        """
        return self.inputs_of(self.columns(user, offer))

    def inputs_of(self, columns: dict[str, Float32s]) -> Float32s:
        """Put the columns of `columns` in their order; float32, shape (pairs, inputs)."""
        return np.stack([columns[name] for name in input_names(list(self.users.data.offer_sizes))], axis=1)

    def columns(self, user: Ints, offer: Ints) -> dict[str, Float32s]:
        """Give the inputs by name; float32, shape (pairs,) each."""
        head, users, offers = self.head, self.users, self.offers
        past = {name: each.astype(np.float64) for name, each in self.history.of_pairs(user, offer).items()}
        base = np.clip(offers.base, MIN_BASE, 1 - MIN_BASE)[offer]
        prior = (np.log(offers.prior) - np.log1p(-offers.prior))[offer]
        events, days = users.expected_events[user], users.expected_days[user]
        dot, match = self.neural(user, offer)
        mu = np.maximum(expected_purchase_days(self.shares(dot + match, offer), events, days), MIN_DAYS)
        day_rate = past["days"] + head.prior_days * np.maximum(offers.day_share, MIN_BASE)[offer]
        day_rate /= users.shopping_days[user] + head.prior_days
        recent = users.events_within(head.recent_days)[user]
        has = past["events"] > 0
        found = {
            LOG_MU: np.log(mu),
            "dot": dot,
            "match": match,
            "log_events": np.log(events),
            "log_days": np.log(days),
            "log_base": np.log(base),
            PRIOR: prior,
            "log_odds": log_odds(past["events"], users.events[user], base, head.prior_events),
            "log_odds_recent": log_odds(past[f"last_{head.recent_days}"], recent, base, head.prior_events),
            "log_day_rate": np.log(day_rate * days),
            "log_match_days": np.log1p(past["days"]),
            "log_decayed": np.log1p(past[f"decayed_{head.half_life_days:g}"]),
            "has_match": has,
            "recency": has * np.exp(-past["since_last"] / head.recency_days),
            "log_past_events": np.log1p(users.events[user]),
            "log_past_days": np.log1p(users.shopping_days[user]),
            "has_match_x_log_events": has * np.log(events),
            "has_match_x_prior": has * prior,
            "has_match_x_match": has * match,
        }
        for feature, values in self.soft_matches(user, offer).items():
            found[f"soft_{feature}"] = values
        return {name: np.asarray(values, np.float32) for name, values in found.items()}

    def shares(self, logits: Float32s, offer: Ints) -> Floats:
        """Give the share of offers in users' purchases; float64, shape (pairs,)."""
        training = self.ranker.specification.training
        base = np.clip(self.offers.base, MIN_BASE, 1 - MIN_BASE)[offer]
        return share(logits, base, training.neighbours, training.remove_accidental_hits)

    def soft_matches(self, user: Ints, offer: Ints) -> dict[str, Float32s]:
        """Say how much of a user's past is like the offer, by each feature, against all users.

        log((sum_c w_v(c) n_u(c) + a sum_c w_v(c) pi(c)) / (n_u + a)) - log sum_c w_v(c) pi(c): w_v is the
        distribution of the feature among the events of the offer, n_u(c) and n_u are the user's events with
        a value and in all, pi(c) is the share of a value in all train users' events, a `prior_events`. It is
        0 for the feature that alone decides what is of the offer: matches count that.

        Returns
        -------
        dict of float32, shape (pairs,)
        """
        found, prior, length = {}, self.head.prior_events, self.users.events[user]
        for feature in self.users.data.offer_sizes:
            if feature == self.offers.task:
                found[feature] = np.zeros(len(user), np.float32)
                continue
            expected, base = self._soft[feature]
            common = np.maximum(base, MIN_BASE)[offer]
            own = expected[user, offer]
            found[feature] = np.log((own + prior * common) / (length + prior) / common).astype(np.float32)
        return found

    @cached_property
    def _soft(self) -> dict[str, tuple[Float32s, Floats]]:
        """By feature, without the offers' own: expected matches (users, offers), base rates (offers,)."""
        found = {}
        for feature, size in self.users.data.offer_sizes.items():
            if feature != self.offers.task:
                weights = _weights(self.offers.table.distributions[feature], len(self.offers), size)
                expected = self.users.expected_counts(feature, weights)
                found[feature] = expected, np.asarray(weights @ self.past.shares[feature], np.float64)
        return found

    def neural(self, user: Ints, offer: Ints) -> tuple[Float32s, Float32s]:
        """Give the ranker's two parts of each pair's logit: of its vectors, of its matches; (pairs,) each."""
        vectors, of_offers = self.users.vectors(self.ranker), self.offers.vectors(self.ranker)
        dot = self.ranker.interaction.scores(vectors[user][:, None], of_offers[offer][:, None])[:, 0, 0]
        score = self.ranker.match_score
        if score is None:
            return dot, np.zeros(len(user), np.float32)
        windows, events = score.parameters.windows, self.users.events[user]
        past = self.history.of_pairs(user, offer)
        counts = [past[f"newest_{window}"] for window in windows]
        lengths = [events if window is None else np.minimum(events, window) for window in windows]
        base = np.repeat(self.offers.table.base[:, None], len(windows), axis=1)
        if score.parameters.attribute_values:
            expected, common = self._attribute_matches
            counts += [each[user, offer] for each in expected]
            lengths += [events] * len(expected)
            base = np.concatenate([base, common], axis=1)
        matches = score.scores(
            np.stack(counts, axis=-1).astype(np.float32)[:, None, None],
            np.stack(lengths, axis=-1).astype(np.float32)[:, None],
            base.astype(np.float32),
            of_offers,
            offer.astype(np.int32)[:, None],
        )
        return dot, matches[:, 0, 0]

    @cached_property
    def _attribute_matches(self) -> tuple[list[Float32s], Float32s]:
        """For each feature expected matches (users, offers), and all users' shares (offers, features)."""
        score, expected, base = self.ranker.match_score, [], []
        assert score is not None and score.parameters.attribute_values is not None
        for feature in self.ranker.specification.offer_features:
            table = most_frequent_values(
                self.offers.table.distributions[feature], score.parameters.attribute_values
            )
            weights = _weights(table, len(self.offers), self.users.data.offer_sizes[feature])
            expected.append(self.users.expected_counts(feature, weights))
            base.append(np.asarray(weights @ self.past.shares[feature], np.float32))
        return expected, np.stack(base, axis=1)


def _weights(distribution: Distribution, offers: int, size: int) -> sparse.csr_matrix:
    """Lay a distribution out as a sparse matrix; float32, shape (offers, labels)."""
    place = (distribution.segments, distribution.values)
    return sparse.csr_matrix((distribution.weights, place), (offers, size))
