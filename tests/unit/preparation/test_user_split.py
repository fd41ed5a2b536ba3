"""Split by user."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offerbench.errors import OfferbenchError
from offerbench.preparation.user_split import split_users
from offerbench.schema import Split


@given(st.integers(1, 20), st.integers(1, 20), st.integers(1, 20), st.integers(0, 99))
def test_every_user_has_one_part_of_the_size_wanted(
    test: int, validation: int, train: int, seed: int
) -> None:
    split = split_users(test + validation + train, test, validation, np.random.default_rng(seed))
    sizes = {part: int((split == part).sum()) for part in Split}
    assert sizes == {Split.TEST: test, Split.VALIDATION: validation, Split.TRAIN: train}
    again = split_users(test + validation + train, test, validation, np.random.default_rng(seed))
    assert split.tolist() == again.tolist()


def test_another_seed_gives_another_split() -> None:
    first, second = (split_users(100, 30, 30, np.random.default_rng(seed)) for seed in (1, 2))
    assert first.tolist() != second.tolist()


@pytest.mark.parametrize("users", [1, 6, 7])
def test_no_user_left_to_train_on_names_the_numbers(users: int) -> None:
    with pytest.raises(OfferbenchError, match=rf"prepare\.split: 4 test and 3 validation .* {users} users"):
        split_users(users, 4, 3, np.random.default_rng(0))


def test_one_user_left_to_train_on_is_enough() -> None:
    assert (split_users(8, 4, 3, np.random.default_rng(0)) == Split.TRAIN).sum() == 1
