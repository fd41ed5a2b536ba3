"""What a model looks up for a batch, against each event looked up by itself."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from offerbench.batching.batches import gather_bags, make_batch
from offerbench.preparation.prepared import BagStore
from tests.oracle import histories as oracle

from ..conftest import TinyData


@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 5)), min_size=1, max_size=8),
    st.lists(st.integers(0, 100), max_size=10),
    st.booleans(),
)
def test_gather_bags(bags: list[tuple[int, int]], places: list[int], weighted: bool) -> None:
    start, length = np.array(bags, np.int64).T
    values = np.arange(100, 115, dtype=np.int32)
    weights = (values / 2).astype(np.float32) if weighted else None
    store = BagStore(values, start, length, weights)
    histories = [place % len(bags) for place in places]
    gathered = gather_bags(store, np.array(histories, np.int64))
    expected = [
        (bag, 100 + bags[history][0] + at)
        for bag, history in enumerate(histories)
        for at in range(bags[history][1])
    ]
    assert list(zip(gathered.segments.tolist(), gathered.values.tolist(), strict=True)) == expected
    if weighted:
        assert gathered.weights.tolist() == [value / 2 for _, value in expected]
    else:
        assert gathered.weights is None


@settings(max_examples=20)
@given(st.data())
def test_every_event_gets_its_history_and_its_offer(tiny_data: TinyData, data: st.DataObject) -> None:
    features = data.draw(
        st.lists(st.sampled_from(tiny_data.prepare.offer_features), min_size=1, unique=True), "features"
    )
    # Drawn with repeats, so that events share histories and values.
    rows = data.draw(st.lists(st.integers(0, len(tiny_data.targets) - 1), min_size=1, max_size=20), "rows")
    batch = make_batch(tiny_data.data, np.array(rows), features)

    histories = tiny_data.data.events["history"][rows].tolist()
    assert (
        len(set(batch.history_of_event.tolist())) == len(set(histories)) == batch.history_of_event.max() + 1
    )
    parameters = tiny_data.prepare.history
    for place, row in enumerate(rows):
        target = tiny_data.targets[row]
        for feature in features:
            looked_up = batch.offer_values[feature][batch.offer_rows[feature][place]]
            assert looked_up == tiny_data.data.events[feature][row]
        for event_type in parameters.events:
            past = oracle.past_events(
                tiny_data.kept, target.user, target.day, event_type, parameters.length, parameters.keep
            )
            bag = batch.bags[f"history_{event_type}_category2"]
            values = bag.values[bag.segments == batch.history_of_event[place]]
            # Rare values share a bucket, which is in a bag once.
            labels = tiny_data.labels("category2")
            known = oracle.distinct(
                labels[event.values["category2"]] for event in past if event.values["category2"] in labels
            )
            first_label = tiny_data.data.first_label
            assert values[values >= first_label].tolist() == known
    for feature in features:
        assert batch.offer_values[feature].tolist() == sorted(set(tiny_data.data.events[feature][rows]))
    for name, bag in batch.bags.items():
        assert (np.diff(bag.segments) >= 0).all()
        pairs = list(zip(bag.segments.tolist(), bag.values.tolist(), strict=True))
        assert len(set(pairs)) == len(pairs), f"{name}: a value is twice in a bag"
