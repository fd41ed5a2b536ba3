"""Split by user."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from offerbench.core.columns import Split
from offerbench.core.errors import OfferbenchError
from offerbench.preparation.config import UserSplit
from offerbench.preparation.user_split import split_users


def draw(users: int, test: int, validation: int, seed: int) -> np.ndarray:
    parameters = UserSplit(test_users=test, validation_users=validation, seed=seed, min_target_events=1)
    return split_users(np.ones(users, np.int64), parameters, np.random.default_rng(seed))


@given(st.integers(1, 20), st.integers(1, 20), st.integers(1, 20), st.integers(0, 99))
def test_every_user_has_one_part_of_the_size_wanted(
    test: int, validation: int, train: int, seed: int
) -> None:
    split = draw(test + validation + train, test, validation, seed)
    sizes = {part: int((split == part).sum()) for part in Split}
    assert sizes == {Split.TEST: test, Split.VALIDATION: validation, Split.TRAIN: train}
    again = draw(test + validation + train, test, validation, seed)
    assert split.tolist() == again.tolist()


def test_another_seed_gives_another_split() -> None:
    first, second = (draw(100, 30, 30, seed) for seed in (1, 2))
    assert first.tolist() != second.tolist()


@pytest.mark.parametrize("users", [1, 6, 7])
def test_no_user_left_to_train_on_names_the_numbers(users: int) -> None:
    with pytest.raises(OfferbenchError, match=rf"prepare\.split: 4 test and 3 validation .* {users} users"):
        draw(users, 4, 3, 0)


def test_one_user_left_to_train_on_is_enough() -> None:
    assert (draw(8, 4, 3, 0) == Split.TRAIN).sum() == 1


def test_users_of_few_events_are_in_train() -> None:
    target_events = np.array([4, 5, 9, 1, 5, 3, 8])
    parameters = UserSplit(test_users=2, validation_users=2, seed=0, min_target_events=5)
    split = split_users(target_events, parameters, np.random.default_rng(0))
    assert (split[target_events < 5] == Split.TRAIN).all()
    assert np.bincount(split).tolist() == [3, 2, 2]  # all four others are drawn


def test_more_users_wanted_than_have_enough_events() -> None:
    parameters = UserSplit(test_users=2, validation_users=2, seed=0, min_target_events=5)
    with pytest.raises(OfferbenchError, match="more than the 3 users with min_target_events = 5"):
        split_users(np.array([5, 6, 7, 1, 1, 1]), parameters, np.random.default_rng(0))


@given(st.integers(3, 300), st.floats(0.001, 0.5), st.floats(0.001, 0.45), st.integers(0, 99))
def test_shares_are_those_of_the_users_with_enough_events(
    users: int, test: float, validation: float, seed: int
) -> None:
    events = np.random.default_rng(seed).integers(1, 4, users)
    eligible = int((events >= 2).sum())
    expected = [max(int(Fraction(repr(share)) * eligible), 1) for share in (test, validation)]
    assume(sum(expected) <= eligible)
    assume(sum(expected) < users)
    parameters = UserSplit(test_users=test, validation_users=validation, seed=seed, min_target_events=2)
    split = split_users(events, parameters, np.random.default_rng(seed))
    assert [int((split == part).sum()) for part in (Split.TEST, Split.VALIDATION)] == expected


def test_a_share_gives_the_same_users_as_its_number() -> None:
    share, number = (
        split_users(
            np.ones(100, np.int64),
            UserSplit(test_users=test, validation_users=20, seed=1, min_target_events=1),
            np.random.default_rng(1),
        )
        for test in (0.29, 29)
    )
    assert share.tolist() == number.tolist()
