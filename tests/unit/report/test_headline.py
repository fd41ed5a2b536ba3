"""The table in short: the best of each kind in every column."""

import numpy as np
import pandas as pd

from offerbench.core.rows import Role, Row
from offerbench.report.headline import headline_markdown, headline_rows

ROWS = [
    Row("full", "full model", Role.GENERALIST),
    Row("mono_brand", "mono: brand", Role.SPECIALIST, "brand"),
    Row("mono_category1", "mono: category1", Role.SPECIALIST, "category1"),
    Row("frequency", "frequency", Role.YARDSTICK),
    Row("recency", "recency", Role.YARDSTICK),
    Row("lightgbm", "LightGBM", Role.PEER),
    Row("item_item", "item-item", Role.PEER),
    Row("ceiling", "ceiling", Role.CEILING),
]
BRAND = {
    "full": 0.7,
    "mono_brand": 0.6,
    "mono_category1": 0.8,  # of another task
    "frequency": 0.65,
    "recency": 0.64,
    "lightgbm": 0.71,
    "item_item": 0.5,
    "ceiling": 0.9,
}
CATEGORY = {**BRAND, "mono_category1": 0.61, "recency": 0.66, "item_item": 0.72, "lightgbm": np.nan}


def table() -> pd.DataFrame:
    cells = [
        ("all", task, name, value, 0.01)
        for task, column in (("brand", BRAND), ("category1", CATEGORY))
        for name, value in column.items()
    ]
    return pd.DataFrame(cells, columns=["segment", "task", "model", "wauc", "half_width"])


def test_the_specialist_of_the_task_and_the_best_of_the_others() -> None:
    found = headline_rows(table(), ROWS).set_index(["task", "model"])["wauc"].to_dict()
    assert found == {
        ("brand", "full"): 0.7,
        ("category1", "full"): 0.7,
        ("brand", "specialist"): 0.6,
        ("category1", "specialist"): 0.61,
        ("brand", "yardstick"): 0.65,
        ("category1", "yardstick"): 0.66,
        ("brand", "peer"): 0.71,
        ("category1", "peer"): 0.72,
        ("brand", "ceiling"): 0.9,
        ("category1", "ceiling"): 0.9,
    }


def test_in_markdown_a_lost_cell_is_shown_as_lost() -> None:
    lines = headline_markdown(table(), ROWS, 3).splitlines()[2:]
    assert [line.split("|")[1].strip() for line in lines] == [
        "full model",
        "the task's own specialist (mono)",
        "best untrained row (counting)",
        "best peer (LightGBM, item-item, ALS)",
        "*ceiling*",
    ]
    assert "**.710 ±.010**" in lines[3]
    assert "**" not in lines[0] + lines[4]
