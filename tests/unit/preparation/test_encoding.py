"""Canonical events in DuckDB -> sorted chunks of labels, against Python's sort and dictionaries."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from offerbench.core.errors import OfferbenchError
from offerbench.datasets.canonical import event_database
from offerbench.preparation.duckdb_events import DuckDBEvents
from offerbench.preparation.encoding import encode
from offerbench.preparation.number_clusters import centre_labels, fit_centres
from tests.oracle import numbers, vocabulary

from ..parameters import prepare_parameters
from ..tiny_log import draw_log

PREPARE = prepare_parameters()
PRICE = PREPARE.clusters["price_cluster"]
EVENTS = [
    {**event.values, "price": float(event.values["price"]), "user": event.user, "day": event.day}
    | {"event_type": event.event_type}
    for event, _ in draw_log(30, seed=2)
    if event.event_type != "view"
]
# A user that only puts products into its cart, and one that has more events than any chunk below.
EVENTS += [{**event, "user": 9999, "event_type": "cart"} for event in EVENTS[:20]]
EVENTS += [{**event, "user": 480} for event in EVENTS[20:320]]


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with event_database(tmp_path, "500MB") as opened:
        opened.register("events_arrow", pa.Table.from_pylist(EVENTS))
        opened.execute("CREATE TABLE events AS SELECT * FROM events_arrow")
        yield opened


def kept_events() -> list[dict]:
    buyers = {event["user"] for event in EVENTS if event["event_type"] == "purchase"}
    return [event for event in EVENTS if event["user"] in buyers]


def expected_rows() -> list[tuple[int, ...]]:
    """User, day, event type and labels of each kept event, sorted; the sort is stable."""
    kept = kept_events()
    users = sorted({event["user"] for event in kept})
    distinct = sorted({event["price"] for event in kept})
    counts = Counter(event["price"] for event in kept)
    drawn = np.random.default_rng(PRICE.seed).multivariate_hypergeometric(
        [counts[price] for price in distinct], PRICE.sample, method="marginals"
    )
    centres = fit_centres(np.array(distinct), drawn, PRICE.clusters, PRICE.seed)
    texts = centre_labels(centres, PRICE.decimals)
    values = [
        {**event, "price_cluster": texts[numbers.nearest_centre(event["price"], list(centres))]}
        for event in kept
    ]
    parameters = PREPARE.vocabulary
    labels = {
        feature: vocabulary.labels(
            Counter(event[feature] for event in values),
            parameters.min_occurrences,
            parameters.out_of_vocabulary_buckets,
        )
        for feature in PREPARE.offer_features
    }
    return [
        (
            users.index(event["user"]),
            event["day"],
            ["cart", "purchase"].index(event["event_type"]),
            *(labels[feature][event[feature]] for feature in PREPARE.offer_features),
        )
        for event in sorted(values, key=lambda event: (event["user"], event["day"]))
    ]


@pytest.mark.parametrize("events_per_chunk", [1, 37, 200, 100_000])
def test_chunks_are_the_sorted_events_in_whole_users(
    connection: duckdb.DuckDBPyConnection, events_per_chunk: int
) -> None:
    assert sum(event["user"] == 480 for event in EVENTS) > 300
    events = DuckDBEvents(connection)
    encoding = encode(events, PREPARE)
    chunks = list(events.encoded_chunks(PREPARE, events_per_chunk))
    columns = ["user", "day", "event_type", *PREPARE.offer_features]
    assert all(list(chunk) == columns for chunk in chunks)
    rows = [tuple(map(int, row)) for chunk in chunks for row in zip(*chunk.values(), strict=True)]
    assert rows == expected_rows()
    users_of_chunk = [set(chunk["user"].tolist()) for chunk in chunks]
    assert sum(map(len, users_of_chunk)) == len(encoding.user_numbers)  # no user is in two chunks
    assert (len(chunks) == 1) == (events_per_chunk == 100_000)


def test_users_without_a_target_event_are_left_out(connection: duckdb.DuckDBPyConnection) -> None:
    numbers = encode(DuckDBEvents(connection), PREPARE).user_numbers.tolist()
    assert numbers == sorted({event["user"] for event in kept_events()})
    assert 9999 not in numbers


def test_vocabularies_count_the_kept_events(connection: duckdb.DuckDBPyConnection) -> None:
    table = encode(DuckDBEvents(connection), PREPARE).vocabularies["brand"].to_pylist()
    counted = Counter(event["brand"] for event in kept_events())
    assert {row["value"]: row["occurrences"] for row in table} == counted
    assert "" in counted  # a missing brand is a value like any other


def test_event_types_not_in_use_are_left_out(connection: duckdb.DuckDBPyConnection) -> None:
    prepare = prepare_parameters(events=["purchase"])
    table = encode(DuckDBEvents(connection), prepare).vocabularies["brand"].to_pylist()
    purchases = Counter(event["brand"] for event in EVENTS if event["event_type"] == "purchase")
    assert {row["value"]: row["occurrences"] for row in table} == purchases


def test_no_target_event_names_the_key(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("DELETE FROM events WHERE event_type = 'purchase'")
    with pytest.raises(OfferbenchError, match=r"prepare\.target_event: no event of type 'purchase'"):
        encode(DuckDBEvents(connection), PREPARE)
