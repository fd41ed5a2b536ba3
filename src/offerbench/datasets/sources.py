"""The data sources by name."""

from collections.abc import Callable
from pathlib import Path

import duckdb

from offerbench.datasets import complete_journey, rees46
from offerbench.datasets.canonical import ReadCounts

READERS: dict[str, Callable[[duckdb.DuckDBPyConnection, Path], ReadCounts]] = {
    "complete_journey": complete_journey.read_events,
    "rees46": rees46.read_events,
    "synthetic": rees46.read_events,  # generated files of the same schema
}
