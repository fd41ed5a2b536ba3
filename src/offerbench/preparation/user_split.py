"""Split by user: no user is in two parts."""

import numpy as np
import numpy.typing as npt

from offerbench.errors import OfferbenchError
from offerbench.schema import Split


def split_users(
    users: int, test_users: int, validation_users: int, generator: np.random.Generator
) -> npt.NDArray[np.int8]:
    """Give each user a part: a permutation's first users are test, the next validation, the rest train.

    Returns
    -------
    int8, shape (users,)
        `Split` of each user.

    Raises
    ------
    OfferbenchError
        If no user is left for training.
    """
    if test_users + validation_users >= users:
        raise OfferbenchError(
            f"prepare.split: {test_users} test and {validation_users} validation users leave none to train "
            f"on: the data has {users} users with a target event. Lower the two numbers in params.yaml."
        )
    permutation = generator.permutation(users)
    split = np.full(users, Split.TRAIN, np.int8)
    split[permutation[:test_users]] = Split.TEST
    split[permutation[test_users : test_users + validation_users]] = Split.VALIDATION
    return split
