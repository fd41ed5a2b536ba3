"""What is known of a pair: how often, how lately and how regularly the user bought what the offer is made of.

Hand-made features, the same for every task, so that one model can be fitted on the pairs of all tasks.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from offerbench.features.match_counts import Ints
from offerbench.scorers.config import PairFeatures
from offerbench.scorers.frequency import posterior_odds
from offerbench.scorers.pairs import TaskPairs

Floats = npt.NDArray[np.float64]
MIN_BASE = 1e-7
"""Share of all events of an offer that no train user bought."""


@dataclass(frozen=True)
class FeatureTable:
    """The features of some pairs."""

    names: list[str]
    """Of the columns."""
    values: npt.NDArray[np.float32]
    """Shape (groups, i, j, features). Equal pairs have equal bits."""


def pair_features(pairs: TaskPairs, parameters: PairFeatures) -> FeatureTable:
    """Make the features of every user of a group with every offer of the group, once for all scorers.

    Columns are:

    - log_base: logarithm of the share of all events that is of the offer;
    - odds_*: logarithm of the odds of a match against those of all users, as in `posterior_odds`, in the
      whole past, the newest events, the newest days, and with events decayed by days;
    - odds_of_*_events: the same in the whole past of each other event type of the histories (views, carts);
    - log_matches, log_match_days: matches in the whole past, and days with one;
    - day_share: log odds of a day with a match among the days with an event;
    - days_since_match, match_interval, due: days since the last match, mean days from one to the next, and
      their ratio; of a pair without, the length of the past, the same, and 0;
    - log_events, log_event_days, past_days: of the user;
    - attribute_*: logarithm of how much of the past shares an attribute with the offer, against all users,
      expected over the offer's distribution; 0 for the task's own.

    Parameters
    ----------
    pairs : TaskPairs
        Who, which offer, as of when.
    parameters : PairFeatures
        Windows and half-lives.
    """
    return pairs.shared(("features", parameters.model_dump_json()), lambda: _make(pairs, parameters))


def _make(pairs: TaskPairs, parameters: PairFeatures) -> FeatureTable:
    prior, base = parameters.prior_events, np.maximum(pairs.base, MIN_BASE)
    contexts = pairs.contexts
    whole = contexts.past(None)
    columns: dict[str, Floats] = {"log_base": np.broadcast_to(np.log(base), pairs.shape)}

    def log_odds(matches: Floats | Ints, events: Floats | Ints) -> Floats:
        odds = posterior_odds(matches.astype(np.float64), events[:, :, None], base, prior)
        against: Floats = np.log(odds) - np.log(base / (1 - base))
        return against

    columns["odds_whole"] = log_odds(pairs.match_counts(*whole), whole[1])
    for events in parameters.windows_events:
        window = contexts.past(events)
        columns[f"odds_{events}_events"] = log_odds(pairs.match_counts(*window), window[1])
    for days in parameters.windows_days:
        window = contexts.past_days(days)
        columns[f"odds_{days}_days"] = log_odds(pairs.match_counts(*window), window[1])
    for half_life in parameters.half_lives_days:
        matches, events_left = pairs.decayed_matches(half_life)
        columns[f"odds_decayed_{half_life:g}_days"] = log_odds(matches, events_left)
    for event_type in contexts.data.history_events:
        columns[f"odds_of_{event_type}_events"] = log_odds(*pairs.match_counts_of(event_type))
    columns |= _rhythm(pairs, prior)
    columns |= _attributes(pairs, parameters)
    values = np.stack([column.astype(np.float32) for column in columns.values()], axis=-1)
    return FeatureTable(list(columns), values)


def _rhythm(pairs: TaskPairs, prior: float) -> dict[str, Floats]:
    """How regularly the user bought the offer, and anything."""
    contexts = pairs.contexts
    length, matches = contexts.past(None)[1], pairs.match_days
    event_days, past_days = contexts.event_days, contexts.past_length_days
    day_base = np.maximum(pairs.base, MIN_BASE)
    odds = posterior_odds(matches.days.astype(np.float64), event_days[:, :, None], day_base, prior)
    some = matches.count > 0
    length_of_past = np.broadcast_to(past_days[:, :, None], pairs.shape)
    since = np.where(some, contexts.days[:, :, None] - matches.last, length_of_past).astype(np.float64)
    repeats = np.maximum(matches.days - 1, 1)
    interval = np.where(matches.days > 1, (matches.last - matches.first) / repeats, length_of_past)
    of_user = {
        "log_events": np.log1p(length),
        "log_event_days": np.log1p(event_days),
        "past_days": past_days,
    }
    return {
        "log_matches": np.log1p(matches.count),
        "log_match_days": np.log1p(matches.days),
        "day_share": np.log(odds) - np.log(day_base / (1 - day_base)),
        "days_since_match": np.log1p(since),
        "match_interval": np.log1p(interval),
        "due": np.where(some, np.log1p(since) - np.log1p(interval), 0.0),
        **{name: np.broadcast_to(of[:, :, None], pairs.shape) for name, of in of_user.items()},
    }


def _attributes(pairs: TaskPairs, parameters: PairFeatures) -> dict[str, Floats]:
    """How much of the past shares each attribute with the offer, against all users."""
    nothing = np.zeros(pairs.shape)
    features = [name for name in pairs.contexts.data.offer_sizes if name != pairs.task]
    if not features:
        return {f"attribute_{pairs.task}": nothing}
    counts, base = pairs.attribute_matches(features, parameters.attribute_values)
    length = pairs.contexts.past(None)[1][:, :, None, None].astype(np.float64)
    expected = np.maximum(base.astype(np.float64), MIN_BASE)[pairs.offer_of_event][:, None]
    shares = (counts + parameters.prior_events * expected) / (length + parameters.prior_events)
    of_features = dict(zip(features, np.moveaxis(np.log(shares / expected), -1, 0), strict=True))
    return {f"attribute_{name}": of_features.get(name, nothing) for name in pairs.contexts.data.offer_sizes}
