"""What the backtest reached by the size of the offer, and how an audience finds it again."""

import json
import logging
from pathlib import Path

import numpy as np
import pytest

from offerbench.campaigns.backtest import Scored
from offerbench.campaigns.backtest_reach import head_digests, reach_of_size, read_sizes
from offerbench.campaigns.cuts import Cut, all_cuts
from offerbench.campaigns.result_content import size_content
from offerbench.campaigns.results import collect
from offerbench.campaigns.rows import CampaignRow
from offerbench.campaigns.sizes import POINTS, SIZES, add_sizes, measure_sizes
from offerbench.core.json_files import write_json
from tests.oracle.campaigns import buyers_among_best

from ..parameters import backtest_parameters

USERS, OFFERS, TRAIN = 40, 60, 400


def drawn(seed: int) -> Scored:
    generator = np.random.default_rng(seed)
    chance = generator.uniform(0.01, 0.6, (USERS, OFFERS))
    nothing = np.zeros(OFFERS, np.int64)
    return Scored(
        task="brand",
        date=f"2017-0{seed + 1}-01",
        users=np.arange(USERS, dtype=np.int32),
        bought=generator.random((USERS, OFFERS)) < chance,
        earlier_buyers=(TRAIN * generator.random(OFFERS) ** 4).astype(np.int64),
        train_users=TRAIN,
        age=nothing,
        scores={str(row): np.log(chance) for row in CampaignRow},
        chances={str(row): chance for row in CampaignRow.with_chances()},
        is_best_seller=nothing == 1,
        is_unnamed=np.arange(OFFERS) % 9 == 8,
    )


def test_offers_of_a_size_against_a_loop() -> None:
    scored = drawn(1)
    found = measure_sizes(scored, np.random.default_rng(0))
    assert len(found) == len(SIZES)
    assert sum(each.buyers for each in found) == scored.bought[:, ~scored.is_unnamed].sum()
    for (low, high), each in zip(SIZES, found, strict=True):
        mine = [
            offer
            for offer in range(OFFERS)
            if not scored.is_unnamed[offer] and low <= scored.earlier_buyers[offer] / TRAIN < high
        ]
        assert each.offers == sum(bool(scored.bought[:, offer].any()) for offer in mine)
        assert each.expected == pytest.approx(scored.chances[CampaignRow.CAMPAIGN][:, mine].sum())
        for place, share in enumerate(POINTS):
            scores = [scored.scores[CampaignRow.CAMPAIGN][:, offer].tolist() for offer in mine]
            bought = [scored.bought[:, offer].tolist() for offer in mine]
            expected = sum(map(buyers_among_best, scores, bought, [share] * len(mine)))
            assert each.reached[place] == pytest.approx(expected)
    both = add_sizes([found[3], found[4]])
    assert both.buyers == found[3].buyers + found[4].buyers
    assert both.reached.tolist() == (found[3].reached + found[4].reached).tolist()


def test_an_audience_finds_the_offers_of_its_size(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    weights = np.ones((USERS, 2), np.int32)
    test = np.arange(USERS, dtype=np.int32)
    results = collect([drawn(0), drawn(1)], test, weights, backtest_parameters())
    file, heads = tmp_path / "sizes.json", {"2017-01-01": "a", "present": "b"}
    write_json(file, size_content(results, 14, heads))
    sizes = read_sizes(file, heads)
    assert sizes is not None
    for written in sizes.sizes:
        middle = (written.bought_before_from + min(written.bought_before_below, 1)) / 2
        for share, part in zip(sizes.users, written.buyers_reached, strict=True):
            found = reach_of_size(sizes, middle, share, 14)
            assert found is not None and found.share_of_buyers == pytest.approx(part)
            assert found.offers == written.offers
        assert written.buyers_reached[0] == 0 and written.buyers_reached[-1] == 1
    assert reach_of_size(sizes, 2.0, 0.1, 14) is None  # no offer has that size
    assert reach_of_size(sizes, 0.1, 0.1, 7) is None
    assert reach_of_size(None, 0.1, 0.1, 14) is None
    assert read_sizes(tmp_path / "none.json", heads) is None
    assert read_sizes(file, {**heads, "present": "c"}) is None  # of another run
    with caplog.at_level(logging.WARNING):
        for text in ("{", json.dumps({"sizes": []})):
            file.write_text(text)
            assert read_sizes(file, heads) is None
            assert "passed over, not what `backtest` writes" in caplog.text
            caplog.clear()


def test_heads_are_known_by_their_content(checkout: Path) -> None:
    found = head_digests([*all_cuts(["2019-10-20"]), Cut("2000-01-01", 0)])
    assert list(found) == ["2019-10-20", "present", "2000-01-01"]
    assert len(found["present"]) == 64 and found["present"] != found["2019-10-20"]
    assert found["2000-01-01"] == ""


def test_a_backtest_of_no_dates_has_no_sizes() -> None:
    assert size_content({}, 14, {})["sizes"] == []
