"""What can be wrong with a value, as conditions in SQL: a row with a fault is rejected for that reason."""

from collections.abc import Mapping

from offerbench.datasets.canonical import literal

MAX_NUMBER = 1e9
"""A price above this is a mistake in every currency."""
LAST_DAY = 47481  # 2099-12-31, days since 1970-01-01


def first_fault(faults: Mapping[str, str]) -> str:
    """Give the SQL for the first reason of `faults` (reason -> condition) that holds, or NULL."""
    return (
        f"CASE {' '.join(f'WHEN {condition} THEN {literal(why)}' for why, condition in faults.items())} END"
    )


def day_faults(day: str) -> dict[str, str]:
    """Give what can be wrong with a day, an SQL expression: reason -> condition."""
    return {
        "time_missing_or_unreadable": f"{day} IS NULL",
        "time_before_1970_or_after_2099": f"{day} NOT BETWEEN 0 AND {LAST_DAY}",
    }


def number_faults(name: str, number: str) -> dict[str, str]:
    """Give what can be wrong with the number `name`, an SQL expression: reason -> condition."""
    # NaN is asked for by itself: DuckDB compares by a Parquet file's statistics, which leave it out.
    return {
        f"{name}_missing_or_not_a_number": f"{number} IS NULL",
        f"{name}_negative_or_absurd": (
            f"NOT isfinite({number}) OR {number} < 0 OR {number} > {MAX_NUMBER:.0f}"
        ),
    }
