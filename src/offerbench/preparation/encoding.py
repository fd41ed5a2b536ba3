"""Canonical events in DuckDB -> labels of users and values, sorted by user and time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from offerbench.core.columns import DAY, EVENT_TYPE, LABEL, OCCURRENCES, USER, VALUE
from offerbench.core.errors import OfferbenchError
from offerbench.preparation import number_clusters
from offerbench.preparation.config import Clusters, Prepare, Vocabulary
from offerbench.preparation.vocabulary import assign_labels

MAX_ROWS_READ = 1_000_000
"""Rows that DuckDB hands over at a time at most."""


@dataclass(frozen=True)
class Encoding:
    """What the kept events contain."""

    user_numbers: npt.NDArray[np.int64]
    """The source's number of each user, ascending; a user is the index here. Shape (users,)."""
    target_events: npt.NDArray[np.int64]
    """Number of target events of each user, at least 1. Shape (users,)."""
    vocabularies: dict[str, pa.Table]
    """For each feature the columns value, label, occurrences: all values, rare ones too."""
    left_out: dict[str, int]
    """Events that are not kept, by reason."""
    absent: list[str]
    """Event types of `prepare.history.events` that never occur."""


def encode(connection: duckdb.DuckDBPyConnection, prepare: Prepare, until: int | None = None) -> Encoding:
    """Give users and values their numbers; leaves the view `kept` and its tables in the database.

    Kept are the events of the types in use, of users with at least one target event.

    Parameters
    ----------
    connection : DuckDBPyConnection
        Holds the canonical table `events`.
    prepare : Prepare
        Parameters.
    until : int, optional
        Clusters and vocabularies are made of what happened on earlier days (since 1970-01-01), as somebody
        would who doesn't know more yet. All events are kept and get labels of that vocabulary: a value that
        is only seen later is a rare one.

    Raises
    ------
    OfferbenchError
        If there is no target event, or none before `until`.
    """
    connection.execute(
        """
        CREATE TABLE users AS
        SELECT "user", (row_number() OVER (ORDER BY "user") - 1)::INTEGER AS user_index, target_events
        FROM (SELECT "user", count(*) AS target_events FROM events WHERE event_type = ? GROUP BY 1)
        """,
        [prepare.target_event],
    )
    users = connection.sql('SELECT "user", target_events FROM users ORDER BY user_index').fetchnumpy()
    if not len(users[USER]):
        raise OfferbenchError(
            f"prepare.target_event: no event of type '{prepare.target_event}' in the data. "
            "Set it to a type that the data has."
        )
    known = "true" if until is None else f"day < {int(until)}"
    early = connection.sql(
        f"SELECT count(*) FROM events WHERE event_type = ? AND {known}", params=[prepare.target_event]
    ).fetchall()
    if not early[0][0]:
        raise OfferbenchError(
            f"no event of type '{prepare.target_event}' before {np.datetime64(until, 'D')}. "
            "Choose a later day for the cut."
        )
    _check_columns(connection, prepare)
    types = ", ".join(f"'{name}'" for name in event_types(prepare))
    connection.execute(
        f"""
        CREATE VIEW kept_events AS
        SELECT e.*, user_index, e.rowid AS file_order FROM events e JOIN users USING ("user")
        WHERE event_type IN ({types})
        """
    )
    there, left_out = _count_left_out(connection, prepare)
    for feature, parameters in prepare.clusters.items():
        _cluster_numbers(connection, feature, parameters, known)
    joins = "".join(
        f' JOIN clusters_{feature} ON clusters_{feature}.number = kept_events."{parameters.column}"'
        for feature, parameters in prepare.clusters.items()
    )
    clustered = "".join(f', clusters_{feature}."{feature}"' for feature in prepare.clusters)
    connection.execute(f"CREATE VIEW kept AS SELECT kept_events.* {clustered} FROM kept_events {joins}")
    return Encoding(
        user_numbers=np.asarray(users[USER], np.int64),
        target_events=np.asarray(users["target_events"], np.int64),
        vocabularies={
            feature: _label_values(connection, feature, prepare.vocabulary, known)
            for feature in prepare.offer_features
        },
        left_out=left_out,
        absent=[name for name in prepare.history.events if name not in there],
    )


def _count_left_out(
    connection: duckdb.DuckDBPyConnection, prepare: Prepare
) -> tuple[set[str], dict[str, int]]:
    """Give the event types that there are, and count the events that are not kept, by reason."""
    rows = connection.sql(
        """
        SELECT event_type, user_index IS NULL AS is_without_target, count(*)
        FROM events LEFT JOIN users USING ("user") GROUP BY 1, 2 ORDER BY 1, 2
        """
    ).fetchall()
    left_out: dict[str, int] = {}
    used = event_types(prepare)
    for name, is_without_target, count in rows:
        reason = f"event_type_{name}_neither_target_nor_history"
        if name in used:
            reason = f"user_without_{prepare.target_event}"
        if name not in used or is_without_target:
            left_out[reason] = left_out.get(reason, 0) + count
    return {name for name, _, _ in rows}, left_out


