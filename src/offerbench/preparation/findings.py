"""What a reader must know of the prepared data."""

from collections.abc import Mapping
from typing import Any

from offerbench.core.findings import Finding, share_of

MAX_LARGEST_USER = 0.05
MAX_OUT_OF_VOCABULARY = 0.3


def preparation_findings(counts: Mapping[str, Any]) -> list[Finding]:
    """Say which part of the events one user has, and which part is out of the vocabulary of each feature.

    Parameters
    ----------
    counts : mapping
        Content of prepare.json.
    """
    return [_largest_user(counts), *_out_of_vocabulary(counts)]


def _largest_user(counts: Mapping[str, Any]) -> Finding:
    share = share_of(counts["target_events_of_largest_user"], counts["target_events"])
    warning = (
        f"more than {MAX_LARGEST_USER:.0%}: is it one user, or many under one name? Results may hang on it"
    )
    return Finding(
        f"the largest user has {share:.1%} of the target events",
        warning if share > MAX_LARGEST_USER else None,
    )


def _out_of_vocabulary(counts: Mapping[str, Any]) -> list[Finding]:
    findings = []
    for feature, of_feature in counts["vocabulary"].items():
        share = share_of(of_feature["events_out_of_vocabulary"], counts["events_kept"])
        warning = (
            f"more than {MAX_OUT_OF_VOCABULARY:.0%}: their values share buckets and no offer of them is "
            "measured; lower prepare.vocabulary.min_occurrences"
        )
        findings.append(
            Finding(
                f"{feature}: {share:.1%} of the events are out of the vocabulary",
                warning if share > MAX_OUT_OF_VOCABULARY else None,
            )
        )
    return findings
