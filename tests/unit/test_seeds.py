import math

import pytest

from offerbench.seeds import seed_statistics, seeds_markdown

from .parameters import evaluate_parameters

ONE = {
    "all": {"brand": {"full": 0.6, "mono_brand": 0.7}},
    "popular": {"brand": {"full": None, "mono_brand": None}},
}
TWO = {
    "all": {"brand": {"full": 0.64, "mono_brand": 0.7}},
    "popular": {"brand": {"full": None, "mono_brand": None}},
}


def test_mean_and_deviation_are_of_a_sample() -> None:
    means, deviations = seed_statistics([ONE, TWO])
    assert means["all"]["brand"] == pytest.approx({"full": 0.62, "mono_brand": 0.7})
    assert deviations["all"]["brand"] == pytest.approx({"full": 0.04 / math.sqrt(2), "mono_brand": 0.0})


def test_segment_without_offers_has_no_mean() -> None:
    means, deviations = seed_statistics([ONE, TWO])
    assert means["popular"] == deviations["popular"] == {"brand": {"full": None, "mono_brand": None}}


def test_report_says_seeds_means_and_deviations() -> None:
    text = seeds_markdown([4, 5], [ONE, TWO], evaluate_parameters())
    assert "# wAUC over 2 seeds" in text
    assert "`train.seed` = 4, 5;" in text
    assert "| full model (all features) | .620 ±.028     |" in text
    assert "| mono: brand               | **.700 ±.000** |" in text
    assert "## Popular offers: offers with more than 20 positives" in text
