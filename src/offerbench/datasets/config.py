"""Parameters of the data set `custom`: which columns of a shop's log mean what, and how it is written."""

import codecs
from datetime import date
from typing import Annotated, Literal, Self
from zoneinfo import available_timezones

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from offerbench.core.columns import RESERVED
from offerbench.core.section import Name, Section

# A column of the log may have any name: it is quoted wherever it goes into SQL.
Column = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f]+$")]
# A file in data/raw/custom, never outside.
FilePattern = Annotated[str, Field(max_length=255, pattern=r"^[^/\\\x00-\x1f]+$")]
# At most what DuckDB takes; a quote or a line's end would end more than a field.
Delimiter = Annotated[str, Field(pattern=r'^[^"\r\n\x00A-Za-z0-9]{1,4}$')]
MISSING = ["", "NA", "N/A", "NULL", "null", "\\N", "nan", "None"]


def _known_encoding(name: str) -> str:
    try:
        if codecs.lookup(name)._is_text_encoding:
            return name
    except LookupError:
        pass
    raise ValueError("is no encoding of text. Set one such as utf-8, latin-1, windows-1252, utf-16")


def _known_zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError("is no time zone. Set one such as UTC, Europe/Berlin, America/New_York")
    return name


def _real_day(text: str) -> str:
    try:
        date.fromisoformat(text)
    except ValueError:
        raise ValueError("is no day. Write it as '2024-01-31', in quotes") from None
    return text


Encoding = Annotated[str, Field(max_length=40), AfterValidator(_known_encoding)]
Day = Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$"), AfterValidator(_real_day)]


def _as_text(values: object) -> object:
    """Take whole numbers for the text that stands in the log: YAML reads `1: purchase` as a number."""

    def text(value: object) -> object:
        return str(value) if isinstance(value, int) and not isinstance(value, bool) else value

    if isinstance(values, dict):
        return {text(key): value for key, value in values.items()}
    return [text(value) for value in values] if isinstance(values, list) else values


Words = Annotated[list[str], BeforeValidator(_as_text)]


class EventTypes(Section):
    """Where an event's type is: in a column, or the same for all rows."""

    column: Column | None
    """Column of the log's event types; null: every row is of the type `constant`."""
    values: Annotated[dict[str, Name], BeforeValidator(_as_text)]
    """Event type for each of the log's own that is kept; rows of others are left out and counted."""
    constant: Name | None
    """Type of all rows of a log without such a column; null if there is one."""


def _as_section(value: object) -> object:
    """Take the name of a column for the section that names only it."""
    return {"column": value} if isinstance(value, str) else value


class Attribute(Section):
    """A column, or one part of it where it is cut at a separator: level 2 of `a.b.c` is `b`, level -1 `c`."""

    column: Column
    """Column of the log, or of a table."""
    separator: str | None = Field(default=None, min_length=1, max_length=10)
    """What stands between the parts; null: the column as it is."""
    level: int | None = Field(default=None, ge=-100, le=100)
    """Which part, from 1, or of negative ones from the end; a value that has fewer is missing."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.separator is None) != (self.level is None):
            raise ValueError("set both of separator and level, or neither")
        if self.level == 0:
            raise ValueError("level: the first part is 1, the last is -1")
        return self


# More than any price or quantity, in any currency.
Limit = Annotated[float, Field(ge=-1e18, le=1e18)]


class Number(Section):
    """A number and its bounds; a row whose number is outside is rejected."""

    column: Column
    """Column of the log, or of a table."""
    min: Limit | None = 0.0
    """Smallest number that can be; null: any, such as for margins."""
    max: Limit | None = 1e9
    """Largest number that can be; null: any, such as for prices in rials."""


class Keep(Section):
    """A condition on a column; rows that don't meet it are left out and counted."""

    column: Column
    """Column of the log, or of a table."""
    values: Words | None = None
    """The text is one of these."""
    other_than: Words | None = None
    """The text is none of these."""
    above: Limit | None = None
    """The number is above this."""
    at_least: Limit | None = None
    """The number is this or above."""
    below: Limit | None = None
    """The number is below this."""
    at_most: Limit | None = None
    """The number is this or below."""
    first_day: Day | None = None
    """The time, written as `custom.time_format` says, is of this day or later."""
    last_day: Day | None = None
    """The time is of this day or earlier."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if all(value is None for key, value in self if key != "column"):
            raise ValueError(f"keep: the column '{self.column}' has no condition, such as above: 0")
        return self


class Table(Section):
    """A table whose columns are added to the log's rows by a key, such as products or orders."""

    file: FilePattern
    """Name of its file in data/raw/custom, CSV or Parquet; it is no part of the log, even if `files` names
    it."""
    key: Column
    """Column of the table that names a record; no record may be there twice."""
    log_key: Column | None = None
    """Column of the log, or of a table above this one, that holds the key; null: it is called the same."""
    columns: dict[Column, Column] | None = None
    """The columns that are used: name that other keys of `custom` use -> column of the table; null: all, by
    their own names."""
    delimiter: Delimiter | None = None
    """As `custom.delimiter`, null: the same as the log's."""


