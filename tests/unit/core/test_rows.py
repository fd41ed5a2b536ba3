"""The rows of the results: their order, and what each is there for."""

from offerbench.core.rows import Role, mono_model, table_rows


def test_rows_are_generalists_then_a_specialist_for_each_task_yardsticks_peers_and_the_ceiling() -> None:
    rows = table_rows(["brand", "category1"])
    assert [(row.name, row.role, row.task) for row in rows] == [
        ("full", Role.GENERALIST, None),
        ("augmented", Role.GENERALIST, None),
        ("boosted", Role.GENERALIST, None),
        ("mono_brand", Role.SPECIALIST, "brand"),
        ("mono_category1", Role.SPECIALIST, "category1"),
        ("history_affinity", Role.YARDSTICK, None),
        ("frequency", Role.YARDSTICK, None),
        ("recency", Role.YARDSTICK, None),
        ("lightgbm_by_task", Role.PEER, None),
        ("lightgbm", Role.PEER, None),
        ("item_item", Role.PEER, None),
        ("least_squares", Role.PEER, None),
        ("ceiling", Role.CEILING, None),
    ]
    assert mono_model("brand") == "mono_brand"


def test_names_and_titles_are_each_used_once() -> None:
    rows = table_rows(["brand", "category1"])
    for values in ([row.name for row in rows], [row.title for row in rows]):
        assert len(set(values)) == len(values)


def test_a_short_title_is_without_its_brackets() -> None:
    assert [row.short_title for row in table_rows(["brand"])] == [
        "full model",
        "augmented model",
        "boosted model",
        "mono: brand",
        "history affinity",
        "frequency",
        "recency",
        "LightGBM by task",
        "LightGBM",
        "item-item cosine",
        "ALS",
        "ceiling",
    ]
