"""Canonical events in DuckDB, on this machine."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from tqdm import tqdm

from offerbench.core.columns import DAY, EVENT_TYPE, OCCURRENCES, USER
from offerbench.preparation.config import Prepare
from offerbench.preparation.encoding import event_types, whole_user_chunks
from offerbench.preparation.events import Built
from offerbench.preparation.tables import build_tables

MAX_ROWS_READ = 1_000_000
"""Rows that DuckDB hands over at a time at most."""


class DuckDBEvents:
    """The canonical table `events` of a database, as `offerbench.preparation.events.Events`."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def count(self) -> int:
        """Count the events."""
        ((events,),) = self._connection.sql("SELECT count(*) FROM events").fetchall()
        return int(events)

    def columns(self) -> dict[str, bool]:
        """Give the columns but user, day and event type: name -> whether it is text."""
        types = {row[0]: row[1] for row in self._connection.sql("DESCRIBE events").fetchall()}
        return {
            name: kind == "VARCHAR" for name, kind in types.items() if name not in (USER, DAY, EVENT_TYPE)
        }

    def number_users(self, target_event: str) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Make the table `users`."""
        self._connection.execute(
            """
            CREATE TABLE users AS
            SELECT "user", (row_number() OVER (ORDER BY "user") - 1)::INTEGER AS user_index, target_events
            FROM (SELECT "user", count(*) AS target_events FROM events WHERE event_type = ? GROUP BY 1)
            """,
            [target_event],
        )
        users = self._connection.sql('SELECT "user", target_events FROM users ORDER BY user_index')
        columns = users.fetchnumpy()
        return np.asarray(columns[USER], np.int64), np.asarray(columns["target_events"], np.int64)

    def has_event_before(self, event_type: str, day: int) -> bool:
        """Say whether there is an event of the type on an earlier day."""
        return bool(
            self._connection.sql(
                "SELECT 1 FROM events WHERE event_type = ? AND day < ? LIMIT 1", params=[event_type, day]
            ).fetchall()
        )

    def count_types(self) -> list[tuple[str, bool, int]]:
        """Give event type, whether its users have no number, and how many events; sorted."""
        return self._connection.sql(
            """
            SELECT event_type, user_index IS NULL AS is_without_target, count(*)
            FROM events LEFT JOIN users USING ("user") GROUP BY 1, 2 ORDER BY 1, 2
            """
        ).fetchall()

    def keep(self, types: Sequence[str]) -> None:
        """Make the view `kept_events`."""
        names = ", ".join(f"'{name}'" for name in types)
        self._connection.execute(
            f"""
            CREATE VIEW kept_events AS
            SELECT e.*, user_index, e.rowid AS file_order FROM events e JOIN users USING ("user")
            WHERE event_type IN ({names})
            """
        )

    def histogram(
        self, column: str, until: int | None
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
        """Count the numbers of a column over the kept events."""
        found = self._connection.sql(
            f"""
            SELECT "{column}" AS number, count(*) FILTER ({_known(until)}) AS occurrences FROM kept_events
            GROUP BY 1 ORDER BY 1
            """
        ).fetchnumpy()
        return np.asarray(found["number"], np.float64), np.asarray(found[OCCURRENCES], np.int64)

    def add_clusters(self, clusters: Mapping[str, tuple[str, pa.Table]]) -> None:
        """Make a table `clusters_<feature>` for each, and the view `kept` with them."""
        for feature, (_, table) in clusters.items():
            self._connection.register("clusters_arrow", table)
            self._connection.execute(f"CREATE TABLE clusters_{feature} AS SELECT * FROM clusters_arrow")
            self._connection.unregister("clusters_arrow")
        joins = "".join(
            f' JOIN clusters_{feature} ON clusters_{feature}.number = kept_events."{column}"'
            for feature, (column, _) in clusters.items()
        )
        clustered = "".join(f', clusters_{feature}."{feature}"' for feature in clusters)
        self._connection.execute(
            f"CREATE VIEW kept AS SELECT kept_events.* {clustered} FROM kept_events {joins}"
        )

    def count_values(self, features: Sequence[str], until: int | None) -> dict[str, pa.Table]:
        """Count the values of text columns over the kept events."""
        return {
            feature: self._connection.sql(
                f"""
                SELECT "{feature}" AS value, count(*) FILTER ({_known(until)}) AS occurrences
                FROM kept GROUP BY 1 ORDER BY 1
                """
            ).to_arrow_table()
            for feature in features
        }

    def add_labels(self, vocabularies: Mapping[str, pa.Table]) -> None:
        """Make a table `labels_<feature>` for each."""
        for feature, table in vocabularies.items():
            self._connection.register("labels_arrow", table)
            self._connection.execute(
                f"CREATE TABLE labels_{feature} AS SELECT value, label FROM labels_arrow"
            )
            self._connection.unregister("labels_arrow")

    def encoded_chunks(
        self, prepare: Prepare, events_per_chunk: int
    ) -> Iterator[dict[str, npt.NDArray[np.int32]]]:
        """Stream the kept events, sorted by (user, day, file order), in chunks of whole users.

        Parameters
        ----------
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
        reader = self._connection.sql(
            f"""
            SELECT user_index AS "user", day, list_position(?, event_type) - 1 AS event_type {labels}
            FROM kept {joins} ORDER BY user_index, day, file_order
            """,
            params=[event_types(prepare)],
        ).to_arrow_reader(min(events_per_chunk, MAX_ROWS_READ))
        return whole_user_chunks(reader, features, events_per_chunk)

    def build(self, directory: Path, prepare: Prepare, users: int, events_per_chunk: int) -> Built:
        """Write the kept events and their histories, chunk by chunk."""
        with tqdm(unit=" users", total=users, disable=None, desc="histories") as progress:

            def seen() -> Iterator[dict[str, npt.NDArray[np.int32]]]:
                for chunk in self.encoded_chunks(prepare, events_per_chunk):
                    yield chunk
                    progress.update(int(chunk[USER][-1]) + 1 - progress.n)

            return build_tables(seen(), directory, prepare)


def _known(until: int | None) -> str:
    """Give the SQL condition of an event that counts."""
    return "true" if until is None else f"day < {int(until)}"
