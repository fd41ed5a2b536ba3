"""What a reader must know of the results, from the files of all stages: warnings first."""

from collections.abc import Mapping, Sequence
from typing import Any

from offerbench.batching.findings import batch_findings
from offerbench.core.findings import Finding
from offerbench.core.rows import Row
from offerbench.evaluation.findings import evaluation_findings
from offerbench.parameters import Parameters
from offerbench.preparation.findings import preparation_findings


def all_findings(
    parameters: Parameters,
    prepared: Mapping[str, Any],
    batches: Mapping[str, Any],
    evaluated: Mapping[str, Any],
    best: Mapping[str, Mapping[str, Any]],
    rows: Sequence[Row],
) -> list[Finding]:
    """Collect what the stages found.

    Parameters
    ----------
    parameters : Parameters
        What was run.
    prepared, batches, evaluated : mapping
        Contents of prepare.json, rebatch.json and evaluate.json.
    best : mapping
        Where each training was best, from its log.
    rows : sequence of Row
        What the models are called.
    """
    findings = [
        *(_training(row, best[row.name]) for row in rows if row.name in best and best[row.name]["note"]),
        *evaluation_findings(evaluated),
        *batch_findings(batches, parameters.rebatch, parameters.batch_size_multiple),
        *preparation_findings(prepared),
    ]
    if parameters.specialist_is_full:
        findings.append(
            Finding(
                "there is one offer feature and train_full is train_mono: the specialist is the full model, "
                "trained once"
            )
        )
    return sorted(findings, key=lambda finding: finding.warning is None)


def findings_markdown(findings: Sequence[Finding]) -> str:
    """List findings in Markdown."""
    lines = [f"- {'**Warning**: ' if found.warning else ''}{found}." for found in findings]
    return "\n".join(["## What to know of these numbers\n", *lines, ""])


def _training(row: Row, best: Mapping[str, Any]) -> Finding:
    text = (
        f"{row.short_title}: validation AUC was highest in epoch {best['epoch']}, after {best['steps']} steps"
    )
    return Finding(text, str(best["note"]))
