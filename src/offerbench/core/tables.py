"""Columnar files: Parquet for tables, Arrow for what is mapped into memory. No pickle, in or out."""

import json
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from offerbench.core.atomic import atomic_file
from offerbench.core.errors import OfferbenchError

CHECKSUMS = b"crc32"  # key of an Arrow file's metadata: checksum of each column's bytes, as JSON


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
    memory does not grow with the rows, neither here nor in the reader. Arrow has no checksums of its own;
    the file's metadata get one for each column.
    """

    def __init__(self, target: Path) -> None:
        self._target = target
        self._pieces: dict[str, tuple[Path, np.dtype[Any]]] = {}
        self._files: dict[str, IO[bytes]] = {}
        self._checksums: dict[str, int] = {}

    def append(self, columns: Mapping[str, npt.NDArray[Any]]) -> None:
        """Add rows; every call gives the same columns, equally long within the call."""
        for name, values in columns.items():
            if name not in self._files:
                path = self._target.with_name(f".{self._target.name}.{name}")
                self._pieces[name] = (path, values.dtype)
                self._files[name] = path.open("wb")
            piece = np.ascontiguousarray(values)
            self._files[name].write(piece.data)
            self._checksums[name] = _checksum(piece, self._checksums.get(name))

    def close(self) -> None:
        """Write the Arrow file from the pieces, and remove them."""
        try:
            arrays = {name: self._mapped(name) for name in self._pieces}
            batch = pa.record_batch(arrays, metadata={CHECKSUMS: json.dumps(self._checksums).encode()})
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


def _checksum(values: npt.NDArray[Any], before: int | None = None) -> int:
    """Checksum of a column's type and bytes; `before` is that of the rows before these."""
    return zlib.crc32(values.data, zlib.crc32(values.dtype.str.encode()) if before is None else before)


def read_arrow(source: Path) -> dict[str, npt.NDArray[Any]]:
    """Map an Arrow file of `ArrowColumns` and give its columns as NumPy arrays.

    The arrays use the file's memory, which the system may drop and read again. Each is read through once
    here, to compare its checksum: a bit that has flipped on the disk would else be another label.

    Raises
    ------
    OfferbenchError
        If the file is missing, is not an Arrow file of `ArrowColumns` or is damaged.
    """
    try:
        batch = pa.ipc.open_file(pa.memory_map(str(source))).get_batch(0)
        batch.validate()
        columns = {name: batch.column(name).to_numpy() for name in batch.schema.names}
        checksums = json.loads((batch.schema.metadata or {}).get(CHECKSUMS, b"null"))
    except FileNotFoundError:
        raise OfferbenchError(f"{source}: no such file. Run `dvc repro` to make it.") from None
    except (pa.ArrowException, OSError, LookupError, ValueError) as error:
        raise OfferbenchError(f"{source}: not an intact Arrow file ({error}). Run `dvc repro`.") from None
    if {name: _checksum(values) for name, values in columns.items()} != checksums:
        why = "it has no checksums" if checksums is None else "it is not what its checksums say"
        raise OfferbenchError(f"{source}: not an intact Arrow file ({why}). Run `dvc repro`.")
    return columns
