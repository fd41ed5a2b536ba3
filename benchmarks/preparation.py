"""prepare on Complete Journey: pandas and scikit-learn in the published manner against ours."""

import shutil
from pathlib import Path

import numpy as np

from benchmarks.measure import Comparison, alternate
from benchmarks.plain.preparation import plain_prepare
from benchmarks.set_ups import prepare_beside
from offerbench.core.columns import DAY
from offerbench.core.paths import RAW_DIRECTORY
from offerbench.core.tables import read_arrow
from offerbench.parameters import Parameters


def compare_preparations(parameters: Parameters, temporary: Path, rounds: int) -> Comparison:
    """Time both from the raw files to the prepared tables, and compare the labels of all events."""
    raw = RAW_DIRECTORY / parameters.dataset
    plain_directory, our_directory = temporary / "plain", temporary / "ours"

    def plain() -> None:
        shutil.rmtree(plain_directory, ignore_errors=True)
        plain_directory.mkdir()
        nonlocal events
        events = plain_prepare(raw, plain_directory, parameters.prepare)

    def ours() -> None:
        shutil.rmtree(our_directory, ignore_errors=True)
        our_directory.mkdir()
        prepare_beside(parameters, our_directory)

    events = None
    plain_seconds, our_seconds = alternate(plain, ours, rounds)
    table = read_arrow(our_directory / "target_events.arrow")
    features = [name for name in parameters.prepare.offer_features if name not in parameters.prepare.clusters]
    for name in (DAY, *features):
        assert np.array_equal(events[name].to_numpy(), table[name]), name
    return Comparison(
        figure="prepare, Complete Journey",
        plain_seconds=plain_seconds,
        ours_seconds=our_seconds,
        rounds=rounds,
        rows=len(table[DAY]),
        wanted_ratio=8,
        agreement="labels of all events equal but for the price clusters (other first centres)",
    )
