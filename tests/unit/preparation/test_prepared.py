"""Which offer feature is of the same attribute as a user feature, and what train users buy."""

from dataclasses import replace

import numpy as np
import pytest

from offerbench.core.columns import Split
from tests.oracle.match_counts import count

from ..conftest import TinyData


def test_user_features_of_an_attribute_among_the_offer_features(tiny_data: TinyData) -> None:
    data = tiny_data.data
    assert data.shared_tables(data.offer_sizes) == {
        f"history_{event_type}_{feature}": feature
        for event_type in tiny_data.prepare.history.events
        for feature in tiny_data.prepare.offer_features
    }
    assert data.shared_tables(["brand"]) == {
        "history_purchase_brand": "brand",
        "history_cart_brand": "brand",
    }


def test_names_that_end_alike_are_told_apart(tiny_data: TinyData) -> None:
    names = [
        f"history_{event_type}_{name}" for event_type in ("a", "b_sub") for name in ("sub_brand", "brand")
    ]
    data = replace(
        tiny_data.data, offer_sizes={"sub_brand": 3, "brand": 3}, user_sizes=dict.fromkeys(names, 3)
    )
    assert data.shared_tables(["brand"]) == {"history_a_brand": "brand", "history_b_sub_brand": "brand"}


def test_shares_are_those_of_the_train_users(tiny_data: TinyData) -> None:
    data = tiny_data.data
    first, length = data.user_rows[Split.TRAIN]
    rows = [row for start, number in zip(first, length, strict=True) for row in range(start, start + number)]
    shares = data.train_shares(["brand", "product_id"])
    assert list(shares) == ["brand", "product_id"]
    for name, of_values in shares.items():
        labels = data.events[name].tolist()
        expected = [count(labels, rows, {label}) / len(rows) for label in range(data.offer_sizes[name])]
        assert of_values == pytest.approx(np.array(expected), abs=1e-12)
        assert of_values.dtype == np.float64
        of_all = np.bincount(labels, minlength=len(expected)) / len(labels)
        assert np.abs(of_values - of_all).max() > 1e-3  # other users' events would say something else


def test_without_train_users_nothing_has_a_share(tiny_data: TinyData) -> None:
    nobody = np.empty(0, np.int64)
    rows = {**tiny_data.data.user_rows, Split.TRAIN: (nobody, nobody)}
    shares = replace(tiny_data.data, user_rows=rows).train_shares(["brand"])
    assert shares["brand"].tolist() == [0] * tiny_data.data.offer_sizes["brand"]
