"""History affinity, against counting, and by hand."""

import numpy as np
import pytest

from offerbench.batching.batches import draw_pass
from offerbench.core.columns import Split
from offerbench.features.offers import OfferTable
from offerbench.preparation.prepared import PreparedData
from offerbench.scorers.contexts import Contexts
from offerbench.scorers.history_affinity import HistoryAffinity
from offerbench.scorers.pairs import TaskPairs
from tests.oracle import evaluation as oracle
from tests.oracle import histories
from tests.unit.event_log import latest

from ..conftest import TinyData, make_tiny_data
from ..parameters import rebatch_parameters

NEIGHBOURS = 5


def history_of(tiny: TinyData, row: int, feature: str) -> list[int]:
    """Labels of the history of a target event, by the loop over the log."""
    target, parameters = tiny.targets[row], tiny.prepare.history
    past = histories.past_events(
        tiny.targets, target.user, target.day, "purchase", parameters.length, parameters.keep
    )
    places = {event.row: place for place, event in enumerate(tiny.targets)}
    return [int(tiny.data.events[feature][places[event.row]]) for event in past]


@pytest.mark.parametrize("task", ["brand", "product_id"])
@pytest.mark.parametrize("split", [Split.TEST, Split.VALIDATION], ids=str)
def test_share_of_the_history(each_tiny_data: TinyData, split: Split, task: str) -> None:
    data = each_tiny_data.data
    rows = np.stack(list(draw_pass(data, split, rebatch_parameters()))).reshape(-1, NEIGHBOURS)
    keys, offer_of_event = np.unique(data.events[task][rows], return_inverse=True)
    table = OfferTable(keys=keys, base=np.ones(len(keys), np.float32), distributions={})
    offer_of_event = offer_of_event.reshape(rows.shape).astype(np.int32)
    found = HistoryAffinity().score(
        TaskPairs(task, table, Contexts.of_events(data, split, rows), offer_of_event)
    )
    assert found.shape == (*rows.shape, NEIGHBOURS)
    for b, i, j in np.ndindex(*found.shape):
        history = history_of(each_tiny_data, rows[b, i], task)
        assert found[b, i, j] == oracle.history_affinity(history, keys[offer_of_event[b, j]])
    assert len(set(found.reshape(-1).tolist())) > 5


@pytest.fixture(scope="module")
def without_a_cut(tmp_path_factory: pytest.TempPathFactory) -> TinyData:
    """Histories of other lengths than the default."""
    return make_tiny_data(tmp_path_factory.mktemp("long"), length=100)


def test_affinity_sees_the_history_as_long_as_it_is_cut(tiny_data: TinyData, without_a_cut: TinyData) -> None:
    row = max(range(len(tiny_data.targets)), key=lambda row: len(history_of(without_a_cut, row, "brand")))
    lengths = [len(history_of(tiny, row, "brand")) for tiny in (tiny_data, without_a_cut)]
    assert lengths[0] == tiny_data.prepare.history.length < lengths[1]
    assert np.asarray(tiny_data.data.history_length)[tiny_data.data.events["history"][row]] == lengths[0]


def hand_made() -> PreparedData:
    """One test user who buys brands 3, 5, 3, 3 on days 0 to 3; the event of day d has d events before it."""
    days = np.arange(4, dtype=np.int32)
    return PreparedData(
        events={"user": np.zeros(4, np.int32), "day": days, "history": days, "brand": np.array([3, 5, 3, 3])},
        bags={},
        history_start=np.array([0, 0, 0, 1]),
        history_length=np.array([0, 1, 2, 2]),
        user_sizes={},
        offer_sizes={"brand": 6},
        first_label=0,
        user_rows={Split.TEST: (np.array([0]), np.array([4]))},
        target_event="purchase",
        history=latest(2),
    )


def test_affinity_by_hand() -> None:
    # The last event sees the two before it, 5 and 3; the second sees one 3; the first sees nothing.
    keys = np.array([3, 4, 5], np.int32)
    table = OfferTable(keys=keys, base=np.ones(3, np.float32), distributions={})
    contexts = Contexts.of_events(hand_made(), Split.TEST, np.array([[3], [1], [0]]))
    every = np.tile(np.arange(3, dtype=np.int32), (3, 1))
    found = HistoryAffinity().score(TaskPairs("brand", table, contexts, every))
    assert found.tolist() == [[[0.5, 0, 0.5]], [[1, 0, 0]], [[0, 0, 0]]]
