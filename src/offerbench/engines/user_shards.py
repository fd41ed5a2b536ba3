"""Shards of users: how many there are, what is of each, and the files that their tasks leave."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import TypeAdapter

from offerbench.engines.exchange import attempt_name
from offerbench.engines.tasks import written

SIZES = TypeAdapter(dict[str, int])
"""What a task answers: the files that it has written, in their order, and their bytes."""


def number_of_shards(users: int, users_per_shard: int, cores: int, parts: int) -> int:
    """Give the number of shards: so many users each, and one for each core, but no less than a part each."""
    return min(max(-(-users // users_per_shard), cores), parts)


def parts_of_shard(parts: int, number: int, shards: int) -> tuple[int, int]:
    """Give the first part of a shard, and the one after its last."""
    return parts * number // shards, parts * (number + 1) // shards


def save_columns(directory: Path, name: str, columns: Mapping[str, npt.NDArray[Any]]) -> dict[str, int]:
    """Write arrays into a file of this attempt alone; give its path and bytes, for `SIZES`."""
    file = directory / f"{attempt_name(name)}.npz"
    np.savez(file, **columns)
    return size_of(file)


def size_of(file: Path) -> dict[str, int]:
    """Give a file's path and bytes, for `SIZES`."""
    return {str(file): file.stat().st_size}


def files_of(answer: str) -> list[str]:
    """Give the files that a task has answered with, after a look at whether they are whole; see `written`."""
    return written(SIZES.validate_json(answer))
