"""Bootstrap samples of every wAUC in a file: what the next version is compared by, on the same users."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from offerbench.core.columns import MODEL, SEGMENT, TASK
from offerbench.core.errors import OfferbenchError
from offerbench.core.tables import write_parquet
from offerbench.evaluation.bootstrap import Samples

SAMPLES = "samples"
SAMPLES_FILE = f"{SAMPLES}.parquet"
SampleKey = tuple[str, str, str]
"""Segment, task, and model or row."""


def write_samples(target: Path, samples: Iterable[tuple[SampleKey, Samples]]) -> None:
    """Write segment, task, model and samples, one row for each wAUC.

    As 32-bit numbers: a wAUC to seven digits. NaN where a sample of the users has no offer.
    """
    columns: dict[str, list[Any]] = {name: [] for name in (SEGMENT, TASK, MODEL, SAMPLES)}
    for key, values in samples:
        for column, value in zip(columns.values(), (*key, values.astype(np.float32)), strict=True):
            column.append(value)
    write_parquet(target, columns)


def parse_samples(content: bytes, source: str) -> dict[SampleKey, Samples]:
    """Read the file that `write_samples` has written.

    Parameters
    ----------
    content : bytes
        Of the file.
    source : str
        What messages call it.

    Returns
    -------
    dict of float64, shape (samples,)
        By segment, task and model.

    Raises
    ------
    OfferbenchError
        If it is not such a file.
    """
    try:
        # After pq.read_table of a buffer, Arrow 21 aborts the process at its end, every other time.
        with pq.ParquetFile(pa.BufferReader(content), page_checksum_verification=True) as file:
            table = file.read()
        keys = zip(*(table[name].to_pylist() for name in (SEGMENT, TASK, MODEL)), strict=True)
        samples = table[SAMPLES].to_pylist()
        found = {key: np.array(values, np.float64) for key, values in zip(keys, samples, strict=True)}
    except (pa.ArrowException, OSError, LookupError, TypeError, ValueError) as error:
        raise OfferbenchError(f"{source}: not a file of samples ({' '.join(str(error).split())}).") from None
    if len({values.shape for values in found.values()}) > 1:
        raise OfferbenchError(f"{source}: not a file of samples (not as many of each wAUC).")
    return found
