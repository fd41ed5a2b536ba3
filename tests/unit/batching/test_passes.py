"""Passes over the splits of the tiny data set, and their file."""

from pathlib import Path

import numpy as np
import pytest

from offerbench.batching.batches import draw_pass, read_batches, write_batches
from offerbench.core.columns import Split
from offerbench.core.errors import OfferbenchError

from ..conftest import TinyData
from ..parameters import rebatch_parameters

REBATCH = rebatch_parameters()


def drawn(tiny: TinyData, split: Split, epoch: int = 0, **changes: int) -> list[list[int]]:
    return [rows.tolist() for rows in draw_pass(tiny.data, split, rebatch_parameters(**changes), epoch)]


@pytest.mark.parametrize("split", Split)
def test_a_pass_has_events_of_its_split_only(tiny_data: TinyData, split: Split) -> None:
    batches = drawn(tiny_data, split)
    first, length = tiny_data.data.user_rows[split]
    allowed = {row for start, count in zip(first, length, strict=True) for row in range(start, start + count)}
    assert batches
    assert {row for batch in batches for row in batch} <= allowed
    assert {len(batch) for batch in batches} == {REBATCH.batch_size}


def test_same_seed_gives_the_same_batches(tiny_data: TinyData) -> None:
    assert drawn(tiny_data, Split.TRAIN, 3) == drawn(tiny_data, Split.TRAIN, 3)


def test_another_epoch_or_seed_gives_other_batches(tiny_data: TinyData) -> None:
    passes = [
        drawn(tiny_data, Split.TRAIN, 0),
        drawn(tiny_data, Split.TRAIN, 1),
        drawn(tiny_data, Split.TRAIN, 0, seed=REBATCH.seed + 1),
    ]
    assert passes[0] != passes[1]
    assert passes[0] != passes[2]
    assert passes[1] != passes[2]
    # Another epoch keeps other events of the full user-days, so even the sets differ.
    assert {row for batch in passes[0] for row in batch} != {row for batch in passes[1] for row in batch}


def test_batches_survive_their_file(tiny_data: TinyData, tmp_path: Path) -> None:
    batches = list(draw_pass(tiny_data.data, Split.TEST, REBATCH))
    assert write_batches(tmp_path / "test.arrow", iter(batches)) == len(batches) > 1
    assert read_batches(tmp_path / "test.arrow", REBATCH.batch_size).tolist() == np.stack(batches).tolist()


def test_no_batch_is_counted_as_none(tmp_path: Path) -> None:
    assert write_batches(tmp_path / "test.arrow", []) == 0  # the stage then says what to change


def test_batches_of_another_size_are_refused(tmp_path: Path) -> None:
    write_batches(tmp_path / "test.arrow", [np.arange(6), np.arange(6, 12)])
    with pytest.raises(OfferbenchError, match=r"test\.arrow: its batches are not of 5 events.*dvc repro"):
        read_batches(tmp_path / "test.arrow", 5)
