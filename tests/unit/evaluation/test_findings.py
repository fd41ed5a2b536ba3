"""Own negatives, and offers that are bought again: said always, a warning past the level."""

import pytest

from offerbench.evaluation.findings import evaluation_findings


@pytest.mark.parametrize(
    ("own", "again", "warnings"), [(50, 10, [False, False]), (51, 10, [True, False]), (50, 9, [False, True])]
)
def test_levels(own: int, again: int, warnings: list[bool]) -> None:
    facts = {"events": 1000, "events_bought_before": again, "negatives": 1000, "negatives_of_own_user": own}
    found = evaluation_findings({"product_id": facts, "brand": {**facts, "events_bought_before": 500}})
    assert [finding.warning is not None for finding in found] == [*warnings, False]
    assert found[0].text.startswith(f"{own / 10:.1f}% of the negatives pair a user with another")
    assert found[1].text.startswith(f"product_id: {again / 10:.1f}% of the measured events")
    assert found[2].text.startswith("brand: 50.0% of the measured events")
    if again < 10:
        assert "no yardstick here" in str(found[1])
