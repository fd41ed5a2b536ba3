"""A tiny log of a shop with columns of its own, and presets/custom.yaml made small for it."""

import csv
import io
from typing import Any

import numpy as np
from ruamel.yaml import YAML

from .stage import REPOSITORY

COLUMNS = ["id", "ordered at", "action", "customer", "sku", "department", "maker", "unit price"]
CUSTOMERS = 40


def rows() -> list[list[str]]:
    """Orders of customers with names; one in four rows is a look, which is left out."""
    generator = np.random.default_rng(4)
    actions = ["bought", "reordered", "put in basket", "looked"]
    return [
        [
            *(str(number), f"2024-03-{1 + number % 28:02d} 09:30:00", actions[generator.integers(4)]),
            *(f"customer {generator.integers(CUSTOMERS)}", f"s{generator.integers(30)}", f"d{number % 3}"),
            *(f"maker, {number % 4}", f"{generator.integers(1, 90) / 4}"),
        ]
        for number in range(800)
    ]


def as_csv(lines: list[list[str]], header: list[str] = COLUMNS) -> bytes:
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows([header, *lines])
    return stream.getvalue().encode()


def parameters(**custom: Any) -> dict[str, Any]:
    """The preset with fewer users and clusters, and some keys of `custom` changed."""
    content: dict[str, Any] = YAML(typ="safe").load((REPOSITORY / "presets/custom.yaml").read_text())
    content["custom"] |= custom
    content["prepare"]["split"] |= {"test_users": 5, "validation_users": 5}
    content["prepare"]["clusters"]["price_cluster"]["clusters"] = 5
    content["resources"]["memory_limit"] = "500MB"
    return content
