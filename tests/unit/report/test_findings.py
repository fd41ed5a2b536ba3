"""What all stages found, in one list, warnings first."""

import copy
from typing import Any

from offerbench.core.findings import Finding
from offerbench.parameters import Parameters
from offerbench.report.findings import all_findings, findings_markdown

from ..parameters import COMPLETE
from .content import parameters, rows
from .test_write import BATCHES, BEST, FACTS, PREPARED


def found(shown: Parameters, **facts: int) -> list[Finding]:
    best = {"full": BEST[1], "augmented": BEST[0]}
    return all_findings(shown, PREPARED, BATCHES, {"brand": FACTS | facts}, best, rows())


def test_warnings_come_first_and_only_trainings_best_at_an_end_are_named() -> None:
    findings = found(parameters(), negatives_of_own_user=30)
    is_warning = [finding.warning is not None for finding in findings]
    assert is_warning == sorted(is_warning, reverse=True) and sum(is_warning) == 3
    assert findings[0].text == "full model: validation AUC was highest in epoch 2, after 16 steps"
    assert not any("augmented" in finding.text for finding in findings)


def test_one_feature_makes_one_model() -> None:
    content: dict[str, Any] = copy.deepcopy(COMPLETE)
    content["tasks"] = content["prepare"]["offer_features"] = ["brand"]
    content["prepare"]["clusters"] = {}
    text = findings_markdown(found(Parameters.model_validate(content)))
    assert "the specialist is the full model, trained once" in text
    assert "trained once" not in findings_markdown(found(parameters()))
