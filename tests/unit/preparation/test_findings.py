"""Largest user and events out of the vocabulary: said always, a warning past the level."""

from typing import Any

import pytest

from offerbench.preparation.findings import preparation_findings

from ..conftest import TinyData


def counts(largest: int, out: int) -> dict[str, Any]:
    return {
        "target_events": 1000,
        "target_events_of_largest_user": largest,
        "events_kept": 2000,
        "vocabulary": {"brand": {"events_out_of_vocabulary": out}},
    }


@pytest.mark.parametrize(
    ("largest", "out", "warnings"),
    [(50, 600, [False, False]), (51, 600, [True, False]), (50, 602, [False, True])],
)
def test_levels(largest: int, out: int, warnings: list[bool]) -> None:
    found = preparation_findings(counts(largest, out))
    assert [finding.warning is not None for finding in found] == warnings
    assert found[0].text == f"the largest user has {largest / 10:.1f}% of the target events"
    assert found[1].text == f"brand: {out / 20:.1f}% of the events are out of the vocabulary"


def test_they_are_of_what_prepare_counts(tiny_data: TinyData) -> None:
    found = preparation_findings(tiny_data.counts)
    assert [finding.text.partition(":")[0] for finding in found[1:]] == list(tiny_data.counts["vocabulary"])
    assert all("%" in finding.text for finding in found)
