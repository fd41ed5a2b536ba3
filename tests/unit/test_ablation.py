import re

from offerbench.ablation import COMBINATIONS, ablation_markdown
from offerbench.evaluation.results import Wauc
from offerbench.experiments import with_settings
from offerbench.params.loading import Parameters

from .parameters import COMPLETE, evaluate_parameters

NAMES = [combination.name for combination in COMBINATIONS]


def wauc(augmented: float) -> Wauc:
    values = {
        "brand": {"full": 0.61, "augmented": augmented, "mono_brand": 0.71, "mono_category2": 0.4},
        "category2": {"full": 0.65, "augmented": 0.629, "mono_brand": 0.5, "mono_category2": 0.79},
    }
    nothing = dict.fromkeys(values["brand"], None)
    return {
        "all": values,
        "popular": {"brand": values["brand"], "category2": nothing},
        "cold_start": {"brand": nothing, "category2": nothing},
    }


VALUES = {name: wauc(0.601 + 0.01 * i) for i, name in enumerate(NAMES)}


def cells(text: str, segment: str) -> list[list[str]]:
    """The rows of a segment's table, its head first."""
    section = re.split(r"^## ", text, flags=re.MULTILINE)
    (found,) = [part for part in section if part.startswith(segment)]
    rows = [
        [cell.strip() for cell in line.split("|")[1:-1]] for line in found.splitlines() if line[:1] == "|"
    ]
    return [rows[0], *rows[2:]]


def test_combinations_are_all_eight_in_the_order_of_the_study() -> None:
    assert NAMES == [
        "ablation-nogroupby-nomask-dot",
        "ablation-nogroupby-nomask-bilinear",
        "ablation-nogroupby-mask-dot",
        "ablation-nogroupby-mask-bilinear",
        "ablation-groupby-nomask-dot",
        "ablation-groupby-nomask-bilinear",
        "ablation-groupby-mask-dot",
        "ablation-groupby-mask-bilinear",
    ]


def test_combinations_differ_in_their_parts_only() -> None:
    found = []
    others = {"shared_embeddings": True, "l1": 2e-6, "embedding_dim": 9}
    base = with_settings(
        COMPLETE, {f"train_augmented.overrides.{key}": value for key, value in others.items()}
    )
    for combination in COMBINATIONS:
        content = with_settings(base, combination.settings)
        augmented = Parameters.model_validate(content).train_augmented
        parts = augmented.parts
        found.append((augmented.grouping.number, parts.mask, parts.interaction))
        assert (parts.variance, parts.user_meta_features, parts.offer_meta_features) == (True, 5, 3)
        assert (parts.matching, augmented.history_dropout) == (None, 0.0)
        overrides = augmented.overrides
        assert (overrides.embedding_dim, overrides.shared_embeddings, overrides.l1) == (30, None, None)
        unchanged = {key: value for key, value in content.items() if key != "train_augmented"}
        assert unchanged == {key: COMPLETE[key] for key in unchanged}
    assert found == [(g, m, i) for g in (0, 3) for m in (False, True) for i in ("dot", "bilinear")]


def test_table_has_a_row_for_each_combination_then_the_references() -> None:
    head, *rows = cells(ablation_markdown(VALUES, evaluate_parameters()), "All offers")
    assert head == [
        "group-by augmentation",
        "mask network",
        "bi-linear interaction",
        "brand",
        "category2",
        "mean",
    ]
    assert rows[0] == ["no", "no", "no", ".601", "**.629**", ".615"]
    assert rows[1] == ["no", "no", "yes", ".611", "**.629**", ".620"]
    assert rows[4] == ["yes", "no", "no", ".641", "**.629**", ".635"]
    assert rows[7] == ["yes", "yes", "yes", "**.671**", "**.629**", "**.650**"], "best of the combinations"
    assert rows[8:] == [
        ["full model", "", "", ".610", ".650", ".630"],
        ["specialist of the task", "", "", ".710", ".790", ".750"],
    ]


def test_combinations_that_were_not_run_are_named_and_have_no_numbers() -> None:
    some = {name: value for name, value in VALUES.items() if not name.endswith("mask-bilinear")}
    text = ablation_markdown(some, evaluate_parameters())
    assert "without numbers: ablation-nogroupby-nomask-bilinear, ablation-nogroupby-mask-bilinear" in text
    rows = cells(text, "All offers")[1:]
    assert rows[1] == ["no", "no", "yes", "-", "-", "-"]
    assert rows[4][3] == ".641"
    assert "Not run" not in ablation_markdown(VALUES, evaluate_parameters())


def test_mean_is_over_the_tasks_with_offers() -> None:
    text = ablation_markdown(VALUES, evaluate_parameters())
    popular, cold_start = cells(text, "Popular offers"), cells(text, "Cold start")
    assert popular[8][3:] == ["**.671**", "-", "**.671**"]
    assert popular[10][3:] == [".710", "-", ".710"]
    assert all(row[3:] == ["-"] * 3 for row in cold_start[1:])


def test_report_says_what_is_common_and_how_to_read_it() -> None:
    text = ablation_markdown(VALUES, evaluate_parameters())
    assert "`train_augmented.parts.matching=null`" in text
    assert "`train_augmented.parts.variance=true`" in text
    assert "the test users" in text and "serve no choice" in text and "`make ablation`" in text
    assert "## Cold start: offers with more than 4 and at most 20 positives" in text
