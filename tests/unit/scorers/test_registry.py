"""The registry: one scorer for each row of the tables, and a new untrained one costs a class and an entry."""

import dataclasses
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from offerbench.core import rows as rows_module
from offerbench.core.errors import OfferbenchError
from offerbench.core.rows import (
    ALL_TASKS,
    BOOSTED_MODEL,
    CEILING,
    CEILINGS,
    FREQUENCY,
    GENERALISTS,
    HISTORY_AFFINITY,
    ITEM_ITEM,
    LEAST_SQUARES,
    LIGHTGBM,
    LIGHTGBM_BY_TASK,
    PEERS,
    RECENCY,
    YARDSTICKS,
    Role,
    mono_model,
    table_rows,
)
from offerbench.evaluation.evaluate import measure_task, score_tasks
from offerbench.evaluation.negatives import group_neighbours
from offerbench.evaluation.pairs import Measure
from offerbench.evaluation.results import YARDSTICK, gap_table, wauc_table
from offerbench.model.ranker import Ranker
from offerbench.model.saved_model import save_model
from offerbench.model.specification import specify
from offerbench.scorers.boosted_peer import BoostedPeer
from offerbench.scorers.boosted_ranker import BoostedRanker
from offerbench.scorers.ceiling import Ceiling
from offerbench.scorers.frequency import Frequency
from offerbench.scorers.history_affinity import HistoryAffinity
from offerbench.scorers.item_item import ItemItem
from offerbench.scorers.least_squares import LeastSquaresScorer, fit_factors, save_factors
from offerbench.scorers.pair_features import pair_features
from offerbench.scorers.pairs import TaskPairs
from offerbench.scorers.ranker import RankerScorer
from offerbench.scorers.recency import Recency
from offerbench.scorers.registry import UNTRAINED, load_scorers
from offerbench.scorers.scorer import Scorer
from offerbench.scorers.trees import LabelledPairs, Trees, fit_trees

from ..conftest import TinyData
from ..parameters import boosted_parameters, evaluate_parameters, peer_parameters, yardsticks_parameters
from ..rankers import CASES, drawn_ranker, random_ranker
from .test_pairs import NEIGHBOURS, contexts_of, pairs_of

pytestmark = pytest.mark.usefixtures("configured_tensorflow")
REPOSITORY = Path(__file__).parents[3]
TASKS = ["price_cluster", "brand"]
CLASSES = {
    BOOSTED_MODEL: BoostedRanker,
    HISTORY_AFFINITY: HistoryAffinity,
    FREQUENCY: Frequency,
    RECENCY: Recency,
    LIGHTGBM_BY_TASK: BoostedPeer,
    LIGHTGBM: BoostedPeer,
    ITEM_ITEM: ItemItem,
    LEAST_SQUARES: LeastSquaresScorer,
    CEILING: Ceiling,
}


RANKERS = [name for name in GENERALISTS if name != BOOSTED_MODEL]


def load(models: Path, tasks: list[str] = TASKS) -> dict[str, Scorer]:
    """The scorers of all rows."""
    boosted, peer = boosted_parameters().features, peer_parameters()
    return load_scorers(table_rows(tasks), models, yardsticks_parameters(), boosted, peer)


def some_trees(features: int) -> Trees:
    """Trees that are fitted on noise."""
    generator = np.random.default_rng(features)
    columns = generator.normal(size=(200, features)).astype(np.float32)
    pairs = LabelledPairs(columns, generator.random(200) < 0.5)
    return fit_trees(pairs, [f"f{place}" for place in range(features)], peer_parameters().boosting)


def specialist(tiny_data: TinyData, task: str) -> Ranker:
    """A specialist with random weights."""
    training = CASES["mono"].training()
    return drawn_ranker(specify(tiny_data.data, [task], training), seed=9)


