"""An audience of a million users: pandas, one user after the other, against ours."""

import time
from contextlib import chdir
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.crowd import make_crowd
from benchmarks.measure import Comparison, peak_memory
from benchmarks.plain.audience import plain_chances, plain_offer, users_of_split
from offerbench.campaigns.as_of import choose_as_of, data_days, day_number
from offerbench.campaigns.attributes import load_attributes
from offerbench.campaigns.cuts import PRESENT, Cut
from offerbench.campaigns.moment import Moment
from offerbench.campaigns.offer import Offer, offer_of_expression
from offerbench.campaigns.score import HeadScore
from offerbench.campaigns.scored_users import Floats
from offerbench.core.columns import DAY, USER, Split
from offerbench.core.paths import PREPARED_DIRECTORY
from offerbench.parameters import load_parameters

OFFER = "brand = '69' and category2 in ('soft_drinks', 'coffee')"
USERS, MEAN_EVENTS, SEED = 1_000_000, 20.0, 1
PLAIN_USERS = 500  # of them; the time is multiplied
HORIZON = 14
ROUNDS = 3
TOLERANCE = 1e-4  # of a chance, relative: inputs of the head are float32


def compare_audiences(directory: Path, is_first: bool) -> Comparison:
    """Score a crowd for one offer.

    Parameters
    ----------
    directory : Path
        An empty directory, for the crowd.
    is_first : bool
        Whether it is the first audience of the day and the models, or a later one.
    """
    make_crowd(directory, USERS, MEAN_EVENTS, SEED)
    with chdir(directory):
        offer = offer_of_expression(OFFER, load_attributes(PREPARED_DIRECTORY))
        as_of = choose_as_of(None, data_days(PREPARED_DIRECTORY))
        seconds = []
        for _ in range(1 if is_first else 1 + ROUNDS):
            start = time.perf_counter()
            (found,) = load_score().score_offers([offer], as_of, HORIZON)
            seconds.append(time.perf_counter() - start)
            print(f"audience: {len(found):,} users, {seconds[-1]:.2f} s", flush=True)
        peak = peak_memory()
        plain_seconds, plain = plain_audience(offer, as_of, PLAIN_USERS)
    gap = float(np.max(np.abs(found.chance[:PLAIN_USERS] - plain) / plain))
    assert gap < TOLERANCE, gap
    which = "the first of its day" if is_first else "a later one of its day"
    return Comparison(
        figure=f"audience of one offer, {USERS:,} users, {which}",
        plain_seconds=plain_seconds * USERS / PLAIN_USERS,
        ours_seconds=seconds[0] if is_first else float(np.median(seconds[1:])),
        rounds=1 if is_first else ROUNDS,
        rows=USERS,
        wanted_ratio=300 if is_first else 1_000,
        agreement=f"chances of {PLAIN_USERS} users within {gap:.0e}; plain: the time of these, multiplied",
        ours_peak_mib=peak,
    )


def load_score() -> HeadScore:
    """Load the score anew, as a command does."""
    parameters = load_parameters()
    return HeadScore({PRESENT: Moment(Cut(PRESENT, None), parameters.train_head)}, parameters.tasks)


def plain_audience(offer: Offer, as_of: date, users: int) -> tuple[float, Floats]:
    """Time the plain twin on the first users; the offer's own description is not counted.

    Returns
    -------
    seconds : float
        For these users.
    chances : float64, shape (users,)
    """
    moment, day = Moment(Cut(PRESENT, None), load_parameters().train_head), day_number(as_of)
    columns = moment.data.events
    frame = pd.DataFrame({name: columns[name] for name in (USER, DAY, *moment.data.offer_sizes)})
    frame["is_of_offer"] = offer.matches(columns)
    (task,) = offer.attributes if len(offer.attributes) == 1 else (None,)
    described = plain_offer(frame, users_of_split(moment, Split.TRAIN), moment, day, task)
    of_users = dict(list(frame[frame[USER] < users].groupby(USER)))
    plain_chances(dict(list(of_users.items())[:5]), described, moment, day)  # TensorFlow's first calls
    start = time.perf_counter()
    found = plain_chances(of_users, described, moment, day)
    return time.perf_counter() - start, found
