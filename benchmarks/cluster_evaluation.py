"""An evaluation of every row on a small synthetic log, for both engines: batches, offers and models in files.

The models are of the preset's shape. Rankers have their first weights, and trees few rounds: that both
engines give the same bits does not depend on how good a model is.
"""

from collections.abc import Iterable
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt

from offerbench.batching.batches import draw_pass, write_batches
from offerbench.core.columns import Split
from offerbench.core.ranges import concatenated_ranges
from offerbench.core.rows import (
    ALL_TASKS,
    AUGMENTED_MODEL,
    BOOSTED_MODEL,
    FULL_MODEL,
    LEAST_SQUARES,
    LIGHTGBM,
)
from offerbench.engines.evaluation import Evaluation
from offerbench.features.offers import group_offers, write_offers
from offerbench.model.config import TrainParameters
from offerbench.model.ranker import Ranker
from offerbench.model.saved_model import save_model
from offerbench.model.specification import specify
from offerbench.parameters import Parameters
from offerbench.preparation.prepared import PreparedData, load_prepared
from offerbench.scorers.boosted_peer import fit_peers
from offerbench.scorers.boosted_ranker import fit_on_ranker
from offerbench.scorers.event_pairs import event_pairs
from offerbench.scorers.least_squares import fit_factors, save_factors
from offerbench.scorers.ranker import RankerScorer

ROUNDS, BATCHES = 5, 2


def write_evaluation(parameters: Parameters, prepared: Path, directory: Path) -> Evaluation:
    """Write all that `evaluate` reads besides the prepared data."""
    data, batches = load_prepared(prepared), directory / "test.arrow"
    write_batches(batches, draw_pass(data, Split.TEST, parameters.rebatch))
    _write_offers(parameters, data, directory / "offers")
    _write_models(parameters, data, directory / "models")
    return Evaluation(
        tasks=tuple(parameters.tasks),
        evaluate=parameters.evaluate,
        boosted=parameters.train_boosted.features,
        peer=parameters.train_peer,
        batch_size=parameters.rebatch.batch_size,
        prepared=prepared,
        models=directory / "models",
        group_test=directory / "offers",
        batches=batches,
    )


def _write_offers(parameters: Parameters, data: PreparedData, directory: Path) -> None:
    directory.mkdir()
    of_train = concatenated_ranges(*data.user_rows[Split.TRAIN])
    events = {name: data.events[name][of_train] for name in data.offer_sizes}
    rows = np.concatenate(list(draw_pass(data, Split.TEST, parameters.rebatch)))
    for task in parameters.tasks:
        keys = np.unique(data.events[task][rows])
        table = group_offers(events, task, parameters.group_test.values_per_feature, keys)
        write_offers(directory / f"{task}.parquet", table)


def _write_models(parameters: Parameters, data: PreparedData, models: Path) -> None:
    features = list(data.offer_sizes)
    _ranker(data, features, parameters.train_full, models / FULL_MODEL)
    augmented = _ranker(data, features, parameters.train_augmented, models / AUGMENTED_MODEL)
    for task in parameters.tasks:
        _ranker(data, [task], parameters.train_mono, models / "mono" / task)
    for name in (BOOSTED_MODEL, *(f"peer/{each}" for each in (LIGHTGBM, LEAST_SQUARES))):
        (models / name).mkdir(parents=True)
    validation = _batches(parameters, data, Split.VALIDATION)
    pairs = _pairs(parameters, data, Split.VALIDATION, validation)
    boosting = parameters.train_boosted.boosting.model_copy(update={"max_rounds": ROUNDS})
    trees = fit_on_ranker(RankerScorer(augmented), pairs, parameters.train_boosted.features, boosting)
    trees.save(models / BOOSTED_MODEL, ALL_TASKS)
    boosting = parameters.train_peer.boosting.model_copy(update={"max_rounds": ROUNDS})
    peer = parameters.train_peer.model_copy(update={"boosting": boosting})
    train = _pairs(parameters, data, Split.TRAIN, _batches(parameters, data, Split.TRAIN))
    others = _pairs(parameters, data, Split.VALIDATION, validation)
    for part, fitted in fit_peers(train, others, peer).items():
        fitted.save(models / "peer" / LIGHTGBM, part)
    for task in parameters.tasks:
        save_factors(models / "peer" / LEAST_SQUARES, task, fit_factors(data, task, peer.least_squares))


def _ranker(data: PreparedData, features: list[str], training: TrainParameters, directory: Path) -> Ranker:
    ranker = Ranker(specify(data, features, training), np.random.default_rng(training.seed))
    save_model(ranker, directory)
    return ranker


def _batches(parameters: Parameters, data: PreparedData, split: Split) -> npt.NDArray[np.int64]:
    return np.stack(list(islice(draw_pass(data, split, parameters.rebatch), BATCHES)))


def _pairs(
    parameters: Parameters, data: PreparedData, split: Split, batches: npt.NDArray[np.int64]
) -> Iterable:
    groups = batches.reshape(-1, parameters.train_peer.number_of_negatives + 1)
    return event_pairs(data, split, groups, parameters.tasks, parameters.group_test.values_per_feature)
