"""The backtest's users scored in shards, without Spark, against one machine: every score the same bits."""

from collections.abc import Sequence
from contextlib import chdir
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from offerbench.campaigns.backtest import Engine, Scored, ThisMachine, run_backtest
from offerbench.campaigns.cuts import past_cuts
from offerbench.campaigns.dated_task import DatedTask, rows_of_parts, users_in_parts
from offerbench.campaigns.moment import Moment
from offerbench.campaigns.pair_scores import PairScores, rank_decayed_counts
from offerbench.campaigns.peers import Peers
from offerbench.campaigns.rows import CampaignRow
from offerbench.campaigns.users_as_of import UsersAsOf
from offerbench.core.errors import OfferbenchError
from offerbench.core.paths import PREPARED_DIRECTORY
from offerbench.engines import spark_backtest
from offerbench.engines.backtest import backtest_engine
from offerbench.engines.backtest_tasks import PEERS
from offerbench.engines.user_shards import SIZES
from offerbench.preparation.prepared import load_prepared

from ..engines.plain_session import PlainSession, open_plain_session
from ..parameters import backtest_parameters, head_parameters, resources_parameters
from .conftest import CUT, TASKS


class Remembering(ThisMachine):
    """Remembers what was asked for."""

    def __init__(self) -> None:
        self.asked: list[DatedTask] = []

    def score(self, dated: DatedTask, parts: Sequence[UsersAsOf], into: PairScores) -> None:
        self.asked.append(dated)
        super().score(dated, parts, into)


def run(engine: Engine | None = None) -> list[Scored]:
    present = load_prepared(PREPARED_DIRECTORY)
    cuts, parameters = past_cuts([CUT]), backtest_parameters()
    return list(
        run_backtest(cuts, TASKS, parameters, lambda cut: Moment(cut, head_parameters()), present, engine)
    )


@pytest.fixture(scope="module")
def asked(finished_checkout: Path) -> list[DatedTask]:
    """All tasks as of all dates."""
    remembering = Remembering()
    with chdir(finished_checkout):
        run(remembering)
    return remembering.asked


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> PlainSession:
    """A session that runs tasks in a loop."""
    return open_plain_session(monkeypatch, spark_backtest)


def scored(dated: DatedTask, users_at_a_time: int, engine: Engine) -> PairScores:
    """Score all test users."""
    parts = users_in_parts(dated.moment, dated.date, users_at_a_time)
    found = PairScores.unwritten(sum(map(len, parts)), len(dated.offers))
    engine.score(dated, parts, found)
    return found


def bits(pairs: PairScores) -> list[tuple[str, str, bytes]]:
    return [(name, str(each.dtype), each.tobytes()) for name, each in pairs.matrices()]


def on_shards(work: Path, users_per_shard: int) -> dict[str, object]:
    return {"master": "none", "work_directory": str(work), "users_per_shard": users_per_shard, "conf": {}}


