"""A small evaluation with a model of every row, in files; and what is compared of its results."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from offerbench.batching.batches import draw_pass, write_batches
from offerbench.core.columns import Split
from offerbench.core.rows import (
    ALL_TASKS,
    AUGMENTED_MODEL,
    BOOSTED_MODEL,
    FULL_MODEL,
    LEAST_SQUARES,
    LIGHTGBM,
)
from offerbench.engines.evaluation import Evaluation, Results
from offerbench.features.offers import write_offers
from offerbench.model.saved_model import save_model
from offerbench.scorers.least_squares import fit_factors, save_factors
from offerbench.scorers.pair_features import pair_features

from ..conftest import TinyData
from ..parameters import boosted_parameters, evaluate_parameters, peer_parameters, rebatch_parameters
from ..rankers import random_ranker
from ..scorers.test_pairs import contexts_of, pairs_of
from ..scorers.test_registry import some_trees, specialist

TASKS = ("price_cluster", "brand")
OTHER_USERS = {"negatives": "all_users"}


def write_evaluation(directory: Path, tiny: TinyData, **evaluate: Any) -> Evaluation:
    """Write the data, batches, offers and models of an evaluation."""
    shutil.copytree(tiny.directory, directory / "prepared")
    rebatch, peer, models = rebatch_parameters(), peer_parameters(), directory / "models"
    write_batches(directory / "test.arrow", draw_pass(tiny.data, Split.TEST, rebatch))
    (directory / "offers").mkdir()
    features = len(pair_features(pairs_of(contexts_of(tiny), "brand"), peer.features).names)
    for name in (BOOSTED_MODEL, *(f"peer/{each}" for each in (LIGHTGBM, LEAST_SQUARES))):
        (models / name).mkdir(parents=True)
    save_model(random_ranker(tiny.data, "full", seed=1), models / FULL_MODEL)
    save_model(random_ranker(tiny.data, "attributes", seed=2), models / AUGMENTED_MODEL)
    some_trees(features + 2).save(models / BOOSTED_MODEL, ALL_TASKS)
    some_trees(features).save(models / "peer" / LIGHTGBM, ALL_TASKS)
    for task in TASKS:
        write_offers(directory / f"offers/{task}.parquet", pairs_of(contexts_of(tiny), task).offers)
        save_model(specialist(tiny, task), models / "mono" / task)
        some_trees(features).save(models / "peer" / LIGHTGBM, task)
        save_factors(models / "peer" / LEAST_SQUARES, task, fit_factors(tiny.data, task, peer.least_squares))
    return Evaluation(
        tasks=TASKS,
        evaluate=evaluate_parameters(**evaluate),
        boosted=boosted_parameters().features,
        peer=peer,
        batch_size=rebatch.batch_size,
        prepared=directory / "prepared",
        models=models,
        group_test=directory / "offers",
        batches=directory / "test.arrow",
    )


def bits(results: Mapping[str, Results]) -> dict[str, Any]:
    """Give all that is measured, to the last bit, by task and measure."""
    return {
        f"{task}, {measure}": {
            "counts": list(result.counts.items()),
            "offers": {name: np.asarray(column).tobytes() for name, column in result.offers.items()},
            "samples": {
                (segment, row): samples.tobytes()
                for segment, by_row in result.samples.items()
                for row, samples in by_row.items()
            },
        }
        for task, of_task in results.items()
        for measure, result in of_task.items()
    }
