"""Raw files -> prepared tables, end to end, against loops over the log."""

from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from offerbench.core.columns import Split, bag, user_feature, window
from offerbench.core.tables import read_arrow
from offerbench.preparation.prepare import prepare_dataset
from tests.oracle import histories as oracle
from tests.oracle import vocabulary

from ..conftest import TinyData
from ..parameters import resources_parameters

# The price cluster's text depends on k-means: test_encoding has it.
FEATURES = ["product_id", "category2", "brand"]


def labels_of(tiny: TinyData, feature: str) -> dict[str, int]:
    parameters = tiny.prepare.vocabulary
    occurrences = Counter(event.values[feature] for event in tiny.kept)
    return vocabulary.labels(occurrences, parameters.min_occurrences, parameters.out_of_vocabulary_buckets)


def test_target_events_are_the_purchases_in_order(each_tiny_data: TinyData) -> None:
    tiny = each_tiny_data
    users = sorted({event.user for event in tiny.targets})
    events = tiny.data.events
    assert events["user"].tolist() == [users.index(event.user) for event in tiny.targets]
    assert events["day"].tolist() == [event.day for event in tiny.targets]
    for feature in FEATURES:
        labels = labels_of(tiny, feature)
        assert events[feature].tolist() == [labels[event.values[feature]] for event in tiny.targets]


def test_every_target_event_sees_its_past(each_tiny_data: TinyData) -> None:
    tiny = each_tiny_data
    parameters = tiny.prepare.history
    histories = read_arrow(tiny.directory / "histories.arrow")
    labels = {feature: labels_of(tiny, feature) for feature in FEATURES}
    lengths = set()
    for row, target in enumerate(tiny.targets):
        history = tiny.data.events["history"][row]
        for event_type in parameters.events:
            past = oracle.past_events(
                tiny.kept, target.user, target.day, event_type, parameters.length, parameters.keep
            )
            lengths.add(len(past))
            if event_type == "purchase":
                start, length = (histories[column][history] for column in window("purchase"))
                window_rows = [tiny.targets[at].row for at in range(start, start + length)]
                assert window_rows == [event.row for event in past]
            for feature in FEATURES:
                store = tiny.data.bags[user_feature(event_type, feature)]
                start, length = store.start[history], store.length[history]
                expected = oracle.distinct(labels[feature][event.values[feature]] for event in past)
                assert store.values[start : start + length].tolist() == expected
    assert {0, parameters.length} <= lengths  # both ends are reached


def test_bags_are_those_of_the_columns_that_models_read(each_tiny_data: TinyData) -> None:
    histories = read_arrow(each_tiny_data.directory / "histories.arrow")
    assert list(each_tiny_data.data.bags) == list(each_tiny_data.data.user_sizes)
    for name, store in each_tiny_data.data.bags.items():
        start, length = bag(name)
        assert store.start.tolist() == histories[start].tolist()
        assert store.length.tolist() == histories[length].tolist()


def test_sizes_are_one_above_the_highest_label(each_tiny_data: TinyData) -> None:
    data = each_tiny_data.data
    for feature in FEATURES:
        size = max(labels_of(each_tiny_data, feature).values()) + 1
        assert data.offer_sizes[feature] == size
        assert data.user_sizes[user_feature("cart", feature)] == size
    assert data.first_label == each_tiny_data.prepare.vocabulary.out_of_vocabulary_buckets
    for feature, size in data.offer_sizes.items():
        assert data.events[feature].min() >= 0
        assert data.events[feature].max() < size


def test_vocabulary_file_has_the_known_values(each_tiny_data: TinyData) -> None:
    first = each_tiny_data.data.first_label
    for feature in FEATURES:
        known = {
            value: label for value, label in labels_of(each_tiny_data, feature).items() if label >= first
        }
        assert each_tiny_data.labels(feature) == known


def test_users_file_splits_the_users(each_tiny_data: TinyData) -> None:
    tiny = each_tiny_data
    users = pq.read_table(tiny.directory / "users.parquet").to_pylist()
    assert [row["user"] for row in users] == sorted({event.user for event in tiny.targets})
    for part in Split:
        first, length = tiny.data.user_rows[part]
        rows = [
            row for start, count in zip(first, length, strict=True) for row in range(start, start + count)
        ]
        found = {users[user]["user"] for user in tiny.data.events["user"][rows]}
        assert found == {row["user"] for row in users if row["split"] == part}
        in_part = [row for row, target in enumerate(tiny.targets) if target.user in found]
        assert sorted(rows) == in_part  # all of a user's events, and no other user's


def test_counts(each_tiny_data: TinyData) -> None:
    tiny = each_tiny_data
    types = Counter(event.event_type for event in tiny.log)
    counts = tiny.counts
    assert counts["rows"] == len(tiny.log)
    assert counts["event_types"] == types
    assert counts["left_out"] == {"event_type_view": types["view"]}
    assert counts["events_kept"] == len(tiny.kept)
    days = {event.day for event in tiny.kept}
    first, last = (date(1970, 1, 1) + timedelta(days=day) for day in (min(days), max(days)))
    assert [counts["first_day"], counts["last_day"]] == [first.isoformat(), last.isoformat()]
    assert counts["days_with_events"] == len(days)
    assert counts["target_events"] == len(tiny.targets)
    assert counts["user_days"] == len({(event.user, event.day) for event in tiny.targets})
    assert counts["histories"] == len(tiny.data.history_start)
    users = len({event.user for event in tiny.targets})
    assert counts["users"] == {"train": users - 35, "validation": 15, "test": 20}
    labels = labels_of(tiny, "brand")
    covered = sum(labels[event.values["brand"]] >= 3 for event in tiny.kept) / len(tiny.kept)
    assert counts["vocabulary"]["brand"]["values"] == len(labels)
    rare = sum(labels[event.values["brand"]] < 3 for event in tiny.kept)
    assert counts["vocabulary"]["brand"]["events_out_of_vocabulary"] == rare
    of_user = Counter(event.user for event in tiny.targets)
    assert counts["target_events_of_largest_user"] == max(of_user.values())
    assert counts["vocabulary"]["brand"]["events_covered"] == pytest.approx(covered, abs=1e-6)


@pytest.mark.parametrize("events_per_chunk", [1, 10_000])
def test_files_do_not_depend_on_the_chunks(
    tiny_data: TinyData, tmp_path: Path, events_per_chunk: int
) -> None:
    resources = resources_parameters(
        events_per_chunk=events_per_chunk, spill_directory=str(tmp_path / "spill")
    )
    target = tmp_path / "prepared"
    target.mkdir()
    raw = tiny_data.directory.parent / "raw"
    counts = prepare_dataset("rees46", raw, target, tiny_data.prepare, resources)
    assert counts == tiny_data.counts
    written = {path.name: path.read_bytes() for path in target.iterdir()}
    assert written == {path.name: path.read_bytes() for path in tiny_data.directory.iterdir()}
    assert list((tmp_path / "spill").iterdir()) == []  # the spill directory is emptied