@pytest.fixture
def models(tiny_data: TinyData, tmp_path: Path) -> Path:
    """A saved model of every trained row."""
    for number, name in enumerate(RANKERS):
        save_model(random_ranker(tiny_data.data, "full", seed=number), tmp_path / name)
    features = len(pair_features(pairs_of(contexts_of(tiny_data), "brand"), peer_parameters().features).names)
    for name in (BOOSTED_MODEL, *(f"peer/{peer}" for peer in PEERS if peer != ITEM_ITEM)):
        (tmp_path / name).mkdir(parents=True)
    some_trees(features + 2).save(tmp_path / BOOSTED_MODEL, ALL_TASKS)
    some_trees(features).save(tmp_path / "peer" / LIGHTGBM, ALL_TASKS)
    for task in TASKS:
        some_trees(features).save(tmp_path / "peer" / LIGHTGBM, task)
        factors = fit_factors(tiny_data.data, task, peer_parameters().least_squares)
        save_factors(tmp_path / "peer" / LEAST_SQUARES, task, factors)
    for task in TASKS:
        save_model(specialist(tiny_data, task), tmp_path / "mono" / task)
    return tmp_path


def test_every_yardstick_and_ceiling_has_its_scorer_and_every_scorer_its_row() -> None:
    assert set(UNTRAINED) == {*YARDSTICKS, *CEILINGS}
    rows = table_rows(TASKS)
    assert {row.name for row in rows if row.role in (Role.YARDSTICK, Role.CEILING)} == set(UNTRAINED)
    for make in UNTRAINED.values():
        assert callable(make(yardsticks_parameters()).score)


def test_the_ceiling_is_no_yardstick() -> None:
    assert not set(YARDSTICKS) & set(CEILINGS)
    assert {row.name for row in table_rows(TASKS) if row.role is Role.CEILING} == {CEILING}


def test_scorers_are_loaded_in_the_order_of_the_tables(models: Path) -> None:
    scorers = load(models)
    expected = [*GENERALISTS, "mono_price_cluster", "mono_brand", *YARDSTICKS, *PEERS, *CEILINGS]
    assert list(scorers) == expected == [row.name for row in table_rows(TASKS)]
    for name, scorer in scorers.items():
        assert type(scorer) is CLASSES.get(name, RankerScorer)


def test_untrained_scorers_have_the_parameters(tiny_data: TinyData) -> None:
    # Another prior changes all that have one, another half-life the row that decays.
    pairs = pairs_of(contexts_of(tiny_data), "brand")
    scores = {
        name: [
            make(yardsticks_parameters(**changes)).score(pairs).tobytes()
            for changes in ({}, {"prior_events": 7.0}, {"half_life_days": 2.0})
        ]
        for name, make in UNTRAINED.items()
    }
    changed = {name: [found[0] != each for each in found[1:]] for name, found in scores.items()}
    assert changed == {
        HISTORY_AFFINITY: [False, False],
        FREQUENCY: [True, False],
        RECENCY: [True, True],
        CEILING: [True, False],
    }


def test_every_row_has_the_model_of_its_own_directory(models: Path, tiny_data: TinyData) -> None:
    pairs = pairs_of(contexts_of(tiny_data), "brand")
    scorers = load(models)
    for number, name in enumerate(RANKERS):
        expected = RankerScorer(random_ranker(tiny_data.data, "full", seed=number)).score(pairs)
        assert scorers[name].score(pairs).tobytes() == expected.tobytes()
    expected = RankerScorer(random_ranker(tiny_data.data, "mono", seed=9)).score(pairs)
    assert scorers[mono_model("brand")].score(pairs).tobytes() == expected.tobytes()


def test_a_model_of_a_task_taken_out_is_refused(models: Path) -> None:
    with pytest.raises(OfferbenchError, match=r"mono: holds models of \['price_cluster'\].*offerbench prune"):
        load(models, ["brand"])


