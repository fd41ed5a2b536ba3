"""A ranker saved on each stack with the scores that it gave there.

Written by `python -m tests.unit.model.saved_models pinned` on Python 3.11, by `... current` on 3.13.
"""

import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
import safetensors.numpy
import tensorflow as tf

from offerbench.model.ranker import Ranker
from offerbench.model.saved_model import save_model
from offerbench.model.specification import Specification

from ..rankers import CASES, drawn_ranker

DIRECTORY = Path(__file__).parent / "of_stacks"
SCORES_FILE = "scores.safetensors"
SIZES = {"brand": 23, "category1": 11}
HISTORIES, OFFERS, LONGEST_BAG = 40, 30, 6
Inputs = tuple[dict[str, npt.NDArray[np.int32]], dict[str, npt.NDArray[np.int32]]]


def some_ranker() -> Ranker:
    """One with all parts."""
    return drawn_ranker(
        Specification(
            user_features={f"history_purchase_{name}": size for name, size in SIZES.items()},
            offer_features=SIZES,
            shared_tables={},
            training=CASES["everything"].training(),
        )
    )


def scores(model: Ranker) -> npt.NDArray[np.float32]:
    """Score every history with every offer, both drawn at random; shape (1, histories, offers)."""
    generator = np.random.default_rng(1)
    values, segments = draw_bags(generator, model.specification.user_features, HISTORIES)
    users = model.infer_users(values, segments, {}, tf.constant(HISTORIES)).numpy()
    values, segments = draw_bags(generator, model.specification.offer_features, OFFERS)
    weights = {
        name: (1 / np.bincount(of_feature)[of_feature]).astype(np.float32)
        for name, of_feature in segments.items()
    }
    offers = model.infer_offers(values, segments, weights, tf.constant(OFFERS)).numpy()
    return model.interaction.scores(users[None], offers[None])


def draw_bags(generator: np.random.Generator, sizes: dict[str, int], number: int) -> Inputs:
    """Labels of each feature, one to six in a bag, and the bag of each."""
    values, segments = {}, {}
    for name, size in sizes.items():
        lengths = generator.integers(1, LONGEST_BAG + 1, number)
        bags = [np.sort(generator.choice(size, length, replace=False)) for length in lengths]
        values[name] = np.concatenate(bags).astype(np.int32)
        segments[name] = np.repeat(np.arange(number, dtype=np.int32), lengths)
    return values, segments


if __name__ == "__main__":
    directory = DIRECTORY / sys.argv[1]
    directory.mkdir(parents=True, exist_ok=True)
    model = some_ranker()
    save_model(model, directory)
    safetensors.numpy.save_file({"scores": scores(model)}, directory / SCORES_FILE)
