"""Users: what each prefers, and how active and eager to buy each is."""

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from offerbench.datasets.synthetic.catalogue import NO_FAVOURITE, Catalogue, Ints
from offerbench.datasets.synthetic.structure import Structure

USERS_PER_BLOCK = 1 << 18  # drawn at a time, to bound the memory of the draws
FIRST_NUMBER, LAST_NUMBER = 400_000_000, 600_000_000


@dataclass(frozen=True)
class Users:
    """Users by rank of their activity, the most active first."""

    number: npt.NDArray[np.int64]
    """`user_id`. Shape (users,)."""
    categories: Ints
    """Preferred categories, the most preferred first. Shape (users, preferred categories)."""
    brands: Ints
    """Favourite brand in each preferred category. Shape (users, preferred categories)."""
    regulars: Ints
    """Products bought again and again. Shape (users, regular products)."""
    price_level: npt.NDArray[np.float32]
    """Liked distance from a category's price level, in standard deviations. Shape (users,)."""
    eagerness: npt.NDArray[np.float32]
    """Multiplies the share of looks that lead to a cart; its mean is 1. Shape (users,)."""


def draw_users(
    generator: np.random.Generator, users: int, catalogue: Catalogue, structure: Structure
) -> Users:
    """Draw the users.

    Parameters
    ----------
    generator : numpy.random.Generator
        Source of all draws.
    users : int
        Number of users.
    catalogue : Catalogue
        What they choose from.
    structure : Structure
        Parameters.
    """
    step = max((LAST_NUMBER - FIRST_NUMBER) // users, 1)
    numbers = FIRST_NUMBER + step * generator.permutation(users) + generator.integers(0, step, users)
    blocks = [
        _draw_block(generator, numbers[start : start + USERS_PER_BLOCK], catalogue, structure)
        for start in range(0, users, USERS_PER_BLOCK)
    ]
    return Users(
        **{f.name: np.concatenate([getattr(block, f.name) for block in blocks]) for f in fields(Users)}
    )


def _draw_block(
    generator: np.random.Generator,
    numbers: npt.NDArray[np.int64],
    catalogue: Catalogue,
    structure: Structure,
) -> Users:
    users = len(numbers)
    price_level = generator.standard_normal(users, np.float32)
    spread = structure.eagerness_spread
    eagerness = np.exp(spread * generator.standard_normal(users, np.float32) - spread**2 / 2)
    categories = [catalogue.categories.popular(generator.random(users))]
    for preference in range(1, len(structure.preferred_categories)):
        uniform = generator.random(users)
        categories.append(
            catalogue.categories.popular_under_root(uniform, categories[0])
            if preference == 1
            else catalogue.categories.popular(uniform)
        )
    # A favourite brand is the brand of a product that fits the price level.
    any_brand = np.full(users, NO_FAVOURITE, np.int32)
    brands = [
        catalogue.brand[catalogue.choose(generator, structure, category, any_brand, price_level)]
        for category in categories
    ]
    regulars = [
        catalogue.choose(generator, structure, categories[i], brands[i], price_level)
        for i in (k % len(categories) for k in range(structure.regular_products))
    ]
    return Users(
        number=numbers,
        categories=np.stack(categories, axis=1),
        brands=np.stack(brands, axis=1),
        regulars=np.stack(regulars, axis=1),
        price_level=price_level,
        eagerness=eagerness,
    )
