"""Users with tastes that are planted: a checkerboard over the brands and categories that they buy."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from offerbench.core.columns import Split
from offerbench.preparation.prepared import BagStore, PreparedData
from tests.unit.event_log import latest

FEATURES = ["category1", "brand"]  # not in alphabetical order: a file that sorts its keys is found out
TRAIN_USERS, VALIDATION_USERS, TEST_USERS, DAYS = 1000, 40, 100, 6
USERS = TRAIN_USERS + VALIDATION_USERS + TEST_USERS
FIRST_TEST_USER = TRAIN_USERS + VALIDATION_USERS
CLASSES, LIKED_CLASSES, VALUES_OF_CLASS, BUCKETS = 4, 2, 8, 2
NEVER_BOUGHT = BUCKETS + CLASSES * VALUES_OF_CLASS  # one more label of each feature, of no event


@dataclass(frozen=True)
class PlantedTastes:
    """One event a day of each user, and why they bought it."""

    data: PreparedData
    first_liked: dict[str, np.ndarray]
    """For each feature, the first of the two neighbouring classes that each user likes. Shape (USERS,)."""

    def steps(self, feature: str, users: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """How far the class of each event is from each user's first one; shape (users, rows)."""
        classes = (self.data.events[feature][rows] - BUCKETS) % CLASSES
        return (classes[None, :] - self.first_liked[feature][users][:, None]) % CLASSES


def prepared(labels: Mapping[str, np.ndarray]) -> PreparedData:
    """Put one event a day of each user together; history u * DAYS + d is user u's past on day d.

    A user's labels of a feature are distinct, as bags have them.
    """
    user = np.repeat(np.arange(USERS, dtype=np.int32), DAYS)
    day = np.tile(np.arange(DAYS, dtype=np.int32), USERS)
    start, length = user.astype(np.int64) * DAYS, day.astype(np.int64)
    sizes = dict.fromkeys(FEATURES, NEVER_BOUGHT + 1)
    splits = np.split(np.arange(USERS) * DAYS, [TRAIN_USERS, FIRST_TEST_USER])
    return PreparedData(
        events={"user": user, "day": day, "history": np.arange(USERS * DAYS, dtype=np.int32), **labels},
        bags={f"history_purchase_{name}": BagStore(labels[name], start, length) for name in sizes},
        history_start=start,
        history_length=length,
        user_sizes={f"history_purchase_{name}": size for name, size in sizes.items()},
        offer_sizes=sizes,
        first_label=BUCKETS,
        user_rows={
            split: (first, np.full(len(first), DAYS)) for split, first in zip(Split, splits, strict=True)
        },
        target_event="purchase",
        history=latest(DAYS),
    )


def checkerboard(seed: int) -> PlantedTastes:
    """Users who like two of four classes of brands, two of categories, and half of the four cells of these.

    A user's classes are neighbours in a ring: a and a + 1 of brands, b and b + 1 of categories, and what is
    bought is of the cell (a, b) or (a + 1, b + 1). Someone else likes (a, b + 1), and every cell is bought
    equally often: what tells the cells apart is whether the board's colour at (a, b) and at the cell agree.
    That is a product of both features on the user's side and on the offer's side. No value is bought twice.
    """
    generator = np.random.default_rng(seed)
    steps = generator.integers(0, LIKED_CLASSES, (USERS, DAYS))
    first_liked = {name: generator.integers(0, CLASSES, USERS) for name in FEATURES}
    labels = {
        name: _distinct_labels((first[:, None] + steps) % CLASSES, generator)
        for name, first in first_liked.items()
    }
    return PlantedTastes(prepared(labels), first_liked)


def _distinct_labels(classes: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Labels of the classes (USERS, DAYS), no label twice for a user: int32, shape (USERS * DAYS,)."""
    members = np.tile(np.arange(VALUES_OF_CLASS), (USERS, CLASSES, 1))
    members = generator.permuted(members, axis=2)  # the order in which each user buys those of a class
    before = np.tril(classes[:, :, None] == classes[:, None, :], -1).sum(axis=2)  # (USERS, DAYS)
    member = members[np.arange(USERS)[:, None], classes, before]
    return (BUCKETS + member * CLASSES + classes).astype(np.int32).reshape(-1)
