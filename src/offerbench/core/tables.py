"""Columnar files: Parquet for tables, Arrow for what is mapped into memory. No pickle, in or out."""

from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from offerbench.core.atomic import atomic_file
from offerbench.core.errors import OfferbenchError


def write_parquet(target: Path, columns: Mapping[str, Any]) -> None:
    """Write equally long columns as one Parquet file."""
    with atomic_file(target) as temporary:
        pq.write_table(pa.table(dict(columns)), temporary, compression="zstd", write_page_checksum=True)


def read_parquet(source: Path) -> dict[str, npt.NDArray[Any]]:
    """Read a Parquet file whole, as NumPy columns.

    Raises
    ------
    OfferbenchError
        If the file is missing, is not Parquet or is damaged.
    """
    try:
        table = pq.read_table(source, page_checksum_verification=True)
    except FileNotFoundError:
        raise OfferbenchError(f"{source}: no such file. Run `dvc repro` to make it.") from None
    except (pa.ArrowInvalid, OSError) as error:
        raise OfferbenchError(f"{source}: not an intact Parquet file ({error}). Run `dvc repro`.") from None
    return {name: table[name].to_numpy() for name in table.column_names}


class ArrowColumns:
    """Writes the numeric columns of one Arrow file piece by piece.

    An Arrow file of many record batches can't be mapped as one array. So the pieces of a column
    go to a plain file of its own, and `close` writes them, mapped from there, as a single batch:
    memory does not grow with the rows, neither here nor in the reader.
    """

    def __init__(self, target: Path) -> None:
        self._target = target
        self._pieces: dict[str, tuple[Path, np.dtype[Any]]] = {}
        self._files: dict[str, IO[bytes]] = {}

    def append(self, columns: Mapping[str, npt.NDArray[Any]]) -> None:
        """Add rows; every call gives the same columns, equally long within the call."""
        for name, values in columns.items():
            if name not in self._files:
                path = self._target.with_name(f".{self._target.name}.{name}")
                self._pieces[name] = (path, values.dtype)
                self._files[name] = path.open("wb")
            self._files[name].write(np.ascontiguousarray(values).data)

    def close(self) -> None:
        """Write the Arrow file from the pieces, and remove them."""
        try:
            arrays = {name: self._mapped(name) for name in self._pieces}
            batch = pa.record_batch(arrays)
            with pa.ipc.new_file(str(self._target), batch.schema) as writer:
                writer.write_batch(batch)
        finally:
            self.discard()

    def discard(self) -> None:
        """Remove the pieces."""
        for name, (path, _) in self._pieces.items():
            self._files[name].close()
            path.unlink(missing_ok=True)

    def _mapped(self, name: str) -> pa.Array:
        path, dtype = self._pieces[name]
        self._files[name].close()
        empty = path.stat().st_size == 0  # an empty file can't be mapped
        return pa.array(np.empty(0, dtype) if empty else np.memmap(path, dtype, mode="r"))


def read_arrow(source: Path) -> dict[str, npt.NDArray[Any]]:
    """Map an Arrow file of `ArrowColumns` and give its columns as NumPy arrays.

    The arrays use the file's memory: a page is read when it is needed.

    Raises
    ------
    OfferbenchError
        If the file is missing or is not an Arrow file of one batch.
    """
    try:
        batch = pa.ipc.open_file(pa.memory_map(str(source))).get_batch(0)
    except FileNotFoundError:
        raise OfferbenchError(f"{source}: no such file. Run `dvc repro` to make it.") from None
    except (pa.ArrowInvalid, IndexError) as error:
        raise OfferbenchError(f"{source}: not an Arrow file ({error}). Run `dvc repro`.") from None
    return {name: batch.column(name).to_numpy() for name in batch.schema.names}
