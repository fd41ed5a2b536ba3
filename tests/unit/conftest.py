"""A tiny data set that the stage `prepare` made, with the log that it was made from."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from offerbench.preparation.config import Prepare
from offerbench.preparation.prepare import prepare_dataset
from offerbench.preparation.prepared import PreparedData, load_prepared
from tests.oracle.histories import Event

from .parameters import prepare_parameters, resources_parameters
from .tiny_log import draw_log, write_log

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # before TensorFlow is imported

USERS = 90


@dataclass(frozen=True)
class TinyData:
    """The prepared data, its parameters, and the events that are kept of the log."""

    directory: Path
    prepare: Prepare
    data: PreparedData
    counts: dict[str, Any]
    log: list[Event]
    """All events of the log, views and users without a purchase too."""
    kept: list[Event]
    """Carts and purchases of users with a purchase."""
    targets: list[Event]
    """The purchases, in the order of target_events.arrow: by user's number, day, row of the file."""

    def labels(self, feature: str) -> dict[str, int]:
        """Label of each value of the vocabulary."""
        table = pq.read_table(self.directory / "vocabulary.parquet").to_pylist()
        return {row["value"]: row["label"] for row in table if row["feature"] == feature}


def make_tiny_data(directory: Path, **history: Any) -> TinyData:
    """Draw a log and prepare it with some keys of the histories changed."""
    log = draw_log(USERS, seed=20)
    write_log(directory / "raw", [line for _, line in log])
    events = [event for event, _ in log]
    buyers = {event.user for event in events if event.event_type == "purchase"}
    kept = [event for event in events if event.user in buyers and event.event_type != "view"]
    targets = [event for event in kept if event.event_type == "purchase"]
    prepare = prepare_parameters(**history)
    prepared = directory / "prepared"
    prepared.mkdir()
    resources = resources_parameters(spill_directory=str(directory / "spill"))
    counts = prepare_dataset("rees46", directory / "raw", prepared, prepare, resources)
    return TinyData(
        directory=prepared,
        prepare=prepare,
        data=load_prepared(prepared),
        counts=counts,
        log=events,
        kept=kept,
        targets=sorted(targets, key=lambda event: (event.user, event.day, event.row)),
    )


@pytest.fixture(scope="session", params=["oldest", "latest"])
def each_tiny_data(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> TinyData:
    """The tiny data set with either way to cut histories."""
    return make_tiny_data(tmp_path_factory.mktemp(request.param), keep=request.param)


@pytest.fixture(scope="session")
def tiny_data(tmp_path_factory: pytest.TempPathFactory) -> TinyData:
    """The tiny data set with the latest events of a history kept."""
    return make_tiny_data(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="session")
def weighted_tiny_data(tmp_path_factory: pytest.TempPathFactory) -> TinyData:
    """The tiny data set with values weighted by recency."""
    return make_tiny_data(tmp_path_factory.mktemp("weighted"), weights="recency", half_life_events=2.0)


@pytest.fixture(scope="session")
def configured_tensorflow() -> None:
    """TensorFlow as the stages set it up: once in a process, before any operation runs."""
    from offerbench.model import runtime

    runtime.configure(threads=2)
