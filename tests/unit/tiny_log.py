"""A small REES46 log, drawn from a seed, as files and as a list of events."""

import gzip
from pathlib import Path

import numpy as np

from offerbench.datasets.rees46 import COLUMNS
from tests.oracle.histories import Event

HEADER = ",".join(COLUMNS)
FIRST_DAY = 18170  # 2019-10-01: 49 years of 365 days, 12 leap days, 273 days since January 1st
PRODUCTS, DAYS = 40, 25


def csv_line(
    user: int, day: int, event_type: str, product: str, category_code: str, brand: str, price: str
) -> str:
    """One row of the public schema, on day `day` of October 2019, counted from 0."""
    time = f"2019-10-{day + 1:02d} 10:00:00 UTC"
    return f"{time},{event_type},{product},9,{category_code},{brand},{price},{user},session"


def draw_log(users: int, seed: int) -> list[tuple[Event, str]]:
    """Events of all types, shuffled over the file, each with its line of CSV.

    Products have one category code (some none), brand (some none) and price; low numbers are popular,
    the last ten have rare categories and brands of their own. Each user prefers a few products, so that
    histories tell something about purchases.
    """
    generator = np.random.default_rng(seed)
    kinds = [number % 7 if number < PRODUCTS - 10 else number for number in range(PRODUCTS)]
    codes = ["", *(f"root{kind % 3}.middle{kind}.leaf{kind % 5}.fourth" for kind in kinds[1:])]
    popularity = 1 / np.arange(1, PRODUCTS + 1)
    popularity /= popularity.sum()
    rows = []
    for user in range(users):
        favourites = generator.choice(PRODUCTS, 4, p=popularity)
        for _ in range(generator.integers(5, 45)):
            event_type = generator.choice(["view", "cart", "purchase"], p=[0.2, 0.3, 0.5])
            choice = favourites if generator.random() < 0.7 else generator.choice(PRODUCTS, 1, p=popularity)
            product = int(generator.choice(choice))
            rows.append((500 - user, int(generator.integers(DAYS)), str(event_type), product))
    log = []
    for row, place in enumerate(generator.permutation(len(rows))):
        user, day, event_type, product = rows[place]
        code, brand = codes[product], "" if product % 5 == 0 else f"brand{kinds[product]}"
        price = f"{1 + product % 11}.{product % 4}5"
        categories = (code or "..").split(".")
        values: dict[str, int | str] = {
            "product_id": str(product),
            "category1": categories[0],
            "category2": categories[1],
            "category3": categories[2],
            "brand": brand,
            "price": price,
        }
        line = csv_line(user, day, event_type, str(product), code, brand, price)
        log.append((Event(row, user, FIRST_DAY + day, event_type, values), line))
    return log


def write_log(directory: Path, lines: list[str]) -> None:
    """Write lines as two files, read in the order of their names: a plain one, then a compressed one."""
    directory.mkdir(parents=True, exist_ok=True)
    half = len(lines) // 2
    (directory / "2019-Oct_1.csv").write_text("\n".join([HEADER, *lines[:half]]) + "\n")
    with gzip.open(directory / "2019-Oct_2.csv.gz", "wt") as file:
        file.write("\n".join([HEADER, *lines[half:]]) + "\n")