@pytest.mark.parametrize("name", [".DS_Store", "Thumbs.db", ".partial.brand.0123abcd"])
def test_what_file_managers_and_killed_processes_leave_is_passed_over(models: Path, name: str) -> None:
    left = models / "mono" / name
    left.mkdir() if name.startswith(".partial") else left.write_bytes(b"x")
    assert len(load(models)) == len(table_rows(TASKS))
    assert (
        name in (REPOSITORY / ".dvcignore").read_text()
        or ".partial.*" in (REPOSITORY / ".dvcignore").read_text()
    )


def test_a_file_among_the_models_is_named_and_what_to_do(models: Path) -> None:
    (models / "mono/notes.txt").write_text("mine")
    with pytest.raises(
        OfferbenchError, match=r"mono: holds \['notes.txt'\], which is no model.*Move it away"
    ):
        load(models)


def test_the_model_of_another_task_is_refused(models: Path) -> None:
    (models / "mono/brand").rename(models / "other")
    (models / "mono/price_cluster").rename(models / "mono/brand")
    (models / "other").rename(models / "mono/price_cluster")
    with pytest.raises(
        OfferbenchError, match=r"mono/price_cluster/model.json: a model of \['brand'\], not of"
    ):
        load(models)


def test_the_model_of_another_data_set_is_refused(models: Path, tiny_data: TinyData) -> None:
    data = dataclasses.replace(tiny_data.data, offer_sizes={**tiny_data.data.offer_sizes, "brand": 99})
    save_model(drawn_ranker(specify(data, ["brand"], CASES["mono"].training())), models / "mono/brand")
    scorers = load(models)
    with pytest.raises(OfferbenchError, match="trained with 99 labels of brand, and data/prepared has"):
        scorers["mono_brand"].score(pairs_of(contexts_of(tiny_data), "brand"))


def test_a_missing_model_is_named(models: Path) -> None:
    with pytest.raises(OfferbenchError, match=r"mono/category2/model\.json: no such file"):
        load(models, [*TASKS, "category2"])


class Newest:
    """Whether the user's last event before the day is of the offer."""

    def score(self, pairs: TaskPairs) -> npt.NDArray[np.int64]:
        return pairs.match_counts(*pairs.contexts.past(1)).astype(np.float64)


def test_a_new_untrained_scorer_costs_a_class_and_an_entry(
    models: Path, tiny_data: TinyData, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Its name and title among the yardsticks, its class in the registry: it is measured, and generalists
    # are compared with it where it is best.
    monkeypatch.setitem(rows_module.YARDSTICKS, "newest", "newest event (no training)")
    monkeypatch.setitem(UNTRAINED, "newest", lambda _: Newest())
    data, contexts, rows = tiny_data.data, contexts_of(tiny_data), table_rows(TASKS)
    scorers = load(models)
    assert list(scorers)[-1 - len(PEERS) - len(CEILINGS)] == "newest"
    tables = {task: pairs_of(contexts, task).offers for task in TASKS}
    evaluate = evaluate_parameters()
    results = {
        task: measure_task(scored, Measure.CLEAN, data.first_label, evaluate)
        for task, scored in score_tasks(
            scorers, tables, group_neighbours(data, contexts.split, contexts.rows.reshape(1, -1), NEIGHBOURS)
        )
    }
    table = wauc_table(results, evaluate)
    assert set(table["model"]) == {row.name for row in rows}
    gaps = gap_table(table, results, rows)
    compared = gaps[gaps["compared_with"] == YARDSTICK].merge(
        table.rename(columns={"model": "other"}), on=["segment", "task", "other"]
    )
    best = table[table["model"].isin(rows_module.YARDSTICKS)].groupby(["segment", "task"])["wauc"].max()
    assert len(compared) == 3 * len(TASKS) * len(GENERALISTS)
    assert set(compared["other"]) <= set(rows_module.YARDSTICKS)  # a ceiling is compared with nobody
    for row in compared.to_dict("records"):
        wanted = best[row["segment"], row["task"]]
        assert row["wauc"] == pytest.approx(wanted, nan_ok=True)
