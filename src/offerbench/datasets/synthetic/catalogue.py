"""Categories, brands and products."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from offerbench.datasets.synthetic.category_tree import CODES
from offerbench.datasets.synthetic.structure import Structure, heavy_tailed

Ints = npt.NDArray[np.int32]
Prices = npt.NDArray[np.float32]

NO_BRAND = -1
NO_FAVOURITE = -2  # a favourite brand that no product has
SYLLABLES = [consonant + vowel for consonant in "bdfgklmnprstvz" for vowel in "aeiou"]


@dataclass(frozen=True)
class Categories:
    """The leaves of the tree, those of one root side by side."""

    codes: list[str]
    """The code, empty for a category without one. Shape (categories,)."""
    root: Ints
    """Number of the root. Shape (categories,)."""
    upper: npt.NDArray[np.float64]
    """Cumulative popularity, the last is 1. Shape (categories,)."""

    def popular(self, uniform: npt.NDArray[np.float64]) -> Ints:
        """Turn uniform numbers into categories, by popularity."""
        return np.searchsorted(self.upper[:-1], uniform, side="right").astype(np.int32)

    def popular_under_root(self, uniform: npt.NDArray[np.float64], categories: Ints) -> Ints:
        """Turn uniform numbers into categories with the same root as `categories`, by popularity."""
        bounds = np.append(0.0, self.upper)
        roots = np.arange(self.root[-1] + 1)
        lower = bounds[np.searchsorted(self.root, roots)][self.root[categories]]
        upper = bounds[np.searchsorted(self.root, roots, side="right")][self.root[categories]]
        return self.popular(lower + uniform * (upper - lower))


@dataclass(frozen=True)
class Catalogue:
    """Products, those of a category side by side, the most popular first."""

    categories: Categories
    first: Ints
    """First product of each category. Shape (categories,)."""
    size: Ints
    """Number of products of each category, at least 1. Shape (categories,)."""
    brand: Ints
    """Number of the brand, or `NO_BRAND`. Shape (products,)."""
    price_level: Prices
    """Distance of the log price from the category's level, in standard deviations. Shape (products,)."""
    fields: pa.StringArray
    """A row's text from product_id to price, ending with a comma. Shape (products,)."""

    def choose(
        self,
        generator: np.random.Generator,
        structure: Structure,
        categories: Ints,
        brands: Ints,
        price_levels: Prices,
    ) -> Ints:
        """Choose products: of a few popular ones of the category, the one that fits best.

        Parameters
        ----------
        generator : numpy.random.Generator
            Source of the candidates.
        structure : Structure
            Parameters.
        categories, brands, price_levels : int32, int32, float32, shape (choices,)
            The category to choose from, the favourite brand and the price level of each choice.

        Returns
        -------
        int32, shape (choices,)
        """
        first, size = self.first[categories], self.size[categories]
        best = np.empty_like(first)
        best_fit = np.full(len(first), -np.inf, np.float32)
        for _ in range(structure.candidates):
            uniform = generator.random(len(first), np.float32)
            candidate = first + heavy_tailed(uniform, size, structure.product_head)
            fit = structure.brand_weight * (self.brand[candidate] == brands) - np.abs(
                self.price_level[candidate] - price_levels
            )
            is_better = fit > best_fit
            np.copyto(best, candidate, where=is_better)
            np.copyto(best_fit, fit, where=is_better, casting="same_kind")
        return best


