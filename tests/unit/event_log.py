"""Test users' events made by hand or drawn: user, day and brand."""

import numpy as np
from hypothesis import strategies as st

from offerbench.core.columns import Split
from offerbench.preparation.config import History
from offerbench.preparation.prepared import PreparedData
from tests.oracle import match_counts

BRANDS = 4
# Days are close together and years apart.
DAYS = st.integers(0, 5) | st.sampled_from([400, 2000])
EVENTS = st.lists(
    st.tuples(st.integers(0, 3), DAYS, st.integers(0, BRANDS - 1)), min_size=1, max_size=30
).map(lambda events: sorted(events, key=lambda event: event[:2]))


def latest(length: int) -> History:
    """Histories of the latest purchases."""
    return History(
        events=["purchase"], length=length, lengths={}, keep="latest", weights="distinct", half_life_events=20
    )


def data_of(events: list[tuple[int, int, int]]) -> PreparedData:
    """The data set of some events, in order of user and day; histories are not cut."""
    users, days, brands = np.array(events, np.int32).T
    contexts = [event[:2] for event in events]
    distinct = sorted(set(contexts))
    rows = [contexts.index(context) for context in distinct]
    pasts = [match_counts.past_rows(users.tolist(), days.tolist(), row, None) for row in rows]
    first, length = np.unique(users, return_index=True, return_counts=True)[1:]
    return PreparedData(
        events={
            "user": users,
            "day": days,
            "history": np.array([distinct.index(context) for context in contexts], np.int32),
            "brand": brands,
        },
        bags={},
        history_start=np.array([past[0] if past else 0 for past in pasts]),
        history_length=np.array([len(past) for past in pasts]),
        user_sizes={},
        offer_sizes={"brand": BRANDS},
        first_label=0,
        user_rows={Split.TEST: (first, length)},
        target_event="purchase",
        history=latest(1_000),
    )
