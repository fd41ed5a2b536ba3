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
from offerbench.preparation.config import Prepare
from offerbench.preparation.duckdb_events import DuckDBEvents
from offerbench.preparation.encoding import encode
from offerbench.preparation.number_clusters import centre_labels, fit_centres
from offerbench.preparation.vocabulary import refuse_empty_vocabularies
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


def with_least(occurrences: int | float) -> Prepare:
    """The parameters with another `vocabulary.min_occurrences`."""
    content = PREPARE.model_dump()
    content["vocabulary"]["min_occurrences"] = occurrences
    return Prepare.model_validate(content)


def test_a_share_of_the_events_is_as_their_number(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    events = len(kept_events())
    share = with_least(30.5 / events)
    assert share.vocabulary.min_occurrences_of(events) == 30
    found = encode(DuckDBEvents(connection), share).vocabularies
    with event_database(tmp_path, "500MB") as other:
        other.register("events_arrow", pa.Table.from_pylist(EVENTS))
        other.execute("CREATE TABLE events AS SELECT * FROM events_arrow")
        expected = encode(DuckDBEvents(other), PREPARE).vocabularies
    assert found == expected


def test_a_small_share_needs_some_occurrences() -> None:
    vocabulary = with_least(1e-4).vocabulary
    assert [vocabulary.min_occurrences_of(events) for events in (10, 49_999, 60_000, 1_458_000)] == [
        5,
        5,
        6,
        145,
    ]


def test_a_feature_without_a_vocabulary_is_refused(connection: duckdb.DuckDBPyConnection) -> None:
    most = max(Counter(event["product_id"] for event in kept_events()).values())
    vocabularies = encode(DuckDBEvents(connection), PREPARE).vocabularies
    refuse_empty_vocabularies(vocabularies, with_least(most).vocabulary)
    named = f"no value of product_id is seen {most + 1} times, the most frequent one .* {most} times"
    with pytest.raises(OfferbenchError, match=rf"prepare\.vocabulary\.min_occurrences: {named}"):
        refuse_empty_vocabularies(vocabularies, with_least(most + 1).vocabulary)
