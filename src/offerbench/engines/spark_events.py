"""Canonical events on a Spark cluster: it counts, joins and sorts rows, and makes no number of its own."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from offerbench.core.columns import DAY, EVENT_TYPE, OCCURRENCES, USER, VALUE
from offerbench.datasets.canonical import ORDER, PLACE
from offerbench.engines.exchange import Exchange, Written
from offerbench.engines.raw_sources import PART
from offerbench.engines.shards import SHARD, SHARD_NUMBER, SHARDS, assemble, build_shards
from offerbench.engines.spark_files import quoted, read_files, stored, write_table
from offerbench.preparation.config import Prepare
from offerbench.preparation.encoding import event_types
from offerbench.preparation.events import Built

# Columns beside those of the data set, whose names begin with a letter.
USER_NUMBER, FEATURE, NUMBER, LABEL = "_user_number", "_feature", "_number", "_label"


class SparkEvents:
    """Canonical events in Parquet files, as `offerbench.preparation.events.Events`."""

    def __init__(self, session: Any, files: Sequence[Written], work: Exchange, users_per_shard: int) -> None:
        self._session = session
        self._work = work
        self._users_per_shard = users_per_shard
        self._events = read_files(session, work, files)
        if work.is_remote:
            self._events = stored(session, work, "events", self._events)
        if dict(self._events.dtypes)[USER] == "string":
            self._number_texts()
        self._numbered: Any = None  # users and their numbers
        self._kept: Any = None  # events of the types in use, of users with a number

    def _number_texts(self) -> None:
        """Give users that are texts the numbers of their order, as the one machine's reader does."""
        texts = self._events.select(USER).distinct().toArrow()[USER].cast(pa.large_string())
        texts = texts.combine_chunks().sort()  # by the bytes of UTF-8, as DuckDB sorts
        numbers = pa.array(np.arange(len(texts)))
        of_users = self._table("user_texts", {USER: texts, USER_NUMBER: numbers})
        numbered = self._events.join(of_users, USER).drop(USER).withColumnRenamed(USER_NUMBER, USER)
        self._events = stored(self._session, self._work, "events_of_users", numbered)

    def count(self) -> int:
        """Count the events."""
        return int(self._events.count())

    def columns(self) -> dict[str, bool]:
        """Give the columns but user, day and event type: name -> whether it is text."""
        own = (PART, ORDER, PLACE, USER, DAY, EVENT_TYPE)
        return {name: kind == "string" for name, kind in self._events.dtypes if name not in own}

    def number_users(self, target_event: str) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Count on the cluster, number here: the numbers are those of all users, in order."""
        counted = self._events.where(f"{EVENT_TYPE} = '{target_event}'").groupBy(USER).count()
        table = counted.toArrow().sort_by(USER)
        users = table[USER].to_numpy().astype(np.int64)
        self._numbered = self._table(
            "users", {USER: users, USER_NUMBER: np.arange(len(users), dtype=np.int32)}
        )
        return users, table["count"].to_numpy().astype(np.int64)

    def has_event_before(self, event_type: str, day: int) -> bool:
        """Say whether there is an event of the type on an earlier day."""
        return not self._events.where(
            f"{EVENT_TYPE} = '{event_type}' AND {quoted(DAY)} < {int(day)}"
        ).isEmpty()

    def count_types(self) -> list[tuple[str, bool, int]]:
        """Give event type, whether its users have no number, and how many events; sorted."""
        joined = self._events.join(self._numbered, USER, "left")
        counted = joined.selectExpr(EVENT_TYPE, f"{USER_NUMBER} IS NULL AS without").groupBy(
            EVENT_TYPE, "without"
        )
        return sorted((row[0], row[1], int(row[2])) for row in counted.count().collect())

    def keep(self, types: Sequence[str]) -> None:
        """Write the kept events, which are few of the log's: what follows goes over them several times."""
        names = ", ".join(f"'{name}'" for name in types)
        kept = self._events.where(f"{EVENT_TYPE} IN ({names})").join(self._numbered, USER)
        self._kept = stored(self._session, self._work, "kept", kept)

    def histogram(
        self, column: str, until: int | None
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
        """Count the numbers of a column over the kept events."""
        counted = self._kept.selectExpr(f"{quoted(column)} AS {NUMBER}", f"{_known(until)} AS known")
        table = counted.groupBy(NUMBER).agg({"known": "sum"}).toArrow().sort_by(NUMBER)
        return table[NUMBER].to_numpy().astype(np.float64), table["sum(known)"].to_numpy().astype(np.int64)

    def add_clusters(self, clusters: Mapping[str, tuple[str, pa.Table]]) -> None:
        """Join the text of each number to the kept events."""
        for feature, (column, table) in clusters.items():
            of_number = self._table(f"clusters_{feature}", {NUMBER: table["number"], feature: table[feature]})
            self._kept = self._kept.join(of_number, self._kept[column] == of_number[NUMBER]).drop(NUMBER)

    def count_values(self, features: Sequence[str], until: int | None) -> dict[str, pa.Table]:
        """Count the values of all text columns over the kept events in one exchange."""
        pairs = ", ".join(f"struct('{name}' AS {FEATURE}, {quoted(name)} AS {VALUE})" for name in features)
        exploded = self._kept.selectExpr(f"explode(array({pairs})) AS pair", f"{_known(until)} AS known")
        counted = exploded.selectExpr(f"pair.{FEATURE}", f"pair.{VALUE}", "known").groupBy(FEATURE, VALUE)
        table = counted.agg({"known": "sum"}).toArrow()
        return {name: _values(table, name) for name in features}

    def add_labels(self, vocabularies: Mapping[str, pa.Table]) -> None:
        """Join the labels to the kept events."""
        for feature, table in vocabularies.items():
            columns = {feature: table[VALUE], f"{LABEL}_{feature}": table["label"]}
            self._kept = self._kept.join(self._table(f"labels_{feature}", columns), feature)

    def build(self, directory: Path, prepare: Prepare, users: int, events_per_chunk: int) -> Built:
        """Build the histories in shards of users on the cluster, and put them together here."""
        types = ", ".join(f"'{name}'" for name in event_types(prepare))
        encoded = self._kept.selectExpr(
            f"CAST({USER_NUMBER} DIV {self._users_per_shard} AS INT) AS {SHARD_NUMBER}",
            *(ORDER, PLACE, f"{USER_NUMBER} AS {quoted(USER)}", quoted(DAY)),
            f"CAST(array_position(array({types}), {EVENT_TYPE}) AS INT) - 1 AS {EVENT_TYPE}",
            *(f"{LABEL}_{name} AS {quoted(name)}" for name in prepare.offer_features),
        )
        shards = -(-users // self._users_per_shard)
        work = self._work.inside("shards")
        task = partial(build_shards, directory=work, prepare=prepare, events_per_chunk=events_per_chunk)
        done = (
            encoded.repartitionById(shards, SHARD_NUMBER)
            .sortWithinPartitions(SHARD_NUMBER, USER, DAY, ORDER, PLACE)
            .mapInArrow(task, SHARD)
            .collect()
        )
        built = {int(row.number): SHARDS.validate_json(row.shard) for row in done}
        if sorted(built) != list(range(shards)):  # every user has a target event, so no shard is empty
            raise RuntimeError(f"Spark gave {len(done)} of {shards} shards")
        return assemble([built[number] for number in range(shards)], work, directory, prepare)

    def _table(self, name: str, columns: Mapping[str, Any]) -> Any:
        """Give columns of the driver to the cluster."""
        return write_table(self._session, self._work, name, columns)


def _values(counted: pa.Table, feature: str) -> pa.Table:
    """Take a feature's values, ascending as the bytes of UTF-8 are, and their occurrences."""
    of_feature = counted.filter(pc.equal(counted[FEATURE], feature)).sort_by(VALUE)
    return pa.table(
        {
            VALUE: of_feature[VALUE].cast(pa.string()).combine_chunks(),
            OCCURRENCES: of_feature["sum(known)"].cast(pa.int64()).combine_chunks(),
        }
    )


def _known(until: int | None) -> str:
    """Give the SQL of 1 for an event that counts, 0 for another."""
    return "1" if until is None else f"CAST({quoted(DAY)} < {int(until)} AS INT)"
