from typing import Any

from offerbench.report.tables import segment_section
from offerbench.studies.report import study_markdown
from offerbench.studies.results import StudyResults
from offerbench.studies.tables import segment_markdown

from .set_up import make_study, plan, results
from .test_tables import BOTH, values


def report(
    found: StudyResults = BOTH, differences: dict[str, tuple[str, str]] | None = None, **changes: Any
) -> str:
    study = make_study(**changes)
    return study_markdown("some", study, plan(study), found, differences or {})


def test_report_says_what_it_is_about_and_how_it_was_made() -> None:
    text = report()
    assert text.startswith("# A study\n\nWhat it is about.\n\n")
    assert "wAUC on the test users. The best setting of a column is bold" in text
    assert "Made by `offerbench study some`." in text
    assert "## Cold start: offers with more than 4 and at most 20 positives" in text
    assert "for comparison" not in text and "Not run" not in text and "base" not in text


def test_report_has_the_table_of_every_segment() -> None:
    study = make_study()
    for segment in ("all", "popular", "cold_start"):
        assert segment_section(report(), segment) == segment_markdown(study, plan(study), BOTH, segment)


def test_report_says_whose_users_were_measured() -> None:
    assert "wAUC on the validation users." in report(common={"evaluate.users": "validation"})


def test_report_says_what_is_common_to_all_settings() -> None:
    text = report(common={"train_augmented.ranker.match_score": None, "train_full.seed": 3})
    assert (
        "Common to all settings: `train_augmented.ranker.match_score` = null, `train_full.seed` = 3.\n"
        in text
    )


def test_report_names_the_settings_that_were_not_run() -> None:
    text = report(results({"two": values(0.6)}))
    assert "Not run yet, and so without numbers: one.\n" in text


def test_report_lists_the_settings_that_means_are_over() -> None:
    text = report(
        tabulate={"kind": "mean_and_deviation"}, settings={"one": {}, "two": {"train_full.seed": 2}}
    )
    assert "- one: the base\n- two: `train_full.seed` = 2\n" in text
    assert "± is the standard deviation over the settings" in text


def test_report_says_what_another_base_has_other_than_the_parameters() -> None:
    text = report(differences={"train_full.seed": ("1", "2")}, base="presets/mine.yaml")
    assert (
        "The base is presets/mine.yaml; against params.yaml it has:\n\n- `train_full.seed`: 1 → 2\n" in text
    )


def test_report_says_that_references_are_for_comparison() -> None:
    shown = {**make_study().tabulate.model_dump(), "references": ["full"]}
    assert "The rows below the settings are for comparison.\n" in report(tabulate=shown)
