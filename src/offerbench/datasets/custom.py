"""A shop's own log, its columns named in params.yaml: CSV, CSV.gz or Parquet files, one row an event."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import duckdb

from offerbench.datasets.canonical import ReadCounts, literal
from offerbench.datasets.config import Attribute, Custom
from offerbench.datasets.csv_blocks import CsvLayout
from offerbench.datasets.faults import day_faults
from offerbench.datasets.reading import explained
from offerbench.datasets.repeated_events import settle_repeated_events
from offerbench.datasets.shop_log.columns import Use, Wanted, wanted_columns
from offerbench.datasets.shop_log.conditions import bound_faults, keep_faults, not_kept
from offerbench.datasets.shop_log.encodings import in_utf8
from offerbench.datasets.shop_log.files import LogFile, described, found_files, is_parquet
from offerbench.datasets.shop_log.partitions import partition_of, refuse_other_partitions
from offerbench.datasets.shop_log.rows import ReadColumn, Rows, rows_of_files
from offerbench.datasets.shop_log.tables import LOG, described_tables, joined_rows, no_record, places
from offerbench.datasets.shop_log.values import Form, check_pattern, formats_tried
from offerbench.datasets.staging import Log, finish_events, stage_events


def column_names(wanted: Iterable[Wanted]) -> dict[Wanted, str]:
    """Give each wanted column a name that is no word of SQL."""
    return {want: f"c{number}" for number, want in enumerate(wanted)}


def columns_of_log(
    wanted: Mapping[Wanted, str], found: Mapping[Wanted, int], names: Mapping[Wanted, str]
) -> list[ReadColumn]:
    """Give the wanted columns that are in the log itself, not in one of its tables."""
    return [
        ReadColumn(want.column, want.use, wanted[want], names[want])
        for want, place in found.items()
        if place == LOG
    ]


def _rows(
    connection: duckdb.DuckDBPyConnection, directory: Path, files: Sequence[LogFile], custom: Custom
) -> tuple[Rows, dict[Wanted, str]]:
    """Give the rows of the log with the columns of its tables, and the names of the wanted columns there."""
    form = Form.of(custom)
    wanted = wanted_columns(custom)
    tables = described_tables(connection, directory, custom)
    found = places(wanted, files, tables)
    names = column_names(wanted)
    of_log = columns_of_log(wanted, found, names)
    log = rows_of_files(connection, files, of_log, form, custom.delimiter, custom.columns is None)
    return joined_rows(connection, log, tables, wanted, found, names, form), names


def _feature(feature: Attribute, names: Mapping[Wanted, str]) -> str:
    text = names[Wanted(feature.column, Use.TEXT)]
    if feature.separator is not None:
        text = f"split_part(trim({text}), {literal(feature.separator)}, {feature.level})"
    return f"coalesce({text}, '')"


def _layout(custom: Custom) -> CsvLayout:
    return CsvLayout(custom.delimiter, has_header=custom.columns is None)


def log_of(rows: Rows, names: Mapping[Wanted, str], files: Sequence[Path], custom: Custom) -> Log:
    """Say how rows of these files become events."""
    user, second = names[Wanted(custom.user, Use.TEXT)], names[Wanted(custom.time, Use.TIME)]
    day = f"TRY_CAST(floor({second} / 86400) AS INTEGER)"
    features = {name: _feature(feature, names) for name, feature in custom.features.items()}
    numbers = {name: names[Wanted(number.column, Use.NUMBER)] for name, number in custom.numbers.items()}
    left_out = {f"no_record_in_{table.file}": no_record(number) for number, table in enumerate(custom.tables)}
    user_missing = {"user_missing": f"{user} IS NULL"}
    left_out |= user_missing if custom.anonymous == "leave_out" else {}
    left_out |= not_kept(custom.keep, names)
    faults = user_missing if custom.anonymous == "reject" else {}
    faults |= {**day_faults(day), **keep_faults(custom.keep, names)}
    if "product_id" in features:
        faults["product_missing"] = f"{features['product_id']} = ''"
    for name, bounds in custom.numbers.items():
        faults |= bound_faults(name, numbers[name], bounds)
    constant, column = custom.event_type.constant, custom.event_type.column
    return Log(
        files=tuple(files),
        rows=rows.sql,
        parameters=rows.parameters,
        event_type=literal(constant or "") if column is None else names[Wanted(column, Use.TEXT)],
        kept={constant: constant} if constant else custom.event_type.values,
        values={"user": user, "day": day, "second": second, **features, **numbers},
        left_out=left_out,
        faults=faults,
        shown=tuple(names.values()),
        layout=None if is_parquet(files[0]) else _layout(custom),
        user_is_text=True,
    )


def read_events(connection: duckdb.DuckDBPyConnection, raw_directory: Path, custom: Custom) -> ReadCounts:
    """Make the canonical table `events`, with the columns that `custom` names.

    Rows of an event type that is not named are left out and counted; so are those that `custom.keep` does
    not want, without a record in one of `custom.tables`, or without a user. A row that can't be parsed, or
    lacks its time, product or a number, is rejected and counted.

    Parameters
    ----------
    connection : DuckDBPyConnection
        Gets the table.
    raw_directory : Path
        Holds the files.
    custom : Custom
        Which columns mean what.

    Raises
    ------
    OfferbenchError
        If there is no file or no row, a file can't be read, lacks a column, has another type in it than the
        others, or holds the events of another.
    """
    check_times(connection, custom)
    paths, read_names = found_log(raw_directory, custom)
    with in_utf8(connection, raw_directory, read_names, custom.encoding) as directory:
        read = _read(connection, directory, read_names[: len(paths)], custom)
    samples = (
        replace(reject, file=str(raw_directory / Path(reject.file).relative_to(directory)))
        for reject in read.rejects
    )
    return with_advice(replace(read, rejects=tuple(samples)), custom)


def check_times(connection: duckdb.DuckDBPyConnection, custom: Custom) -> None:
    """Set the time zone of the log, and refuse a format of times that is none."""
    connection.execute(f"SET TimeZone = {literal(custom.time_zone)}")
    check_pattern(connection, custom.time_format)


def found_log(raw_directory: Path, custom: Custom) -> tuple[list[Path], list[str]]:
    """Give the files of the log, and their names with those of its tables.

    Raises
    ------
    OfferbenchError
        See `found_files`.
    """
    tables = [table.file for table in custom.tables]
    paths = found_files(raw_directory, custom.files, "custom.files", excluded=tables)
    names = [str(path.relative_to(raw_directory)) for path in paths]
    return paths, [*names, *(name for name in tables if (raw_directory / name).exists())]


def described_files(
    connection: duckdb.DuckDBPyConnection, directory: Path, names: Sequence[str], custom: Custom
) -> list[LogFile]:
    """Ask the files of the log for their columns; see `described`."""
    paths = [directory / name for name in names]
    partitions = [(path, partition_of(path, directory)) for path in paths]
    refuse_other_partitions(partitions)
    return [
        described(connection, path, custom.delimiter, custom.columns, partition)
        for path, partition in partitions
    ]


def explained_log(directory: Path, files: Sequence[Path], custom: Custom) -> AbstractContextManager[None]:
    """Say in one line why the log can't be read; see `explained`."""
    what = f"{directory}/{custom.files}: can't be read with the section custom of params.yaml"
    advice = "Set the keys to what the files have, or fetch the files again."
    return explained(what, advice, files, None if is_parquet(files[0]) else _layout(custom))


