"""The data sources by name."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import duckdb

from offerbench.datasets import (
    complete_journey,
    custom,
    instacart_sample,
    movielens_100k,
    movielens_imdb,
    rees46,
)
from offerbench.datasets.canonical import ReadCounts
from offerbench.datasets.config import Custom

Reader = Callable[[duckdb.DuckDBPyConnection, Path], ReadCounts]

READERS: dict[str, Reader] = {
    "complete_journey": complete_journey.read_events,
    "instacart_sample": instacart_sample.read_events,
    "movielens_100k": movielens_100k.read_events,
    "movielens_imdb": movielens_imdb.read_events,
    "rees46": rees46.read_events,
    "synthetic": rees46.read_events,  # generated files of the same schema
}

BY_FILE = frozenset({"rees46", "synthetic"})
"""Sources that can be read file by file, see `rees46.read_file`."""


def reader(dataset: str, columns: Custom | None) -> Reader:
    """Give the reader of a data set.

    Parameters
    ----------
    dataset : str
        A name of `READERS`, or `custom`.
    columns : Custom or None
        The section `custom` of params.yaml, for the data set of that name.
    """
    if dataset == "custom" and columns is not None:
        return partial(custom.read_events, custom=columns)
    return READERS[dataset]
