"""The campaign score for offers of any kind: users' columns, and the same chances as the backtest's."""

import logging
from contextlib import chdir
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from offerbench.campaigns import score as score_module
from offerbench.campaigns.attributes import load_attributes
from offerbench.campaigns.backtest import run_backtest
from offerbench.campaigns.cuts import past_cuts
from offerbench.campaigns.moment import Moment
from offerbench.campaigns.offer import Offer, offer_of_expression
from offerbench.campaigns.rows import CampaignRow
from offerbench.campaigns.score import HeadScore
from offerbench.campaigns.scored_users import ScoredUsers
from offerbench.commands.campaign_score import load_campaign_score
from offerbench.core.columns import USER
from offerbench.core.errors import OfferbenchError
from offerbench.core.paths import PREPARED_DIRECTORY
from offerbench.core.tables import read_parquet
from offerbench.preparation.prepared import load_prepared

from ..parameters import backtest_parameters, head_parameters
from .conftest import CUT, TASKS

END = date(2019, 10, 26)


@pytest.fixture
def score(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> HeadScore:
    monkeypatch.setattr("offerbench.model.runtime.configure", lambda threads: None)  # it is set up already
    loaded = load_campaign_score()
    assert isinstance(loaded, HeadScore)
    return loaded


def offer(text: str) -> Offer:
    return offer_of_expression(text, load_attributes(PREPARED_DIRECTORY))


def scored(score: HeadScore, text: str, as_of: date = END, horizon: int = 3) -> ScoredUsers:
    (found,) = score.score_offers([offer(text)], as_of, horizon)
    return found


def test_users_have_what_the_log_says(score: HeadScore) -> None:
    found = scored(score, "brand = 'brand2' or product_id = '3'", date(2019, 10, 22))
    data = load_prepared(PREPARED_DIRECTORY)
    numbers = read_parquet(PREPARED_DIRECTORY / "users.parquet")[USER]
    events = data.events
    is_of_offer = offer("brand = 'brand2' or product_id = '3'").matches(events)
    before = events["day"] < (date(2019, 10, 22) - date(1970, 1, 1)).days
    assert found.user.tolist() == sorted(numbers[np.unique(events["user"][before])].tolist())
    for place, user in enumerate(found.user.tolist()):
        mine = before & is_of_offer & (numbers[events["user"]] == user)
        assert found.past_purchases[place] == mine.sum()
        last = np.datetime64(int(events["day"][mine].max()), "D") if mine.any() else np.datetime64("NaT")
        assert str(found.last_purchase[place]) == str(last)
    assert ((found.chance > 0) & (found.chance < 1)).all()
    assert (found.expected_purchases >= found.chance).all()


def test_chances_are_those_of_the_backtest(score: HeadScore, checkout: Path) -> None:
    backtest = backtest_parameters(dates=[CUT])
    (of_task,) = run_backtest(
        past_cuts([CUT]),
        ["brand"],
        backtest,
        lambda cut: Moment(cut, head_parameters()),
        load_prepared(PREPARED_DIRECTORY),
    )
    moment = Moment(past_cuts([CUT])[0], head_parameters())
    keys = moment.offers("brand", moment.until).table.keys
    attributes = load_attributes(moment.cut.prepared).by_name["brand"]
    numbers = read_parquet(PREPARED_DIRECTORY / "users.parquet")[USER]
    value = next(value for value, label in attributes.labels.items() if label == keys[1] and value)
    found = scored(score, f"brand = '{value}'", date.fromisoformat(CUT))
    rows = np.searchsorted(found.user, numbers[of_task.users])
    expected = of_task.chances[CampaignRow.CAMPAIGN][:, 1]
    np.testing.assert_allclose(found.chance[rows], expected, rtol=1e-4)


def test_parts_of_the_users_are_one_list(score: HeadScore, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = scored(score, "brand = 'brand2'")
    monkeypatch.setattr(score_module, "USERS_AT_A_TIME", 17)
    parts = scored(score, "brand = 'brand2'")
    assert parts.user.tolist() == whole.user.tolist()
    np.testing.assert_allclose(parts.chance, whole.chance, rtol=1e-5)
    assert parts.past_purchases.tolist() == whole.past_purchases.tolist()


def test_offers_one_after_the_other_are_scored_as_alone(score: HeadScore) -> None:
    texts = ["brand = 'brand2'", "product_id in ('1', '2') and brand <> ''", "category2 = 'middle3'"]
    together = list(score.score_offers([offer(text) for text in texts], END, 3))
    for text, found in zip(texts, together, strict=True):
        assert (found.chance == scored(score, text).chance).all()


def test_an_offer_that_nobody_bought_is_scored_by_its_attributes(score: HeadScore) -> None:
    found = scored(score, "brand = 'brand1' and category2 = 'middle3'")  # no product has both
    assert found.past_purchases.sum() == 0
    assert np.isnat(found.last_purchase).all()
    assert len(np.unique(found.chance)) > 10


def test_a_longer_horizon_has_higher_chances_and_is_warned_of(
    score: HeadScore, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        longer = scored(score, "brand = 'brand2'", horizon=6)
    assert "a horizon of 6 days" in caplog.text
    usual = scored(score, "brand = 'brand2'")
    np.testing.assert_allclose(1 - longer.chance, (1 - usual.chance) ** 2, rtol=1e-9)
    np.testing.assert_allclose(longer.expected_purchases, 2 * usual.expected_purchases, rtol=1e-9)


def test_a_season_that_was_not_seen_is_warned_of(score: HeadScore, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        scored(score, "brand = 'brand2'")
    assert "these weeks of the year were not seen before" in caplog.text


def test_a_season_that_was_seen_a_year_before_is_not(
    score: HeadScore, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    days = (END - date(2019, 10, 1)).days  # the log begins on 2019-10-01
    for year, is_told in ((days, False), (days + 1, True)):
        monkeypatch.setattr(score_module, "DAYS_OF_YEAR", year)
        caplog.clear()
        with caplog.at_level(logging.WARNING):
            scored(score, "brand = 'brand2'")
        assert ("not seen before" in caplog.text) is is_told


def test_what_is_missing_or_damaged_is_named(
    finished_checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("offerbench.model.runtime.configure", lambda threads: None)
    for name in ("data", "params.yaml"):
        (tmp_path / name).symlink_to(finished_checkout / name)
    (tmp_path / "models").mkdir()
    for name in ("augmented", "activity"):
        (tmp_path / "models" / name).symlink_to(finished_checkout / "models" / name)
    with chdir(tmp_path):
        with pytest.raises(OfferbenchError, match="no such file"):
            list(load_campaign_score().score_offers([offer("brand = 'brand2'")], END, 3))
        (tmp_path / "models/head").mkdir()
        (tmp_path / "models/head/present.json").write_text('{"factors": {}}')
        with pytest.raises(OfferbenchError, match="no saved head"):
            list(load_campaign_score().score_offers([offer("brand = 'brand2'")], END, 3))
    assert TASKS