class Custom(Section):
    """A log of one row an event, as CSV, CSV.gz or Parquet files in data/raw/custom."""

    files: FilePattern
    """Name of the files, with `*` and `?` as in a shell; read in the order of their names. One that ends in
    `.parquet` is Parquet, in `.gz` packed CSV, in anything else CSV. A directory of such a name stands for
    the Parquet files in it; names such as `month=01` of directories are columns too."""
    delimiter: Delimiter
    """Between the fields of a CSV file, one to four characters."""
    encoding: Encoding = "utf-8"
    """Of CSV files, such as `latin-1`, `windows-1252`, `utf-16`."""
    columns: list[Column] | None = Field(default=None, min_length=1)
    """Names of the columns of CSV files without a header, in their order; null: the first line has them."""
    decimal: Literal[".", ","] = "."
    """Before the decimals of a number in CSV."""
    missing: Words = Field(default=MISSING)
    """Words that stand for a missing value, whatever blanks are around them. A missing attribute is a value
    like any other, the empty text."""
    anonymous: Literal["leave_out", "reject"] = "leave_out"
    """Events without a user: `leave_out`, they are normal and no part of `prepare.max_rejected_share`; or
    `reject`."""
    user: Column
    """Column of the user: any text, numbered in the order of the text."""
    time: Column
    """Column of the time. Events of a day are in the order of their times, then of their rows."""
    time_format: str = Field(
        max_length=100, pattern="^(timestamp|date|epoch_seconds|epoch_milliseconds|[^\\x00]*%[^\\x00]*)$"
    )
    """`2024-01-31 10:00:00`, `2024-01-31`, seconds or milliseconds since 1970, or a pattern such as
    `%d-%m-%Y` or `%m/%d/%Y %H:%M`. Times of Parquet files that are stored as such need no format."""
    time_zone: Annotated[str, AfterValidator(_known_zone)] = "UTC"
    """Days are of this time zone. Times that say their own, and seconds since 1970, are converted to it;
    others are in it."""
    event_type: EventTypes
    """The event types."""
    features: dict[
        Name, Annotated[Attribute, BeforeValidator(_as_section, json_schema_input_type=Column | Attribute)]
    ] = Field(min_length=1)
    """Attributes of the product, for prepare.offer_features: name -> column of the log, or a level of one."""
    numbers: dict[
        Name, Annotated[Number, BeforeValidator(_as_section, json_schema_input_type=Column | Number)]
    ]
    """Numeric columns, for prepare.clusters: name -> column of the log, with its bounds if they are others
    than 0 to a billion; may be empty."""
    keep: list[Keep] = Field(default=[])
    """Conditions that a row has to meet, all of them; may be empty."""
    tables: list[Table] = Field(default=[])
    """Tables that are joined to the log; their columns are named like its own. A row without a record in one
    is left out and counted."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        types = self.event_type
        if (types.column is None) == (types.constant is None):
            raise ValueError("event_type: set one of column and constant, and the other to null")
        if types.column is not None and not types.values:
            raise ValueError("event_type.values: must name the types to keep, such as {buy: purchase}")
        if types.column is None and types.values:
            raise ValueError("event_type.values: must be empty where there is no column")
        if taken := sorted(RESERVED & {*self.features, *self.numbers}):
            raise ValueError(f"features, numbers: the names {taken} are taken, choose others")
        if twice := sorted(set(self.features) & set(self.numbers)):
            raise ValueError(f"features, numbers: {twice} may be in one of the two only")
        if self.columns is not None and len(set(self.columns)) != len(self.columns):
            raise ValueError(f"columns: every column needs a name of its own, got {self.columns}")
        return self
