"""How many users audiences have in common, as a table and as a picture."""

from pathlib import Path

import matplotlib.image
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from offerbench.campaigns.overlap import draw_overlap, overlap, shares

AUDIENCES = st.lists(st.sets(st.integers(-3, 20)), min_size=1, max_size=4)


@given(AUDIENCES)
def test_counts_are_those_of_sets(audiences: list[set[int]]) -> None:
    names = [f"campaign{place}" for place in range(len(audiences))]
    counts = overlap(names, [np.array(sorted(audience), np.int64) for audience in audiences])
    parts = shares(counts)
    for one, of_one in zip(names, audiences, strict=True):
        for other, of_other in zip(names, audiences, strict=True):
            assert counts.loc[one, other] == len(of_one & of_other)
            assert parts.loc[one, other] == (len(of_one & of_other) / len(of_one) if of_one else 0)


def test_the_picture_is_a_png_of_the_same_bytes_each_time(tmp_path: Path) -> None:
    wanted = overlap(["water", "coffee"], [np.arange(10), np.arange(5, 20)])
    planned = overlap(["water", "coffee"], [np.arange(10), np.arange(10, 20)])
    files = [tmp_path / "one.png", tmp_path / "two.png"]
    for file in files:
        draw_overlap(wanted, planned, file)
    assert files[0].read_bytes() == files[1].read_bytes()
    assert len(np.unique(matplotlib.image.imread(files[0]).reshape(-1, 4), axis=0)) > 20
    draw_overlap(wanted, wanted, files[1])
    assert files[0].read_bytes() != files[1].read_bytes()