@settings(deadline=None, max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    which=st.integers(0, 3),
    users_at_a_time=st.integers(1, 30),
    users_per_shard=st.integers(1, 40),
    cores=st.integers(1, 5),
)
def test_shards_are_the_whole(
    asked: list[DatedTask],
    checkout: Path,
    session: PlainSession,
    tmp_path: Path,
    which: int,
    users_at_a_time: int,
    users_per_shard: int,
    cores: int,
) -> None:
    session.sparkContext = SimpleNamespace(defaultParallelism=cores)
    expected = scored(asked[which], users_at_a_time, ThisMachine())
    with backtest_engine(resources_parameters(spark=on_shards(tmp_path, users_per_shard))) as engine:
        found = scored(asked[which], users_at_a_time, engine)
    assert bits(found) == bits(expected)
    users = len(expected.scores[CampaignRow.COUNT])
    parts = -(-users // users_at_a_time)
    assert session.jobs[-1] == min(max(-(-users // users_per_shard), cores), parts)
    assert list(tmp_path.iterdir()) == []


@settings(deadline=None, max_examples=20)
@given(which=st.integers(0, 3), users_at_a_time=st.integers(1, 30))
def test_a_score_depends_on_no_other_user(asked: list[DatedTask], which: int, users_at_a_time: int) -> None:
    """Of parts of other sizes, products of matrices may have other last digits, and nothing else."""
    whole = scored(asked[which], 10**6, ThisMachine())
    parts = scored(asked[which], users_at_a_time, ThisMachine())
    for (name, one), (_, other) in zip(whole.matrices(), parts.matrices(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6, err_msg=name)
    for row in (CampaignRow.COUNT, CampaignRow.DECAYED_COUNT):
        assert (whole.scores[row] == parts.scores[row]).all()


def test_the_whole_backtest_is_the_same(checkout: Path, session: PlainSession, tmp_path: Path) -> None:
    expected = run()
    with backtest_engine(resources_parameters(spark=on_shards(tmp_path, 7))) as engine:
        found = run(engine)
    assert session.jobs == [len(TASKS)] + [1] * len(expected)  # all test users are one part
    for one, other in zip(expected, found, strict=True):
        for name, value in vars(one).items():
            if isinstance(value, np.ndarray):
                assert value.tobytes() == getattr(other, name).tobytes(), name
            elif isinstance(value, dict):
                assert {row: each.tobytes() for row, each in value.items()} == {
                    row: each.tobytes() for row, each in getattr(other, name).items()
                }
            else:
                assert value == getattr(other, name)


def test_activity_breaks_ties_of_decayed_counts() -> None:
    pairs = PairScores.unwritten(4, 401)  # more than are scored at a time
    pairs.scores[CampaignRow.ACTIVITY][:] = np.array([0.3, 0.1, 0.2, 0.1])[:, None]
    pairs.scores[CampaignRow.DECAYED_COUNT][:] = 0
    pairs.scores[CampaignRow.DECAYED_COUNT][1, [0, 400]] = 1.5, 0.25
    rank_decayed_counts(pairs)
    ranked = pairs.scores[CampaignRow.DECAYED_COUNT]
    assert ranked[:, 0].tolist() == [2, 4, 1, 0]
    assert ranked[:, 1].tolist() == [2, 0, 1, 0]
    assert ranked[:, 400].tolist() == [2, 4, 1, 0]


def test_peers_travel_with_all_bits(asked: list[DatedTask]) -> None:
    dated = asked[-1]
    assert dated.peers.own
    text = dated.peers.as_text()
    again = PEERS.validate_json(PEERS.dump_json(text))
    assert again == text
    other = replace(dated, peers=Peers.of_text(again))
    assert other.peers.keys.dtype == dated.peers.keys.dtype
    assert bits(scored(other, 10**6, ThisMachine())) == bits(scored(dated, 10**6, ThisMachine()))


def test_parts_have_the_rows_of_their_users(asked: list[DatedTask]) -> None:
    moment, date = asked[0].moment, asked[0].date
    (whole,) = users_in_parts(moment, date, 10**6)
    parts = users_in_parts(moment, date, 4)
    rows = rows_of_parts(parts)
    assert [part.users.tolist() for part in parts] == [whole.users[each].tolist() for each in rows]
    assert sum(len(part) for part in parts) == len(whole) > 4
    assert len(users_in_parts(moment, "2019-09-01", 4)) == 1  # nobody has a past then


def refusal(dated: DatedTask, work: Path) -> str:
    with (
        backtest_engine(resources_parameters(spark=on_shards(work, 3))) as engine,
        pytest.raises(OfferbenchError) as refused,
    ):
        scored(dated, 3, engine)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def spoil(file: Path, fault: str) -> None:
    """Do to a file what a disk does."""
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    if fault == "gone":
        file.unlink()
    else:
        file.write_bytes(content if fault == "damaged" else content[:-1])


@pytest.mark.parametrize("fault", ["gone", "shorter", "damaged"])
def test_a_file_that_is_not_as_it_was_left_is_named(
    asked: list[DatedTask],
    checkout: Path,
    session: PlainSession,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    fault: str,
) -> None:
    score, fit = spark_backtest.score_shard, spark_backtest.fit_task

    def spoiled(answer: str) -> str:
        spoil(Path(next(iter(SIZES.validate_json(answer)))), fault)
        return answer

    monkeypatch.setattr(spark_backtest, "score_shard", lambda number, told: spoiled(score(number, told)))
    monkeypatch.setattr(spark_backtest, "fit_task", lambda number, at, tasks: spoiled(fit(number, at, tasks)))
    said = refusal(asked[0], tmp_path)
    assert said.startswith(f"{tmp_path}/")
    assert ".npz: is gone, or not as the task that wrote it left it" in said
    with (
        backtest_engine(resources_parameters(spark=on_shards(tmp_path, 3))) as engine,
        pytest.raises(OfferbenchError, match=r"\.json: is gone, or not as the task that wrote it left it"),
    ):
        list(engine.fit(asked[0].moment, TASKS[:1], asked[0].backtest))
    assert list(tmp_path.iterdir()) == []


def test_a_machine_that_does_not_see_the_work_directory_is_named(
    asked: list[DatedTask],
    checkout: Path,
    session: PlainSession,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    score, unseen = spark_backtest.score_shard, tmp_path / "unseen"
    monkeypatch.setattr(
        spark_backtest,
        "score_shard",
        lambda number, told: score(number, replace(told, at=replace(told.at, directory=unseen))),
    )
    assert refusal(asked[0], tmp_path).startswith(f"{unseen}: ")


def test_a_model_that_is_gone_is_refused_alike(
    asked: list[DatedTask], checkout: Path, session: PlainSession, tmp_path: Path
) -> None:
    """A task of Spark loads the models of the cut by itself."""
    with chdir(tmp_path):
        said = refusal(asked[0], tmp_path / "work")
        with pytest.raises(OfferbenchError) as refused:
            load_prepared(PREPARED_DIRECTORY)
    assert said == str(refused.value)
