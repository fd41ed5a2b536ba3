"""Parameters of the data set `custom`: which columns of a shop's log mean what."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from offerbench.core.section import Name, Section

# A column of the log may have any name: it is quoted wherever it goes into SQL.
Column = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f]+$")]
# Names that the canonical and the prepared tables have for themselves.
RESERVED = {
    *("user", "day", "event_type", "history", "event", "batch", "offer"),
    *("user_index", "file_order", "log_type", "fault", "file", "fault_file", "fault_text"),
}


class EventTypes(Section):
    """Where an event's type is: in a column, or the same for all rows."""

    column: Column | None
    """Column of the log's event types; null: every row is of the type `constant`."""
    values: dict[str, Name]
    """Event type for each of the log's own that is kept; rows of others are left out and counted."""
    constant: Name | None
    """Type of all rows of a log without such a column; null if there is one."""


class Custom(Section):
    """A log of one row an event, as CSV, CSV.gz or Parquet files in data/raw/custom."""

    files: str = Field(pattern=r"^[^/\x00]+\.(csv|csv\.gz|parquet)$")
    """Name of the files, with `*` and `?` as in a shell; read in the order of their names."""
    delimiter: str = Field(pattern=r"^[,;|\t]$")
    """Between the fields of a CSV file."""
    user: Column
    """Column of the user: any text, numbered in the order of the text."""
    time: Column
    """Column of the time."""
    time_format: Literal["timestamp", "date", "epoch_seconds"]
    """`2024-01-31 10:00:00`, `2024-01-31`, or seconds since 1970."""
    event_type: EventTypes
    """The event types."""
    features: dict[Name, Column] = Field(min_length=1)
    """Attributes of the product, for prepare.offer_features: name -> column of the log."""
    numbers: dict[Name, Column]
    """Numeric columns, for prepare.clusters: name -> column of the log; may be empty."""

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
        return self
