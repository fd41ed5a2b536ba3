"""SQL that reads whole numbers and times from text as they are written, and takes nothing else for one."""

# DuckDB alone reads 1.5 as 2, 0x10 as 16 and 1_000 as 1000.
WHOLE = "'\\s*[-+]?[0-9]+\\s*'"
# A name such as BST may stand for any of several zones.
TIME = "'\\s*[0-9][-0-9/]*([ T][0-9:.]+)? ?(UTC|GMT|Z|[-+][0-9:]+)?\\s*'"


def whole_number(text: str, type_name: str = "BIGINT") -> str:
    """Give the SQL for the whole number that a text is, NULL where it is none."""
    return f"CASE WHEN regexp_full_match({text}, {WHOLE}) THEN TRY_CAST({text} AS {type_name}) END"


def not_whole(text: str) -> str:
    """Give the SQL condition that a text is there and is no whole number."""
    return f"({text} IS NOT NULL AND ({whole_number(text)}) IS NULL)"


def utc_day(text: str) -> str:
    """Give the SQL for the days since 1970, in UTC, of a time with or without an offset; NULL if it is none.

    The session's time zone has to be UTC: a time that says none is of it.
    """
    time = f"CASE WHEN regexp_full_match({text}, {TIME}) THEN TRY_CAST({text} AS TIMESTAMPTZ) END"
    return f"(timezone('UTC', {time})::DATE - DATE '1970-01-01')"
