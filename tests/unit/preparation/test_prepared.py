"""Which offer feature is of the same attribute as a user feature."""

from dataclasses import replace

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
