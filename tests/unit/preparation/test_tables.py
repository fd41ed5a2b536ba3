"""Prepared tables of random logs, chunk by chunk, against the histories of a loop."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offerbench.core.columns import bag, user_feature, window
from offerbench.core.tables import read_arrow
from offerbench.preparation.tables import PreparedTables
from tests.oracle import histories as oracle
from tests.oracle.histories import Event

from ..parameters import prepare_parameters

FEATURES = prepare_parameters().offer_features
TYPES = ["cart", "purchase"]  # in the order of their codes
LABEL = st.integers(0, 3)
USER_EVENTS = st.lists(
    st.tuples(st.integers(0, 4), st.sampled_from(TYPES), st.tuples(*[LABEL] * len(FEATURES))), max_size=12
)
# Every user of a chunk has a target event; its day is random too.
PURCHASE = st.tuples(st.integers(0, 4), st.just("purchase"), st.tuples(*[LABEL] * len(FEATURES)))
LOGS = st.lists(
    st.tuples(USER_EVENTS, PURCHASE).map(lambda parts: [*parts[0], parts[1]]), min_size=1, max_size=5
)


def as_events(log: list[list[tuple]]) -> list[Event]:
    """Events sorted by (user, day, file order)."""
    events = []
    for user, rows in enumerate(log):
        for day, event_type, labels in sorted(rows, key=lambda row: row[0]):
            values = dict(zip(FEATURES, labels, strict=True))
            events.append(Event(len(events), user, day, event_type, values))
    return events


def as_columns(events: list[Event]) -> dict[str, np.ndarray]:
    columns = {
        "user": [event.user for event in events],
        "day": [event.day for event in events],
        "event_type": [TYPES.index(event.event_type) for event in events],
        **{name: [event.values[name] for event in events] for name in FEATURES},
    }
    return {name: np.array(values, np.int32) for name, values in columns.items()}


def write(directory: Path, chunks: list[list[Event]], **history: Any) -> PreparedTables:
    directory.mkdir()
    tables = PreparedTables(directory, prepare_parameters(**history))
    for chunk in chunks:
        tables.append(as_columns(chunk))
    tables.close()
    return tables


def contents(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}


LENGTH = st.integers(1, 6)
OWN_LENGTHS = st.dictionaries(st.sampled_from(FEATURES), LENGTH, max_size=2)


@settings(max_examples=30)
@given(
    LOGS,
    st.sampled_from(["oldest", "latest"]),
    LENGTH,
    OWN_LENGTHS,
    st.sampled_from(["distinct", "count", "recency"]),
    st.sets(st.integers(1, 4)),
)
@pytest.mark.parametrize("history_events", [["purchase", "cart"], ["cart"]])
def test_every_event_sees_the_distinct_values_of_its_past(
    history_events: list[str],
    log: list[list[tuple]],
    keep: str,
    length: int,
    lengths: dict[str, int],
    weights: str,
    borders: set[int],
) -> None:
    events = as_events(log)
    chunks = [
        [event for event in events if sum(event.user >= border for border in borders) == part]
        for part in range(len(borders) + 1)
    ]
    with TemporaryDirectory() as name:
        chunked, whole = Path(name) / "chunked", Path(name) / "whole"
        parameters = {"keep": keep, "length": length, "lengths": lengths, "events": history_events}
        parameters |= {"weights": weights, "half_life_events": 1.5}
        tables = write(chunked, [chunk for chunk in chunks if chunk], **parameters)
        write(whole, [events], **parameters)
        assert contents(chunked) == contents(whole)  # whatever the borders of the chunks

        targets = [event for event in events if event.event_type == "purchase"]
        written = read_arrow(whole / "target_events.arrow")
        histories = read_arrow(whole / "histories.arrow")
        assert written["user"].tolist() == [event.user for event in targets]
        assert written["day"].tolist() == [event.day for event in targets]
        seen_histories = {}
        for row, target in enumerate(targets):
            history = written["history"][row]
            own = target.user, target.day
            history_rows = [event.row for event in oracle.past_events(events, *own, "purchase", length, keep)]
            start, count = (histories[column][history] for column in window("purchase"))
            assert [targets[at].row for at in range(start, start + count)] == history_rows
            past = {
                (kind, feature): oracle.past_events(events, *own, kind, lengths.get(feature, length), keep)
                for kind in history_events
                for feature in FEATURES
            }
            # Two events share a history if and only if they are of one user and see the same past.
            rows_seen = [history_rows, *([event.row for event in seen] for seen in past.values())]
            key = (target.user, tuple(map(tuple, rows_seen)))
            assert seen_histories.setdefault(key, history) == history
            for (kind, feature), seen in past.items():
                written_bag = read_arrow(whole / f"bag_{user_feature(kind, feature)}.arrow")
                assert list(written_bag) == (["value"] if weights == "distinct" else ["value", "weight"])
                start, count = (histories[column][history] for column in bag(user_feature(kind, feature)))
                found = {name: column[start : start + count] for name, column in written_bag.items()}
                values = [event.values[feature] for event in seen]
                expected = oracle.value_weights(values, weights, 1.5)
                if weights == "distinct":
                    assert found["value"].tolist() == list(expected)
                else:
                    pairs = zip(found["value"].tolist(), found["weight"], strict=True)
                    assert dict(pairs) == pytest.approx(expected)
        assert sorted(seen_histories.values()) == list(range(tables.histories))
        assert tables.histories == len(histories[window("purchase")[0]])
        assert tables.target_events == len(targets)
        assert tables.contexts == len({(event.user, event.day) for event in targets})


def one_purchase_a_day(days: int) -> list[Event]:
    return [Event(day, 0, day, "purchase", dict.fromkeys(FEATURES, day % 4)) for day in range(days)]


def test_oldest_freezes_the_history_of_a_heavy_buyer(tmp_path: Path) -> None:
    # Pasts of days 0 .. 9 are of 0, 1, 2, 3, 3, ... events: four histories of ten contexts.
    tables = write(tmp_path / "tables", [one_purchase_a_day(10)], keep="oldest", length=3)
    assert (tables.contexts, tables.histories) == (10, 4)
    assert read_arrow(tmp_path / "tables" / "target_events.arrow")["history"].tolist() == [0, 1, 2, *[3] * 7]


def test_latest_gives_a_heavy_buyer_a_history_a_day(tmp_path: Path) -> None:
    tables = write(tmp_path / "tables", [one_purchase_a_day(10)], keep="latest", length=3)
    assert (tables.contexts, tables.histories) == (10, 10)