def _check_columns(connection: duckdb.DuckDBPyConnection, prepare: Prepare) -> None:
    """Refuse a feature that the data set does not have."""
    types = {row[0]: row[1] for row in connection.sql("DESCRIBE events").fetchall()}
    there = set(types) - {USER, DAY, EVENT_TYPE}
    text = {name for name in prepare.offer_features if name not in prepare.clusters}
    numbers = {parameters.column for parameters in prepare.clusters.values()}
    if missing := sorted((text | numbers) - there):
        raise OfferbenchError(
            f"prepare.offer_features: the data set has no column {missing}. It has {sorted(there)}."
        )
    if taken := sorted(there & set(prepare.clusters)):
        raise OfferbenchError(
            f"prepare.clusters: {taken} are columns of the data set. Give the clusters another name, such as "
            f"{taken[0]}_cluster."
        )
    numeric = {name for name in there if types[name] != "VARCHAR"}
    if wrong := sorted((text & numeric) | (numbers - numeric)):
        raise OfferbenchError(
            f"prepare.offer_features: {wrong} must be text to be a feature as it is, a number to be "
            f"clustered. The numbers of the data set are {sorted(numeric)}."
        )


def event_types(prepare: Prepare) -> list[str]:
    """Give the event types in use: those of the histories, and the target."""
    return sorted({*prepare.history.events, prepare.target_event})


def _cluster_numbers(
    connection: duckdb.DuckDBPyConnection, feature: str, parameters: Clusters, known: str
) -> None:
    """Make the table `clusters_<feature>`: number -> label of its cluster.

    Centres are fitted to the numbers of events for which the SQL condition `known` holds.
    """
    histogram = connection.sql(
        f"""
        SELECT "{parameters.column}" AS number, count(*) FILTER ({known}) AS occurrences FROM kept_events
        GROUP BY 1 ORDER BY 1
        """
    ).fetchnumpy()
    numbers = np.asarray(histogram["number"], np.float64)
    counts = np.asarray(histogram[OCCURRENCES], np.int64)
    generator = np.random.default_rng(parameters.seed)
    sample = number_clusters.draw_sample(counts, parameters.sample, generator)
    centres = number_clusters.fit_centres(numbers, sample, parameters.clusters, parameters.seed)
    labels = np.asarray(number_clusters.centre_labels(centres, parameters.decimals))
    table = pa.table(
        {"number": histogram["number"], feature: labels[number_clusters.nearest_centre(numbers, centres)]}
    )
    connection.register("clusters_arrow", table)
    connection.execute(f"CREATE TABLE clusters_{feature} AS SELECT * FROM clusters_arrow")
    connection.unregister("clusters_arrow")


def _label_values(
    connection: duckdb.DuckDBPyConnection, feature: str, parameters: Vocabulary, known: str
) -> pa.Table:
    """Make the table `labels_<feature>`: value, label, occurrences where the SQL condition `known` holds."""
    counted = connection.sql(
        f"""
        SELECT "{feature}" AS value, count(*) FILTER ({known}) AS occurrences FROM kept GROUP BY 1 ORDER BY 1
        """
    ).to_arrow_table()
    occurrences = counted[OCCURRENCES].to_numpy()
    min_occurrences = parameters.min_occurrences_of(int(occurrences.sum()))
    labels = assign_labels(
        counted[VALUE].to_pylist(),
        occurrences,
        min_occurrences=min_occurrences,
        buckets=parameters.out_of_vocabulary_buckets,
    )
    table = pa.table({VALUE: counted[VALUE], LABEL: labels, OCCURRENCES: counted[OCCURRENCES]})
    connection.register("labels_arrow", table)
    connection.execute(f"CREATE TABLE labels_{feature} AS SELECT value, label FROM labels_arrow")
    connection.unregister("labels_arrow")
    return table


def encoded_chunks(
    connection: duckdb.DuckDBPyConnection, prepare: Prepare, events_per_chunk: int
) -> Iterator[dict[str, npt.NDArray[np.int32]]]:
    """Stream the kept events, sorted by (user, day, file order), in chunks of whole users.

    Parameters
    ----------
    connection : DuckDBPyConnection
        As `encode` left it.
    prepare : Prepare
        Parameters.
    events_per_chunk : int
        A chunk ends with the first user that reaches it.

    Yields
    ------
    dict of int32, shape (events,)
        Columns user, day, event_type (index into `event_types`) and a label for each feature.
    """
    features = prepare.offer_features
    joins = "".join(f' JOIN labels_{name} ON labels_{name}.value = kept."{name}"' for name in features)
    labels = "".join(f', labels_{name}.label AS "{name}"' for name in features)
    types = event_types(prepare)
    reader = connection.sql(
        f"""
        SELECT user_index AS "user", day, list_position(?, event_type) - 1 AS event_type {labels}
        FROM kept {joins} ORDER BY user_index, day, file_order
        """,
        params=[types],
    ).to_arrow_reader(min(events_per_chunk, MAX_ROWS_READ))
    columns = (USER, DAY, EVENT_TYPE, *features)
    waiting: list[pa.RecordBatch] = []
    for batch in reader:
        waiting.append(batch)
        if sum(len(part) for part in waiting) >= events_per_chunk:
            table = pa.Table.from_batches(waiting)
            users = table[USER].to_numpy()
            cut = int(np.searchsorted(users, users[-1]))  # the last user may go on
            if cut:
                yield _as_numpy(table.slice(0, cut), columns)
                waiting = table.slice(cut).to_batches()
    if waiting:
        yield _as_numpy(pa.Table.from_batches(waiting), columns)


def _as_numpy(table: pa.Table, columns: Sequence[str]) -> dict[str, npt.NDArray[np.int32]]:
    return {name: table[name].to_numpy().astype(np.int32) for name in columns}
