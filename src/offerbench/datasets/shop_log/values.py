"""SQL that reads the text of a field as what params.yaml says it is."""

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from offerbench.core.errors import OfferbenchError
from offerbench.datasets.canonical import is_one_of, literal
from offerbench.datasets.config import Custom

# Around a word that stands for a missing value.
BLANKS = " \t\u00a0"
FORMATS = {
    "timestamp": "`timestamp` reads 2024-01-31 10:00:00, with or without seconds, T, fractions and a zone",
    "date": "`date` reads 2024-01-31",
    "epoch_seconds": "`epoch_seconds` reads 1706695200",
    "epoch_milliseconds": "`epoch_milliseconds` reads 1706695200000",
}
MAX_EPOCH_SECOND = 9e12
"""DuckDB's times end in the year 294247."""


@dataclass(frozen=True)
class Form:
    """How the fields of a log are written."""

    missing: tuple[str, ...]
    decimal: str
    time_format: str
    time_zone: str

    @classmethod
    def of(cls, custom: Custom) -> "Form":
        """Take it from params.yaml."""
        return cls(tuple(custom.missing), custom.decimal, custom.time_format, custom.time_zone)


def known_text(text: str, missing: Sequence[str]) -> str:
    """Give the SQL for a text, NULL where it stands for a missing value."""
    if not missing:
        return text
    is_missing = is_one_of(f"trim({text}, {literal(BLANKS)})", (word.strip(BLANKS) for word in missing))
    return f"CASE WHEN NOT {is_missing} THEN {text} END"


def written_number(text: str, decimal: str) -> str:
    """Give the SQL for the number that a text is, NULL where it is none.

    Only digits, a sign, one decimal sign and an exponent are a number: `1_000`, `0x10`, `nan` are not, nor
    is `1.000` where the decimal sign is a comma.
    """
    point = "\\." if decimal == "." else ","
    pattern = f"\\s*[-+]?([0-9]+({point}[0-9]*)?|{point}[0-9]+)([eE][-+]?[0-9]+)?\\s*"
    plain = text if decimal == "." else f"replace({text}, ',', '.')"
    return f"CASE WHEN regexp_full_match({text}, {literal(pattern)}) THEN TRY_CAST({plain} AS DOUBLE) END"


def clock_second(time: str) -> str:
    """Give the SQL for the whole seconds since 1970 of a TIMESTAMP, NULL where it is not finite."""
    return f"CASE WHEN isfinite({time}) THEN floor(epoch({time}))::BIGINT END"


def zoned_second(time: str, zone: str) -> str:
    """Give the SQL for the seconds since 1970 that the clocks of a zone show at a TIMESTAMPTZ."""
    return f"CASE WHEN isfinite({time}) THEN floor(epoch(timezone({literal(zone)}, {time})))::BIGINT END"


def epoch_second(number: str, form: Form) -> str:
    """Give the SQL for the seconds that the clocks show so many (milli)seconds, a DOUBLE, after 1970."""
    seconds = f"({number} / 1000)" if form.time_format == "epoch_milliseconds" else f"({number})"
    inside = f"abs({seconds}) < {MAX_EPOCH_SECOND:.0f}"
    if form.time_zone == "UTC":
        return f"CASE WHEN {inside} THEN floor({seconds})::BIGINT END"
    return f"CASE WHEN {inside} THEN {zoned_second(f'to_timestamp({seconds})', form.time_zone)} END"


def written_second(text: str, form: Form) -> str:
    """Give the SQL for the seconds since 1970 of a time that is written in the form's format.

    The session's time zone has to be the form's: a time that does not say its own is of it.
    """
    if form.time_format.startswith("epoch_"):
        return epoch_second(written_number(text, "."), form)
    if "%" not in form.time_format:
        return zoned_second(f"TRY_CAST({text} AS TIMESTAMPTZ)", form.time_zone)
    parsed = f"try_strptime({text}, {literal(form.time_format)})"
    if _has_zone(form.time_format):
        return zoned_second(parsed, form.time_zone)
    return clock_second(parsed)


def _has_zone(pattern: str) -> bool:
    letters = iter(pattern)
    return any(letter == "%" and next(letters, "") in ("z", "Z") for letter in letters)


def check_pattern(connection: duckdb.DuckDBPyConnection, time_format: str) -> None:
    """Refuse a pattern of times that DuckDB does not know.

    Raises
    ------
    OfferbenchError
        Names what is wrong.
    """
    if "%" in time_format:
        try:
            connection.execute("SELECT try_strptime('', $format)", {"format": time_format}).fetchall()
        except duckdb.Error as error:
            reason = str(error).splitlines()[0]
            raise OfferbenchError(
                f"custom.time_format: {reason}. Write it such as %d-%m-%Y or %m/%d/%Y %H:%M."
            ) from None


def formats_tried(time_format: str) -> str:
    """Say what a format reads, and what others there are."""
    tried = FORMATS.get(time_format, f"the pattern {time_format}")
    others = "; ".join(text for name, text in FORMATS.items() if name != time_format)
    return (
        f"Tried was custom.time_format: {tried}. There are also: {others}; and patterns such as %d-%m-%Y or "
        "%m/%d/%Y %H:%M."
    )