def _read(
    connection: duckdb.DuckDBPyConnection, raw_directory: Path, names_of_files: Sequence[str], custom: Custom
) -> ReadCounts:
    """Make the table `events` of files in UTF-8."""
    files = described_files(connection, raw_directory, names_of_files, custom)
    paths = [file.path for file in files]
    with explained_log(raw_directory, paths, custom):
        rows, names = _rows(connection, raw_directory, files, custom)
        log = log_of(rows, names, paths, custom)
        stage_events(connection, log)
        settle_repeated_events(connection, paths, [*log.values, "event_type"])
        return finish_events(connection, log, f"{raw_directory}/{custom.files}")


def with_advice(read: ReadCounts, custom: Custom) -> ReadCounts:
    """Add what the user should know of the counts of the whole log."""
    return replace(read, advice=_advice(read, custom), warnings=(*read.warnings, *_anonymous(read)))


def _anonymous(read: ReadCounts) -> list[str]:
    """Give a warning if there are events without a user."""
    rows = sum(rows for rows, _ in read.rejected_by_type.values())
    missing = read.left_out.get("user_missing", 0)
    if not missing:
        return []
    return [f"{missing:,} of {rows:,} rows have no user and are left out (custom.anonymous)"]


def _advice(read: ReadCounts, custom: Custom) -> str:
    """Say which key may be set wrong where most rejected rows are for one reason."""
    reason = max(read.rejected, key=lambda reason: read.rejected[reason], default="")
    if reason.startswith("time_"):
        return f"{formats_tried(custom.time_format)} "
    if reason == "not_utf8":
        return "Set custom.encoding, such as to latin-1, if the files are not UTF-8. "
    if reason.endswith("_not_a_number"):
        return f"Tried was custom.decimal: '{custom.decimal}'. "
    return ""
