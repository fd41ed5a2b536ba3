"""The data set card and the parameters, as tables."""

from collections.abc import Iterator, Mapping
from typing import Any

from offerbench.report.html_tables import Cell, HtmlTable, count_cell, nested_counts_html, words


def card_tables(
    dataset: str,
    data_version: str | None,
    prepared: Mapping[str, Any],
    batches: Mapping[str, Any],
    evaluated: Mapping[str, Any],
) -> list[HtmlTable]:
    """Tables of what was read, kept, split, batched and evaluated.

    Parameters
    ----------
    dataset : str
        Name of the data set.
    data_version : str or None
        Hash of its raw directory, if it is known.
    prepared, batches, evaluated : mapping
        Contents of prepare.json, rebatch.json and evaluate.json.
    """
    facts = [
        [Cell("data set"), Cell(dataset)],
        [Cell("data version (MD5 of the raw directory)"), Cell(data_version or "not known to DVC")],
        *([Cell(name), count_cell(value)] for name, value in _facts(prepared)),
    ]
    tables = [HtmlTable("facts", "The data set in numbers", ["what", "value"], facts, sortable=False)]
    for key, value in prepared.items():
        if _is_nested(value):
            tables.append(nested_counts_html(f"card-{key}", words(key).capitalize(), "feature", value))
    tables.append(nested_counts_html("card-batches", "Events and batches by split", "split", batches))
    tables.append(nested_counts_html("card-evaluated", "Offers and pairs by task", "task", evaluated))
    return tables


def parameter_table(parameters: Mapping[str, Any]) -> HtmlTable:
    """All parameters, one key a row."""
    rows = [[Cell(key), Cell(_value(value))] for key, value in _leaves(parameters)]
    return HtmlTable("params", "Everything that params.yaml says", ["key", "value"], rows)


def _is_nested(value: object) -> bool:
    return isinstance(value, Mapping) and any(isinstance(inner, Mapping) for inner in value.values())


def _facts(prepared: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Single counts, and counts by reason or split with what they count before them."""
    for key, value in prepared.items():
        if not isinstance(value, Mapping):
            yield words(key), value
        elif not _is_nested(value):
            for inner, number in value.items():
                yield f"{words(key)}: {words(inner)}", number


def _leaves(section: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in section.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _value(value: object) -> str:
    """Write a value in the way of YAML."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return ", ".join(map(_value, value))
    return str(value)
