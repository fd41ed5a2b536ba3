"""What audiences of a day share is kept, with equal bits, and made anew after any change."""

import datetime
import logging
import shutil
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

from offerbench.campaigns import score as score_module
from offerbench.campaigns.kept_users import MAX_DAYS, KeptUsers, digest_of
from offerbench.campaigns.moment import Moment
from offerbench.campaigns.pair_history import pair_history, rows_of_offers
from offerbench.campaigns.paths import USERS_DIRECTORY
from offerbench.campaigns.score import HeadScore
from offerbench.campaigns.scored_users import ScoredUsers
from offerbench.campaigns.single_offer import distribution_of
from offerbench.campaigns.users_as_of import UsersAsOf
from offerbench.core.columns import Split
from offerbench.features.offers import feature_distribution

from .test_score import END, score, scored  # noqa: F401  the fixture

TEXT = "brand = 'brand2' or product_id = '3'"


def columns(found: ScoredUsers) -> list[bytes]:
    return [each.tobytes() for each in (found.user, found.chance, found.expected_purchases)]


@pytest.fixture
def empty(checkout: Path) -> Path:
    """The directory of what is kept, with nothing in it."""
    shutil.rmtree(USERS_DIRECTORY, ignore_errors=True)
    return USERS_DIRECTORY


def test_a_second_audience_makes_nothing_anew(
    score: HeadScore,  # noqa: F811
    empty: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(score_module, "USERS_AT_A_TIME", 17)
    first = columns(scored(score, TEXT))
    (kept,) = empty.iterdir()
    assert len(list(kept.iterdir())) > 1
    monkeypatch.setattr(UsersAsOf, "tensors", None)  # would be called to keep what was made
    monkeypatch.setattr("offerbench.campaigns.users_as_of.user_vectors", None)
    monkeypatch.setattr("offerbench.campaigns.users_as_of.count_and_mark", None)
    assert columns(scored(score, TEXT)) == first


def test_what_is_damaged_is_made_anew(
    score: HeadScore,  # noqa: F811
    empty: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    first = columns(scored(score, TEXT))
    (file,) = next(empty.iterdir()).iterdir()
    whole = file.read_bytes()
    changed = whole[:-9] + bytes([whole[-9] ^ 1]) + whole[-8:]
    other = safetensors.numpy.save(safetensors.numpy.load_file(file))  # without its check sum
    for damaged in (whole[:100], b"", changed, other):
        file.write_bytes(damaged)
        with caplog.at_level(logging.WARNING):
            assert columns(scored(score, TEXT)) == first
        assert f"{file}: made anew" in caplog.text
        assert file.read_bytes() == whole
        caplog.clear()


def test_an_audience_needs_no_room_on_the_disk(
    score: HeadScore,  # noqa: F811
    empty: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    first = columns(scored(score, TEXT))
    shutil.rmtree(empty)

    def full(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("safetensors.numpy.save_file", full)
    with caplog.at_level(logging.WARNING):
        assert columns(scored(score, TEXT)) == first
    assert "No space left on device" in caplog.text


def test_other_days_are_removed_but_for_the_latest(score: HeadScore, empty: Path) -> None:  # noqa: F811
    for days in range(MAX_DAYS + 1):
        scored(score, TEXT, END - datetime.timedelta(days=days))
    assert len(list(empty.iterdir())) == MAX_DAYS


def test_any_change_gives_another_digest(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("one")
    settings = {"day": 1, "users": 10}
    digests = {digest_of([file], settings), digest_of([], settings)}
    digests.add(digest_of([file], {**settings, "day": 2}))
    assert digest_of([file], dict(reversed(settings.items()))) in digests
    file.write_text("two")
    digests.add(digest_of([file], settings))
    assert len(digests) == 4
    assert not KeptUsers(tmp_path / "none", "digest").restore(0, None, None)  # type: ignore[arg-type]


@pytest.mark.parametrize("parts", [[Split.TEST], list(Split)])
def test_events_of_an_offer_are_found_among_those_of_the_users_or_of_the_offer(
    moment: Moment, parts: list[Split]
) -> None:
    day = moment.until - 2
    users = moment.users(parts, day)
    offers = moment.offers("brand", day)
    rows, user = rows_of_offers(users, offers)
    expected = [
        (row, place)
        for place in range(len(users))
        for row in range(users.start[place], users.stop[place])
        if offers.offer_of_row[row] >= 0
    ]
    assert list(zip(rows.tolist(), user.tolist(), strict=True)) == expected
    every = pair_history(users, offers, newest=(3, None), last_days=(2,))
    assert len(every.keys) > 20
    for place in range(len(offers)):
        one = offers.part(np.array([place]))
        found = pair_history(users, one, newest=(3, None), last_days=(2,))
        mine = every.keys % len(offers) == place
        assert found.keys.tolist() == (every.keys[mine] // len(offers)).tolist()
        for name, column in found.columns.items():
            assert column.tolist() == every.columns[name][mine].tolist()


def test_the_distribution_of_one_offer() -> None:
    generator = np.random.default_rng(3)
    for most_frequent in (1, 4, 100):
        labels = generator.integers(0, 12, 60).astype(np.int32)
        expected = feature_distribution(np.zeros(60, np.int32), labels, most_frequent)
        found = distribution_of(labels, 20, most_frequent)
        for name in ("values", "segments", "weights"):
            assert getattr(found, name).tobytes() == getattr(expected, name).tobytes()
