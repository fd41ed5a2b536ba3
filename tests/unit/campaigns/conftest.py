"""A checkout with all that the campaign score needs, made of the tiny log: a cut, and the present."""

from collections.abc import Callable
from contextlib import chdir
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from offerbench.campaigns.as_of import day_number
from offerbench.campaigns.cuts import Cut, all_cuts
from offerbench.campaigns.learning import learn_activity, learn_head
from offerbench.campaigns.moment import Moment
from offerbench.core.json_files import write_json
from offerbench.model.saved_model import save_model
from offerbench.preparation.prepare import prepare_dataset
from offerbench.preparation.prepared import load_prepared

from ..conftest import USERS
from ..parameters import (
    COMPLETE,
    activity_parameters,
    head_parameters,
    prepare_parameters,
    resources_parameters,
)
from ..rankers import random_ranker
from ..tiny_log import draw_log, write_log

CUT = "2019-10-20"
TASKS = ["product_id", "brand"]


def make_checkout(directory: Path, edit: Callable[[list[str]], list[str]] = lambda lines: lines) -> None:
    """Make the checkout of a log whose lines are edited."""
    write_log(directory / "data/raw/rees46", edit([line for _, line in draw_log(USERS, seed=20)]))
    with (directory / "params.yaml").open("w") as file:
        YAML().dump(COMPLETE, file)
    with chdir(directory):
        for cut in all_cuts([CUT]):
            cut.prepared.mkdir(parents=True)
            resources = resources_parameters(spill_directory="spill")
            raw, until = Path("data/raw/rees46"), day_number(CUT) if cut.day else None
            prepare_dataset("rees46", raw, cut.prepared, prepare_parameters(), resources, until=until)
            ranker = random_ranker(load_prepared(cut.prepared), "variance_matches_shared", seed=3)
            cut.ranker.mkdir(parents=True)
            save_model(ranker, cut.ranker)
            moment = Moment(cut, head_parameters())
            write_json(cut.activity, learn_activity(moment, activity_parameters()).content())
            write_json(cut.head, learn_head(moment, TASKS).content())


@pytest.fixture(scope="session")
def finished_checkout(tmp_path_factory: pytest.TempPathFactory, configured_tensorflow: None) -> Path:
    """The checkout; tests don't change it."""
    directory = tmp_path_factory.mktemp("checkout")
    make_checkout(directory)
    return directory


@pytest.fixture
def checkout(finished_checkout: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The checkout as working directory."""
    monkeypatch.chdir(finished_checkout)
    return finished_checkout


@pytest.fixture
def moment(checkout: Path) -> Moment:
    """What was made at the cut."""
    return Moment(Cut(CUT, day_number(CUT)), head_parameters())
