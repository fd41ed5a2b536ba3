"""Users scored in shards, without Spark, against one machine: every column of the same bits."""

from collections.abc import Iterator
from dataclasses import fields
from datetime import date
from pathlib import Path

import pytest

from offerbench.campaigns import score as score_module
from offerbench.campaigns.attributes import load_attributes
from offerbench.campaigns.offer import offer_of_expression
from offerbench.campaigns.score import HeadScore
from offerbench.campaigns.scored_users import ScoredUsers
from offerbench.commands.campaign_score import load_campaign_score
from offerbench.core.errors import OfferbenchError
from offerbench.core.paths import PREPARED_DIRECTORY
from offerbench.engines import spark_score
from offerbench.engines.spark_score import SparkScore
from offerbench.preparation.resources import Spark

from ..engines.plain_session import PlainSession, open_plain_session

OFFERS = ["brand = 'brand2' or product_id = '3'", "price_cluster < 3", "brand = 'brand1'"]


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> PlainSession:
    """A session that runs tasks in a loop."""
    return open_plain_session(monkeypatch, spark_score)


def bits(scored: Iterator[ScoredUsers]) -> list[list[tuple[str, bytes]]]:
    names = [field.name for field in fields(ScoredUsers)]
    columns = [[getattr(one, name) for name in names] for one in scored]
    return [[(str(column.dtype), column.tobytes()) for column in each] for each in columns]


@pytest.mark.parametrize("as_of", [date(2019, 10, 9), date(2019, 10, 22), date(2019, 10, 26)], ids=str)
@pytest.mark.parametrize(("users_per_shard", "shards"), [(1, 5), (40, 3), (1000, 2)])
def test_shards_are_the_whole(
    checkout: Path,
    session: PlainSession,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    as_of: date,
    users_per_shard: int,
    shards: int,
) -> None:
    monkeypatch.setattr(score_module, "USERS_AT_A_TIME", 20)
    one_machine = load_campaign_score()
    assert isinstance(one_machine, HeadScore)
    attributes = load_attributes(PREPARED_DIRECTORY)
    offers = [offer_of_expression(text, attributes) for text in OFFERS]
    spark = Spark(master="none", work_directory=str(tmp_path), users_per_shard=users_per_shard, conf={})
    found = bits(SparkScore(one_machine, spark).score_offers(offers, as_of, 3))
    assert found == bits(one_machine.score_offers(offers, as_of, 3))
    assert session.jobs == [shards]
    assert list(tmp_path.iterdir()) == []


def test_a_lost_shard_is_named(
    checkout: Path, session: PlainSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    score = spark_score.score_users

    def losing(number: int, told: spark_score.Told) -> str:
        answer = score(number, told)
        next(told.directory.glob("*.npz")).unlink()
        return answer

    monkeypatch.setattr(spark_score, "score_users", losing)
    one_machine = load_campaign_score()
    assert isinstance(one_machine, HeadScore)
    offers = [offer_of_expression(OFFERS[0], load_attributes(PREPARED_DIRECTORY))]
    spark = Spark(master="none", work_directory=str(tmp_path), users_per_shard=50, conf={})
    with pytest.raises(OfferbenchError, match=r"\.npz: is gone, or not as the task that wrote it left it"):
        list(SparkScore(one_machine, spark).score_offers(offers, date(2019, 10, 26), 3))
