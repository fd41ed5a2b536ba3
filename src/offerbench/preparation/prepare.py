"""Raw files -> prepared tables: the whole of the stage `prepare`."""

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from offerbench.core.columns import FEATURE, LABEL, OCCURRENCES, SPLIT, USER, VALUE, Split, user_feature
from offerbench.core.json_files import write_json
from offerbench.core.tables import write_parquet
from offerbench.datasets.canonical import ReadCounts, event_database
from offerbench.datasets.config import Custom
from offerbench.datasets.raw_files import unchanged
from offerbench.datasets.rejects import refuse_too_many, rejected_lines, write_rejects
from offerbench.datasets.row_counts import refuse_unaccounted_rows
from offerbench.datasets.sources import reader
from offerbench.preparation.config import Prepare
from offerbench.preparation.duckdb_events import DuckDBEvents
from offerbench.preparation.encoding import Encoding, encode
from offerbench.preparation.events import Built, Events
from offerbench.preparation.resources import Resources
from offerbench.preparation.user_split import split_users
from offerbench.preparation.vocabulary import refuse_empty_vocabularies

LOG = logging.getLogger(__name__)


def prepare_dataset(
    dataset: str,
    raw_directory: Path,
    directory: Path,
    prepare: Prepare,
    resources: Resources,
    custom: Custom | None = None,
    until: int | None = None,
) -> dict[str, Any]:
    """Make the prepared tables of a data set.

    Parameters
    ----------
    dataset : str
        Name of the source.
    raw_directory : Path
        Its raw files.
    directory : Path
        An empty directory that gets the tables.
    prepare, resources : Prepare, Resources
        Parameters.
    custom : Custom, optional
        The columns of the log, for the data set `custom`.
    until : int, optional
        Clusters and vocabularies know earlier days only; see `encode`.

    Returns
    -------
    dict
        Counts of rows, events, users and vocabularies.

    Raises
    ------
    OfferbenchError
        If the raw files can't be read or change meanwhile, or too many of their rows can't be used, or they
        have too few users for the split or no value of a feature that is frequent enough.
    """
    with (
        unchanged(raw_directory),
        event_database(Path(resources.spill_directory), resources.memory_limit) as connection,
    ):
        read = reader(dataset, custom)(connection, raw_directory)
        events = DuckDBEvents(connection)
        return prepare_events(events, read, raw_directory, directory, prepare, resources, until)


def prepare_events(
    events: Events,
    read: ReadCounts,
    raw_directory: Path,
    directory: Path,
    prepare: Prepare,
    resources: Resources,
    until: int | None = None,
) -> dict[str, Any]:
    """Make the prepared tables of canonical events, on the engine that has them.

    Parameters
    ----------
    events : Events
        The events.
    read : ReadCounts
        What the reader counted.
    raw_directory : Path
        The raw files, for messages.
    directory : Path
        An empty directory that gets the tables.
    prepare, resources, until
        See `prepare_dataset`.

    Returns
    -------
    dict
        Counts of rows, events, users and vocabularies.

    Raises
    ------
    OfferbenchError
        If too many of the rows can't be used, or the parameters don't fit the events.
    """
    refuse_unaccounted_rows(read, events.count(), raw_directory)
    refuse_too_many(read, raw_directory, prepare.max_rejected_share)
    LOG.info("read %s rows of %s", f"{read.rows:,}", raw_directory.name)
    for warning in (*read.warnings, *rejected_lines(read)):
        LOG.warning("%s", warning)
    encoding = encode(events, prepare, until)
    for name in encoding.absent:
        LOG.warning("prepare.history.events: no event of type '%s' in the data", name)
    users = len(encoding.user_numbers)
    LOG.info("numbered %s users and the values of %d features", f"{users:,}", len(encoding.vocabularies))
    split = split_users(encoding.target_events, prepare.split, np.random.default_rng(prepare.split.seed))
    if until is None:  # a feature may have come into use later than that
        refuse_empty_vocabularies(encoding.vocabularies, prepare.vocabulary)
    built = events.build(directory, prepare, users, resources.events_per_chunk)
    LOG.info(
        "built %s histories of %s user-days, %s events",
        *(f"{n:,}" for n in (built.histories, built.contexts, built.kept)),
    )
    write_parquet(directory / "users.parquet", {USER: encoding.user_numbers, SPLIT: split})
    _write_vocabulary(directory, encoding, prepare)
    write_rejects(directory / "rejects.csv", read.rejects)
    return _counts(read, built, encoding, split, prepare)


def _write_vocabulary(directory: Path, encoding: Encoding, prepare: Prepare) -> None:
    """Write the vocabulary (rare values left out), and what a model needs to know of the features."""
    first = prepare.vocabulary.out_of_vocabulary_buckets
    tables = []
    sizes = {}
    for feature, table in encoding.vocabularies.items():
        known = table.filter(pc.greater_equal(table[LABEL], first)).sort_by(LABEL)
        sizes[feature] = first + len(known)
        tables.append(known.append_column(FEATURE, pa.array([feature] * len(known), pa.string())))
    merged = pa.concat_tables(tables)
    write_parquet(
        directory / "vocabulary.parquet",
        {name: merged[name] for name in (FEATURE, LABEL, VALUE, OCCURRENCES)},
    )
    write_json(
        directory / "features.json",
        {
            "target_event": prepare.target_event,
            "out_of_vocabulary_buckets": first,
            "offer_features": {name: sizes[name] for name in prepare.offer_features},
            "user_features": {
                user_feature(event_type, name): sizes[name]
                for event_type in prepare.history.events
                for name in prepare.offer_features
            },
            "history": prepare.history.model_dump(),
        },
    )


def _counts(
    read: ReadCounts, built: Built, encoding: Encoding, split: Any, prepare: Prepare
) -> dict[str, Any]:
    first = prepare.vocabulary.out_of_vocabulary_buckets
    vocabulary = {}
    for feature, table in encoding.vocabularies.items():
        is_known = table[LABEL].to_numpy() >= first
        occurrences = table[OCCURRENCES].to_numpy()
        vocabulary[feature] = {
            "values": len(table),
            "in_vocabulary": int(is_known.sum()),
            "events_out_of_vocabulary": int(occurrences[~is_known].sum()),
            "events_covered": round(float(occurrences[is_known].sum() / occurrences.sum()), 6),
        }
    return {
        "rows": read.rows,
        "event_types": read.event_types,
        "left_out": read.left_out | encoding.left_out,
        "rejected": read.rejected,
        "events_kept": built.kept,
        "first_day": str(np.datetime64(min(built.days), "D")),
        "last_day": str(np.datetime64(max(built.days), "D")),
        "days_with_events": len(built.days),
        "target_events": built.target_events,
        "target_events_of_largest_user": int(encoding.target_events.max()),
        "user_days": built.contexts,
        "histories": built.histories,
        "users": {part.part: int((split == part).sum()) for part in Split},
        "vocabulary": vocabulary,
    }