def draw_catalogue(generator: np.random.Generator, products: int, structure: Structure) -> Catalogue:
    """Draw the categories, brands and products.

    Parameters
    ----------
    generator : numpy.random.Generator
        Source of all draws.
    products : int
        Number of products; at least as many as categories.
    structure : Structure
        Parameters.
    """
    categories = _draw_categories(generator, structure)
    weight = np.diff(categories.upper, prepend=0.0) ** structure.category_size_exponent
    size = 1 + generator.multinomial(products - len(weight), weight / weight.sum()).astype(np.int32)
    category = np.repeat(np.arange(len(size), dtype=np.int32), size)
    brands = max(products // structure.products_per_brand, 5 * (int(categories.root[-1]) + 1))
    brand = _draw_brands(generator, categories, category, brands, structure)
    log_price = structure.brand_price_spread * generator.standard_normal(brands + 1)[brand]  # last: no brand
    log_price += structure.product_price_spread * generator.standard_normal(products)
    spread = np.hypot(structure.brand_price_spread, structure.product_price_spread)
    category_level = structure.category_price_spread * generator.standard_normal(len(size))
    prices = np.exp(structure.price_level + category_level[category] + log_price)
    return Catalogue(
        categories=categories,
        first=(np.cumsum(size) - size).astype(np.int32),
        size=size,
        brand=brand,
        price_level=(log_price / spread).astype(np.float32),
        fields=_fields(generator, categories, category, brand, prices),
    )


def _draw_categories(generator: np.random.Generator, structure: Structure) -> Categories:
    """Draw categories without a code for the roots, and the popularity of all categories."""
    roots = [code.split(".")[0] for code in CODES]
    missing = int(structure.uncategorised_categories * len(roots))
    extra = [roots[i] for i in generator.integers(0, len(roots), missing)]
    named = [(root, code) for root, code in zip(roots, CODES, strict=True)] + [(root, "") for root in extra]
    named.sort()
    codes = [code for _, code in named]
    weight = 1 / (structure.category_head + generator.permutation(len(codes)))
    is_missing = np.array(codes) == ""
    weight[is_missing] *= structure.uncategorised_share / weight[is_missing].sum()
    weight[~is_missing] *= (1 - structure.uncategorised_share) / weight[~is_missing].sum()
    upper = np.cumsum(weight)
    root = np.unique([root for root, _ in named], return_inverse=True)[1].astype(np.int32)
    return Categories(codes, root, upper / upper[-1])


def _draw_brands(
    generator: np.random.Generator,
    categories: Categories,
    category: Ints,
    brands: int,
    structure: Structure,
) -> Ints:
    """Draw the brand of each product.

    The brands of a root are side by side. A category starts among them at a brand of its own, more
    often than not one of the first, so that a root's first brands are strong in many categories.
    """
    products = len(category)
    roots = int(categories.root[-1]) + 1
    bounds = np.linspace(0, brands, roots + 1).astype(np.int32)
    pool = np.diff(bounds)[categories.root]
    start = heavy_tailed(generator.random(len(pool)), pool, structure.brand_head)
    rank = heavy_tailed(generator.random(products), pool[category], structure.brand_head)
    brand = bounds[categories.root[category]] + (start[category] + rank) % pool[category]
    foreign = heavy_tailed(generator.random(products), brands, structure.brand_head)
    brand = np.where(generator.random(products) < structure.foreign_brand_share, foreign, brand)
    brand[generator.random(products) < structure.brandless_share] = NO_BRAND
    return brand.astype(np.int32)


def _brand_name(number: int) -> str:
    """Give a pronounceable name, another one for each number below 343,000."""
    number = number * 154_321 % len(SYLLABLES) ** 3  # coprime: neighbours get unlike names
    high, low = divmod(number, len(SYLLABLES))
    return "".join(SYLLABLES[i] for i in (low, *divmod(high, len(SYLLABLES))))


def _fields(
    generator: np.random.Generator,
    categories: Categories,
    category: Ints,
    brand: Ints,
    prices: npt.NDArray[np.float64],
) -> pa.StringArray:
    """Write a row's text from product_id to price for each product."""
    product_ids = 1_000_000 + np.cumsum(generator.integers(1, 500, len(category)))
    category_ids = 2_053_013_552_000_000_000 + np.cumsum(
        generator.integers(1, 2**30, len(categories.codes)), dtype=np.int64
    )
    prefix = [f"{number},{code}" for number, code in zip(category_ids, categories.codes, strict=True)]
    names = {number: _brand_name(number) for number in np.unique(brand).tolist()} | {NO_BRAND: ""}
    columns = (product_ids.tolist(), category.tolist(), brand.tolist(), prices.tolist())
    return pa.array(
        [
            f"{p},{prefix[c]},{names[b]},{max(price, 0.01):.2f},"
            for p, c, b, price in zip(*columns, strict=True)
        ],
        pa.string(),
    )
