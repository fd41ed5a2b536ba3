"""Pairs to learn from: all buyers, and users drawn for each offer; the drawing is taken out again."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from offerbench.campaigns.inputs import Pairs
from offerbench.campaigns.pair_history import buyers
from offerbench.campaigns.timeline import Floats, Ints

MIN_EXPECTED_BUYERS = 0.34  # an offer that nobody has bought lately gets a drawn user, too


@dataclass(frozen=True)
class SampledPairs:
    """Some pairs of users and offers as of a day, and whether the user bought."""

    user: Ints
    """Place of the user. Shape (pairs,)."""
    offer: Ints
    """Place of the offer. Shape (pairs,)."""
    is_buyer: npt.NDArray[np.bool_]
    """Shape (pairs,)."""
    log_rate: Floats
    """Logarithm of the expected number of times that a non-buyer of the offer was drawn. Shape (pairs,)."""

    @property
    def weights(self) -> Floats:
        """How many pairs each stands for: 1 for a buyer; shape (pairs,)."""
        return np.where(self.is_buyer, 1.0, np.exp(-self.log_rate))


def sample_pairs(
    pairs: Pairs, horizon: int, negatives: float, max_pairs: int, generator: np.random.Generator
) -> SampledPairs:
    """Draw pairs of a day: all buyers, and for each offer so many users for each expected buyer.

    With all positives and a part rho_v of the negatives of offer v, odds in the sample are odds / rho_v. So a
    logistic regression with the offset logit p0_v - log rho_v learns by how much a pair's logit differs from
    the offer's logit p0_v, and the prediction adds logit p0_v alone.

    Parameters
    ----------
    pairs : Pairs
        Users and offers as of the day.
    horizon : int
        Days in which a purchase counts.
    negatives : float
        Users drawn for an offer, for each expected buyer.
    max_pairs : int
        If there are more, so many of them are drawn.
    generator : numpy.random.Generator
        Source of the draws.
    """
    bought = buyers(pairs.users, pairs.offers, horizon)
    users = len(pairs.users)
    expected = np.maximum(pairs.offers.prior * users, MIN_EXPECTED_BUYERS)
    drawn = np.minimum(np.ceil(negatives * expected), users).astype(np.int64)
    offer = np.repeat(np.arange(len(drawn)), drawn)
    user = generator.integers(0, max(users, 1), len(offer))
    is_negative = ~bought[user, offer]
    buyer, of_buyer = np.nonzero(bought)
    user, offer = np.append(buyer, user[is_negative]), np.append(of_buyer, offer[is_negative])
    is_buyer = np.arange(len(user)) < len(buyer)
    log_rate = np.log(drawn / max(users, 1))[offer]
    if len(user) > max_pairs:
        kept = np.sort(generator.permutation(len(user))[:max_pairs])
        user, offer = user[kept], offer[kept]
        is_buyer, log_rate = is_buyer[kept], log_rate[kept]
    return SampledPairs(user, offer, is_buyer, log_rate)
