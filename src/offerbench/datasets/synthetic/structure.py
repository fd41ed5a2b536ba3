"""The numbers of the planted structure, and the heavy-tailed law that they are about."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32] | npt.NDArray[np.float64]
Ranks = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Structure:
    """Parameters of the planted structure; shares are probabilities."""

    rows_per_user: int = 40
    """Users there are: rows / rows_per_user. Fewer appear, activity being heavy tailed."""
    rows_per_product: int = 500
    """Products there are: rows / rows_per_product, within the next two bounds."""
    fewest_products: int = 1_000
    """At least so many products; more than there are categories."""
    most_products: int = 200_000
    """At most so many products."""
    products_per_brand: int = 25
    """Brands there are: products / products_per_brand, but at least five for each root."""

    category_head: float = 1.0
    """Ranks over which the popularity of categories is flat before it falls as 1 / rank."""
    product_head: float = 1.0
    """The same for the products of a category."""
    brand_head: float = 1.0
    """The same for the brands of a root."""
    active_users_share: float = 0.005
    """The same for users, as a share of all users."""

    category_size_exponent: float = 0.3
    """Products of a category are in proportion to its popularity to this power."""
    uncategorised_categories: float = 0.4
    """Categories without a code there are, as a share of those with one."""
    uncategorised_share: float = 0.25
    """Their share of the popularity of all categories."""
    brandless_share: float = 0.2
    """Share of the products that have no brand."""
    foreign_brand_share: float = 0.1
    """Share of the branded products whose brand is drawn from all roots' brands."""

    price_level: float = 4.0
    """Mean logarithm of a price."""
    category_price_spread: float = 0.9
    """Standard deviation of the categories' levels of log price."""
    brand_price_spread: float = 0.4
    """Standard deviation of the brands' levels of log price."""
    product_price_spread: float = 0.4
    """Standard deviation of log prices within a category and brand."""

    preferred_categories: tuple[float, ...] = (0.5, 0.25, 0.1)
    """Share of a user's sessions about each preferred category; the others go by popularity."""
    candidates: int = 3
    """A look takes the best of so many products drawn by popularity within the category."""
    brand_weight: float = 2.0
    """What the favourite brand is worth, in standard deviations of distance from the price level."""
    eagerness_spread: float = 1.2
    """Standard deviation of the logarithm of users' eagerness, which multiplies `cart_share`."""
    regular_products: int = 2
    """Regular products of a user."""

    looks_per_session: float = 3.0
    """Mean number of products looked at in a session (geometric)."""
    views_per_look: float = 1.6
    """Mean number of views of a look (geometric)."""
    seconds_between_rows: float = 40.0
    """Mean time between two rows of a session (exponential)."""
    cart_share: float = 0.057
    """Share of the looks that lead to a cart, for mean eagerness."""
    purchase_after_cart_share: float = 0.27
    """Share of the carts that are followed by a purchase."""
    direct_purchase_share: float = 0.06
    """Purchases without a cart, as a multiple of `cart_share`."""
    regular_look_share: float = 0.04
    """Share of the looks that are at a regular product of the user."""
    regular_cart_factor: float = 6.0
    """A look at a regular product leads so many times more often to a cart."""
    regular_purchase_after_cart_share: float = 0.8
    """`purchase_after_cart_share` of a look at a regular product."""


def heavy_tailed(uniform: Floats, count: int | npt.NDArray[np.int32], head: float) -> Ranks:
    """Turn uniform numbers into ranks of Zipf-Mandelbrot's law with exponent 1.

    A rank r has probability log((r + 1 + head) / (r + head)) / log((count + head) / head), nearly
    proportional to 1 / (r + head).

    Parameters
    ----------
    uniform : float, any shape
        In [0, 1).
    count : int or int32 that broadcasts
        Ranks are below it.
    head : float
        Ranks over which the law is flat.

    Returns
    -------
    int32, shape of `uniform`
    """
    spread = np.log1p(np.divide(count, head, dtype=uniform.dtype))
    ranks: Ranks = (head * np.expm1(uniform * spread)).astype(np.int32)
    return np.minimum(ranks, np.subtract(count, 1, dtype=np.int32), out=ranks)
