"""The plain twin of the augmented step does what ours does, on a tiny data set."""

import numpy as np
import pytest
import tensorflow as tf
from benchmarks.augmentation import as_in_the_study, check_agreement
from benchmarks.plain.augmentation import draw_features, draw_groupings, packed_keys
from benchmarks.plain.matches import match_counts

from offerbench.parameters import Parameters
from offerbench.preparation.prepared import PreparedData
from tests.oracle import match_counts as oracle

from ..conftest import make_tiny_data
from ..parameters import COMPLETE, grouping_parameters, rebatch_parameters


@pytest.fixture(scope="module")
def purchases(tmp_path_factory: pytest.TempPathFactory) -> PreparedData:
    """A data set whose histories are of purchases alone, as the twin needs it."""
    return make_tiny_data(tmp_path_factory.mktemp("purchases"), events=["purchase"]).data


@pytest.mark.parametrize("of_study", [True, False], ids=["as_in_the_study", "defaults"])
def test_loss_and_gradients_agree(purchases: PreparedData, of_study: bool) -> None:
    parameters = Parameters.model_validate(COMPLETE).model_copy(update={"rebatch": rebatch_parameters()})
    training = parameters.train_augmented
    found = check_agreement(parameters, purchases, as_in_the_study(training) if of_study else training)
    assert found.startswith("loss within ")


def test_groups_drawn_in_the_graph() -> None:
    generator = np.random.default_rng(0)
    labels = [tf.constant(generator.integers(0, size, 600), tf.int32) for size in (3, 40)]
    tf.random.set_seed(0)
    for share in (0.0, 1.0):
        change = grouping_parameters(number=20, coarser_and_finer_share=share)
        for is_drawn, group_of_event in draw_groupings(change, [3, 40])(labels):
            assert tf.reduce_any(is_drawn)
            groups, keys = group_of_event.numpy(), packed_keys(labels, [3, 40], is_drawn).numpy()
            assert set(groups) == set(range(groups.max() + 1))
            together = len(set(zip(groups.tolist(), keys.tolist(), strict=True)))
            if share:
                assert len(set(groups)) < together  # groups of more than one key
            else:
                assert len(set(groups)) == len(set(keys)) == together


def test_every_feature_is_drawn_as_often_as_asked_for() -> None:
    tf.random.set_seed(0)
    drawn = np.mean([draw_features(4, 2.0).numpy() for _ in range(400)], axis=0)
    assert drawn == pytest.approx(np.full(4, 0.5 / (1 - 0.5**4)), abs=0.12)


def test_matches_by_comparison() -> None:
    pasts = [[1, 2, 2, 3], [], [2, 1, 1], [3]]
    offers = [[1, 2], [3, -1], [2, -1], [1, 3]]
    counts = match_counts(
        tf.ragged.constant(pasts, dtype=tf.int64), tf.constant(offers, tf.int64), 2, [2, None]
    )
    for b, i, j in np.ndindex(2, 2, 2):
        past, keys = pasts[2 * b + i], set(offers[2 * b + j])
        expected = [oracle.count(past, range(max(len(past) - 2, 0), len(past)), keys)]
        expected.append(oracle.count(past, range(len(past)), keys))
        assert counts[b, i, j].numpy().tolist() == expected
