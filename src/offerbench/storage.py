"""Files written whole or not at all: to a temporary name, then renamed. No pickle, in or out."""

import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from offerbench.errors import OfferbenchError


@contextlib.contextmanager
def whole_directory(target: Path) -> Iterator[Path]:
    """Give a temporary directory that takes the name `target` only if the block succeeds.

    What an earlier run that was killed left beside `target` is removed first.

    Parameters
    ----------
    target : Path
        The directory to make. One that exists is replaced.

    Yields
    ------
    Path
        An empty directory beside `target`.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    for leftover in target.parent.glob(f".{target.name}.*"):
        shutil.rmtree(leftover)
    temporary = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        yield temporary
        temporary.chmod(0o755)
        if target.exists():
            shutil.rmtree(target)
        temporary.rename(target)
    except OSError as error:
        error.filename = error.filename or str(target)  # a failed write does not know its file
        raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


@contextlib.contextmanager
def whole_file(target: Path) -> Iterator[Path]:
    """Give a temporary file name that becomes `target` only if the block succeeds.

    Parameters
    ----------
    target : Path
        The file to write. One that exists is replaced.

    Yields
    ------
    Path
        A name beside `target`, with the same suffix.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{os.getpid()}.{target.name}")
    try:
        yield temporary
        temporary.replace(target)
    except OSError as error:
        error.filename = error.filename or str(target)
        raise
    finally:
        temporary.unlink(missing_ok=True)


def write_json(target: Path, content: Mapping[str, Any]) -> None:
    """Write `content` as indented JSON; refuses NaN and infinity, which JSON does not have."""
    with whole_file(target) as temporary:
        text = json.dumps(content, indent=2, allow_nan=False, ensure_ascii=False)
        temporary.write_text(text + "\n", encoding="utf-8")


def read_json(source: Path) -> Any:
    """Read a JSON file.

    Raises
    ------
    OfferbenchError
        If the file is missing or is not JSON.
    """
    try:
        return json.loads(source.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise OfferbenchError(f"{source}: no such file. Run `dvc repro` to make it.") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise OfferbenchError(
            f"{source}: not valid JSON ({error}). Run `dvc repro` to make it anew."
        ) from None


def write_parquet(target: Path, columns: Mapping[str, Any]) -> None:
    """Write equally long columns as one Parquet file."""
    with whole_file(target) as temporary:
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

    The arrays are views on the file: a page is read when it is used.

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
