"""A crowd: as many users as wanted, each with a piece of a real user's purchases; models stay as they are."""

import shutil
from pathlib import Path

import numpy as np

from offerbench.core.columns import DAY, HISTORY, SPLIT, USER, Split, bag, window
from offerbench.core.paths import MODELS_DIRECTORY, PARAMETERS_FILE, PREPARED_DIRECTORY
from offerbench.core.ranges import concatenated_ranges
from offerbench.core.tables import ArrowColumns, write_parquet
from offerbench.preparation.prepared import PreparedData, load_prepared

HELD_OUT = 100  # one user of so many is a validation user, one a test user


def make_crowd(directory: Path, users: int, mean_events: float, seed: int) -> None:
    """Make a checkout whose prepared data are of a crowd; its models and parameters are those of this one.

    Histories of events are left out: an audience makes its own, as of its day.

    Parameters
    ----------
    directory : Path
        An empty directory.
    users : int
        Users of the crowd.
    mean_events : float
        Of a user; drawn from a geometric distribution, and no more than the real user has.
    seed : int
        Of all draws.
    """
    data = load_prepared(PREPARED_DIRECTORY)
    prepared = directory / PREPARED_DIRECTORY
    prepared.mkdir(parents=True)
    rows, length = draw_pieces(data, users, mean_events, np.random.default_rng(seed))
    columns = {
        USER: np.repeat(np.arange(users, dtype=np.int32), length),
        DAY: data.events[DAY][rows],
        HISTORY: np.zeros(len(rows), np.int32),
        **{name: data.events[name][rows] for name in data.offer_sizes},
    }
    _write(prepared / "target_events.arrow", columns)
    none = np.empty(0, np.int64)
    names = [window(data.target_event), *(bag(name) for name in data.user_sizes)]
    _write(prepared / "histories.arrow", {column: none for pair in names for column in pair})
    for name in data.user_sizes:
        _write(prepared / f"bag_{name}.arrow", {"value": np.empty(0, np.int32)})
    part = np.array([Split.VALIDATION, Split.TEST] + [Split.TRAIN] * (HELD_OUT - 2))
    numbers = np.arange(users, dtype=np.int64)
    write_parquet(prepared / "users.parquet", {USER: numbers + 1, SPLIT: part[numbers % HELD_OUT]})
    for name in ("features.json", "vocabulary.parquet"):
        shutil.copy(PREPARED_DIRECTORY / name, prepared / name)
    for path in (MODELS_DIRECTORY, PARAMETERS_FILE):
        (directory / path).symlink_to(path.resolve())


def draw_pieces(
    data: PreparedData, users: int, mean_events: float, generator: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Draw for each user of the crowd consecutive events of a real user.

    Returns
    -------
    rows : int64, shape (events of the crowd,)
        Of the real events, one user after the other.
    length : int64, shape (users,)
    """
    of_user = np.unique(data.events[USER], return_index=True, return_counts=True)[1:]
    real = generator.integers(0, len(of_user[0]), users)
    first, count = of_user[0][real], of_user[1][real]
    length = np.minimum(generator.geometric(1 / mean_events, users), count)
    start = first + generator.integers(0, count - length + 1)
    return concatenated_ranges(start, length), length


def _write(target: Path, columns: dict[str, np.ndarray]) -> None:
    writer = ArrowColumns(target)
    writer.append(columns)
    writer.close()
