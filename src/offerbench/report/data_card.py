"""The data set card and the parameters, as tables."""

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

import pandas as pd
from markupsafe import Markup

from offerbench.core.section import leaves
from offerbench.evaluation.pairs import Measure
from offerbench.parameters import OTHER_TRAININGS, TRAININGS, Parameters
from offerbench.report.html_tables import counts_html, html_table, words

NOT_SHOWN = {"resources", "gate"}  # they change no number


def card_tables(
    dataset: str,
    data_version: str | None,
    prepared: Mapping[str, Any],
    batches: Mapping[str, Any],
    evaluated: Mapping[Measure, Mapping[str, Mapping[str, Any]]],
) -> list[Markup]:
    """Tables of what was read, kept, split, batched and evaluated.

    Parameters
    ----------
    dataset : str
        Name of the data set.
    data_version : str or None
        Hash of its raw directory, if it is known.
    prepared, batches : mapping
        Contents of prepare.json and rebatch.json.
    evaluated : mapping
        Content of evaluate.json by each measure.
    """
    facts = {
        "data set": dataset,
        "data version (MD5 of the raw directory)": data_version or "not known to DVC",
        **dict(_facts(prepared)),
    }
    values = {name: {"value": value} for name, value in facts.items()}
    tables = [counts_html("facts", "The data set in numbers", "what", values, sortable=False)]
    for key, value in prepared.items():
        if _is_nested(value):
            tables.append(counts_html(f"card-{key}", words(key).capitalize(), "feature", value))
    tables.append(counts_html("card-batches", "Events and batches by split", "split", batches))
    tables.append(counts_html("card-evaluated", "Offers and pairs by task", "task", _by_measure(evaluated)))
    return tables


def parameter_tables(parameters: Parameters) -> list[Markup]:
    """Tabulate what was trained with what, a column for each section, and the other parameters."""
    content = parameters.model_dump(exclude=NOT_SHOWN)
    rankers, others = (
        pd.DataFrame({section: _written(content.pop(section)) for section in sections}).sort_index()
        for sections in (TRAININGS, OTHER_TRAININGS)
    )
    return [
        _text_table("trainings", "What the models were trained with", rankers),
        _text_table(
            "other-trainings",
            "What trees, peers and the campaign score were fitted with",
            others,
        ),
        _text_table("params", "Everything else in params.yaml", pd.DataFrame({"value": _written(content)})),
    ]


def _by_measure(evaluated: Mapping[Measure, Mapping[str, Mapping[str, Any]]]) -> dict[str, dict[str, Any]]:
    """Take the counts of the first measure, and those of the others that differ from them in some task."""
    (_, first), *others = evaluated.items()
    merged = {task: dict(counts) for task, counts in first.items()}
    for measure, by_task in others:
        differ = {key for task in first for key in first[task] if by_task[task].get(key) != first[task][key]}
        for task, counts in by_task.items():
            merged[task] |= {f"{key} ({measure})": counts[key] for key in counts if key in differ}
    return merged


def _text_table(name: str, caption: str, texts: pd.DataFrame) -> Markup:
    return html_table(name, caption, "key", texts.fillna("-").map(escape))


def _written(section: Mapping[str, Any]) -> dict[str, str]:
    return {key: _value(value) for key, value in leaves(section)}


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


def _value(value: object) -> str:
    """Write a value in the way of YAML."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return ", ".join(map(_value, value))
    return str(value)
