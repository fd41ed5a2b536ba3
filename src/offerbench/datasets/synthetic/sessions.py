"""Sessions of one slice of time: who looks at what, puts it into the cart, buys it, and when."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from offerbench.datasets.synthetic.catalogue import NO_FAVOURITE, Catalogue, Ints
from offerbench.datasets.synthetic.months import Slice, active_seconds
from offerbench.datasets.synthetic.structure import Structure, heavy_tailed
from offerbench.datasets.synthetic.users import Users

EVENT_TYPES = ("view", "cart", "purchase")
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Rows:
    """The rows of a slice, sorted by time."""

    second: npt.NDArray[np.int64]
    """From the start of the month. Shape (rows,)."""
    event_type: Ints
    """Index into `EVENT_TYPES`. Shape (rows,)."""
    product: Ints
    """Shape (rows,)."""
    session: Ints
    """Shape (rows,)."""
    session_user: Ints
    """User of each session. Shape (sessions,)."""


@dataclass(frozen=True)
class _Looks:
    """Looks at products, session by session; all of shape (looks,)."""

    session: Ints
    product: Ints
    views: Ints
    has_cart: Flags
    has_purchase: Flags


def draw_rows(
    generator: np.random.Generator,
    time: Slice,
    days: int,
    catalogue: Catalogue,
    users: Users,
    structure: Structure,
) -> Rows:
    """Draw the rows of a slice.

    Parameters
    ----------
    generator : numpy.random.Generator
        Source of all draws.
    time : Slice
        The stretch of time and its number of rows.
    days : int
        Of the month.
    catalogue, users : Catalogue, Users
        Who looks at what.
    structure : Structure
        Parameters.
    """
    # A tenth more sessions than the rows need on average; what is too much is cut off.
    sessions = int(1.1 * time.rows / (structure.looks_per_session * structure.views_per_look)) + 50
    head = structure.active_users_share * len(users.number)
    session_user = heavy_tailed(generator.random(sessions), len(users.number), head)
    looks = _draw_looks(generator, time.rows, session_user, catalogue, users, structure)
    look, event_type = _expand(looks, time.rows)
    session = looks.session[look]
    second = _draw_times(generator, session, sessions, time, days, structure)
    order = np.argsort(second, kind="stable")
    return Rows(second[order], event_type[order], looks.product[look][order], session[order], session_user)


def _expand(looks: _Looks, rows: int) -> tuple[Ints, Ints]:
    """Give the look and the event type of each row: views, then a cart, then a purchase.

    Returns
    -------
    (int32, int32), each of shape (rows,)
    """
    length = looks.views + looks.has_cart + looks.has_purchase
    look = np.repeat(np.arange(len(length), dtype=np.int32), length)[:rows]
    position = np.arange(rows) - (np.cumsum(length) - length)[look]
    is_cart_or_purchase = position >= looks.views[look]
    is_purchase = position >= (looks.views + looks.has_cart)[look]
    return look, is_cart_or_purchase.astype(np.int32) + is_purchase


def _draw_looks(
    generator: np.random.Generator,
    rows: int,
    session_user: Ints,
    catalogue: Catalogue,
    users: Users,
    structure: Structure,
) -> _Looks:
    """Draw what is looked at in each session, and what comes of it: at least `rows` rows."""
    category, brand = _draw_topics(generator, session_user, catalogue, users, structure)
    session = np.repeat(
        np.arange(len(session_user), dtype=np.int32),
        generator.geometric(1 / structure.looks_per_session, len(session_user)),
    )
    user = session_user[session]
    product = catalogue.choose(
        generator, structure, category[session], brand[session], users.price_level[user]
    )
    is_regular = generator.random(len(user), np.float32) < structure.regular_look_share
    regular_user = user[is_regular]
    product[is_regular] = users.regulars[
        regular_user, generator.integers(0, structure.regular_products, len(regular_user))
    ]
    share = structure.cart_share * users.eagerness[user]
    share[is_regular] *= structure.regular_cart_factor
    has_cart = generator.random(len(user), np.float32) < share
    after_cart = np.where(
        is_regular, structure.regular_purchase_after_cart_share, structure.purchase_after_cart_share
    )
    purchase_share = np.where(has_cart, after_cart, structure.direct_purchase_share * share)
    has_purchase = generator.random(len(user), np.float32) < purchase_share
    views = generator.geometric(1 / structure.views_per_look, len(user)).astype(np.int32)
    views[-1] += max(rows - int(views.sum()), 0)  # should the sessions be too few all the same
    return _Looks(session, product, views, has_cart, has_purchase)


def _draw_topics(
    generator: np.random.Generator,
    session_user: Ints,
    catalogue: Catalogue,
    users: Users,
    structure: Structure,
) -> tuple[Ints, Ints]:
    """Draw the category of each session, and the user's favourite brand in it."""
    preferences = len(structure.preferred_categories)
    choice = np.searchsorted(
        np.cumsum(structure.preferred_categories), generator.random(len(session_user)), side="right"
    )
    category = catalogue.categories.popular(generator.random(len(session_user)))
    brand = np.full(len(session_user), NO_FAVOURITE, np.int32)
    is_preferred = choice < preferences
    preferred = session_user[is_preferred], choice[is_preferred]
    category[is_preferred] = users.categories[preferred]
    brand[is_preferred] = users.brands[preferred]
    return category, brand


def _draw_times(
    generator: np.random.Generator,
    session: Ints,
    sessions: int,
    time: Slice,
    days: int,
    structure: Structure,
) -> npt.NDArray[np.int64]:
    """Draw the second of each row; sessions lie within the slice."""
    elapsed = np.cumsum(generator.standard_exponential(len(session), np.float32), dtype=np.float64)
    elapsed *= structure.seconds_between_rows
    first = np.searchsorted(session, np.arange(sessions, dtype=np.int32))
    last = np.append(first[1:], len(session)) - 1
    first = np.minimum(first, len(session) - 1)  # sessions that were cut off
    start = active_seconds(generator.uniform(time.lower, time.upper, sessions), days)
    longest = time.end - 1 - time.begin
    duration = np.minimum((elapsed[last] - elapsed[first]).astype(np.int64), longest)
    start = np.clip(start, time.begin, time.end - 1 - duration)
    offset = np.minimum((elapsed - elapsed[first][session]).astype(np.int64), longest)
    seconds: npt.NDArray[np.int64] = start[session] + offset
    return seconds
