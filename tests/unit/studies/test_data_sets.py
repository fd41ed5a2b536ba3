"""The table of data sets."""

import pandas as pd

from offerbench.studies.data_sets import DataSet, data_sets_markdown

WAUC = {
    "brand": {
        "full": 0.6,
        "augmented": 0.7,
        "mono_brand": 0.5,
        "mono_shelf": 0.9,
        "frequency": 0.65,
        "recency": 0.8,
    },
    "shelf": {"full": 0.7, "augmented": 0.72, "mono_brand": 0.9, "mono_shelf": 0.6, "frequency": 0.71},
}


def test_means_are_of_the_best_row_of_each_task() -> None:
    rows = [("all", task, model, wauc) for task, models in WAUC.items() for model, wauc in models.items()]
    rows += [("popular", task, model, 0.1) for _, task, model, _ in rows]
    table = pd.DataFrame(rows, columns=["segment", "task", "model", "wauc"])
    counts = {"rows": 12345, "target_events": 678, "users": {"train": 1000, "validation": 2, "test": 3}}
    *_, line = data_sets_markdown([DataSet("Some shop", counts, table)], 3).splitlines()
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    # Boosted model and peers were not measured; .755 is the mean of .8 and .71.
    assert cells == ["Some shop", "12,345", "678", "1,005", "2", ".650", ".710", "-", ".550", "**.755**", "-"]
