"""A hundred offers of one day, for a million users: pandas, one user after the other, against ours."""

import time
from contextlib import chdir
from pathlib import Path

import numpy as np

from benchmarks.audience import HORIZON, MEAN_EVENTS, SEED, TOLERANCE, USERS, load_score, plain_audience
from benchmarks.crowd import make_crowd
from benchmarks.measure import Comparison, peak_memory
from offerbench.campaigns.as_of import choose_as_of, data_days
from offerbench.campaigns.attributes import MISSING, Attributes, load_attributes
from offerbench.campaigns.offer import Offer, offer_of_expression, quoted
from offerbench.core.paths import PREPARED_DIRECTORY
from offerbench.preparation.prepared import PreparedData, load_prepared

OF_EACH_KIND = 25
PLAIN_USERS = 50  # of them, for one offer of each kind; the time is multiplied


def compare_hundred_offers(directory: Path) -> Comparison:
    """Score a crowd for a hundred offers in one command, the first of its day: nothing was kept before.

    Parameters
    ----------
    directory : Path
        An empty directory, for the crowd.
    """
    offers = hundred_offers(load_attributes(PREPARED_DIRECTORY), load_prepared(PREPARED_DIRECTORY))
    make_crowd(directory, USERS, MEAN_EVENTS, SEED)
    with chdir(directory):
        as_of = choose_as_of(None, data_days(PREPARED_DIRECTORY))
        chances = []
        start = time.perf_counter()
        for number, found in enumerate(load_score().score_offers(offers, as_of, HORIZON), start=1):
            chances.append(found.chance[:PLAIN_USERS].copy())
            print(f"hundred offers: {number}, {time.perf_counter() - start:.1f} s", flush=True)
        seconds, peak = time.perf_counter() - start, peak_memory()
        plain = [plain_audience(offer, as_of, PLAIN_USERS) for offer in offers[: len(offers) // OF_EACH_KIND]]
    gaps = [ours / theirs - 1 for ours, (_, theirs) in zip(chances, plain, strict=False)]
    gap = float(np.max(np.abs(gaps)))
    assert gap < TOLERANCE, gap
    return Comparison(
        figure=f"audiences of {len(offers)} offers, {USERS:,} users, one command, the first of its day",
        plain_seconds=float(np.mean([each for each, _ in plain])) * len(offers) * USERS / PLAIN_USERS,
        ours_seconds=seconds,
        rounds=1,
        rows=USERS * len(offers),
        wanted_ratio=4_000,
        agreement=(
            f"chances of {PLAIN_USERS} users for {len(plain)} offers within {gap:.0e}; "
            "plain: the time of these, multiplied"
        ),
        ours_peak_mib=peak,
    )


def hundred_offers(attributes: Attributes, data: PreparedData) -> list[Offer]:
    """Name offers of four kinds in turn, those that sell best: the more of the users' events, the more work.

    A brand in two categories, a category, a brand, and all that is cheaper than a price: from few of the
    events to nearly all of them.
    """
    brands, categories = (_best_sellers(attributes, name) for name in ("brand", "category3"))
    parents = {label: value for value, label in attributes.by_name["category2"].labels.items()}
    prices = attributes.by_name["price_cluster"].numbers
    assert prices is not None
    sold = prices[data.events["price_cluster"]]
    limits = np.nanquantile(sold, np.arange(1, OF_EACH_KIND + 1) / (OF_EACH_KIND + 1))
    texts = []
    for brand, category, limit in zip(brands, categories, limits, strict=True):
        of_brand = data.events["brand"] == attributes.by_name["brand"].labels[brand]
        counts = np.bincount(
            data.events["category2"][of_brand], minlength=attributes.by_name["category2"].size
        )
        best = [label for label in np.argsort(-counts, kind="stable").tolist() if label in parents][:2]
        listed = ", ".join(quoted(parents[label]) for label in best)
        texts += [
            f"brand = {quoted(brand)} and category2 in ({listed})",
            f"category3 = {quoted(category)}",
            f"brand = {quoted(brand)}",
            f"price_cluster < {limit + 0.005:.3f}",
        ]
    return [offer_of_expression(text, attributes) for text in texts]


def _best_sellers(attributes: Attributes, name: str) -> list[str]:
    """List the most frequent values of an attribute: labels are in the order of frequency."""
    values = attributes.by_name[name].labels
    return [value for value in sorted(values, key=values.__getitem__) if value != MISSING][:OF_EACH_KIND]
