"""The tiny data set as a list of purchases for the oracles, and drawn lists of purchases."""

import numpy as np

from offerbench.campaigns.timeline import Timeline
from offerbench.preparation.prepared import PreparedData
from tests.oracle.campaigns import Purchase


def purchases(data: PreparedData) -> list[Purchase]:
    """Every target event, in the order of the prepared table."""
    events = data.events
    return [
        Purchase(
            int(events["user"][row]),
            int(events["day"][row]),
            {name: int(events[name][row]) for name in data.offer_sizes},
        )
        for row in range(len(events["user"]))
    ]


def timeline_of(events: list[tuple[int, int]]) -> Timeline:
    """Timeline of (user, day), in any order."""
    ordered = np.array(sorted(events), np.int32)
    return Timeline(ordered[:, 0], ordered[:, 1])
