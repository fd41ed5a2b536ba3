"""Split by user: no user is in two parts."""

import numpy as np
import numpy.typing as npt

from offerbench.core.columns import Split
from offerbench.core.errors import OfferbenchError
from offerbench.core.section import count_of
from offerbench.preparation.config import UserSplit


def split_users(
    target_events: npt.NDArray[np.int64], parameters: UserSplit, generator: np.random.Generator
) -> npt.NDArray[np.int8]:
    """Give each user a part: a permutation's first users are test, the next validation, the rest train.

    Parameters
    ----------
    target_events : int64, shape (users,)
        Number of target events of each user; one with less than `min_target_events` is in train.
    parameters : UserSplit
        Sizes of the parts; a part that is a share has at least one user.
    generator : numpy.random.Generator
        Source of the permutation.

    Returns
    -------
    int8, shape (users,)
        `Split` of each user.

    Raises
    ------
    OfferbenchError
        If no user is left for training.
    """
    users = len(target_events)
    eligible = np.flatnonzero(target_events >= parameters.min_target_events)
    test_users, validation_users = (
        max(count_of(amount, len(eligible)), 1)
        for amount in (parameters.test_users, parameters.validation_users)
    )
    if test_users + validation_users >= users:
        raise OfferbenchError(
            f"prepare.split: {test_users} test and {validation_users} validation users leave none to train "
            f"on: the data has {users} users with a target event. Lower the two numbers in params.yaml."
        )
    if test_users + validation_users > len(eligible):
        raise OfferbenchError(
            f"prepare.split: {test_users} test and {validation_users} validation users are more than the "
            f"{len(eligible)} users with min_target_events = {parameters.min_target_events}. "
            "Lower the numbers in params.yaml."
        )
    permutation = eligible[generator.permutation(len(eligible))]
    split = np.full(users, Split.TRAIN, np.int8)
    split[permutation[:test_users]] = Split.TEST
    split[permutation[test_users : test_users + validation_users]] = Split.VALIDATION
    return split
