"""Directories of Parquet files, partitioned as Hive does it: `orders/month=01/part-0.parquet`.

A directory's name is a column of the files in it: always text, as it is written, so that `month=01` is not 1.
"""

from pathlib import Path
from urllib.parse import unquote

from offerbench.core.errors import OfferbenchError

NO_VALUE = "__HIVE_DEFAULT_PARTITION__"
"""What a missing value is called in the name of a directory."""

Partition = tuple[tuple[str, str | None], ...]
"""Column and value of each directory on the way to a file."""


def parts_of(directory: Path) -> list[Path]:
    """List the Parquet files in a directory and below, in the order of their paths; none if it has none.

    What begins with `_` or `.` is passed over: so programs name what belongs to no data.

    Raises
    ------
    OfferbenchError
        If there is another kind of file among them.
    """
    files = [
        path
        for path in sorted(directory.rglob("*"))
        if not path.is_dir() and not any(name[0] in "_." for name in path.relative_to(directory).parts)
    ]
    parts = [file for file in files if file.suffix.lower() == ".parquet"]
    if parts and (others := [file for file in files if file not in set(parts)]):
        raise OfferbenchError(f"{others[0]}: is no Parquet file, as others in {directory} are. Move it away.")
    return parts


def partition_of(file: Path, directory: Path) -> Partition:
    """Give the columns that the names of the directories between `directory` and a file stand for."""
    pairs = [
        name.split("=", 1) for name in file.parent.relative_to(directory).parts if "=" in name.strip("=")
    ]
    values = {unquote(column): unquote(value) for column, value in pairs}
    return tuple((column, None if value == NO_VALUE else value) for column, value in values.items())


def refuse_other_partitions(files: list[tuple[Path, Partition]]) -> None:
    """Refuse files that are not partitioned by the same columns.

    Raises
    ------
    OfferbenchError
        Names the first file that differs, and both lists of columns.
    """
    first, columns = files[0][0], [column for column, _ in files[0][1]]
    for file, partition in files:
        if sorted(own := [column for column, _ in partition]) != sorted(columns):
            raise OfferbenchError(
                f"{file}: is partitioned by {own}, but {first} by {columns}. Set custom.files to the name of "
                "one of the two."
            )
