"""wAUC of a bootstrap sample of the users: the sample is made, pair by pair, and measured anew."""

from collections.abc import Sequence

from tests.oracle.evaluation import roc_auc, weighted_auc


def sampled_wauc(
    offers: Sequence[int],
    is_positive: Sequence[bool],
    users: Sequence[int],
    scores: Sequence[float],
    drawn: Sequence[int],
    segment: set[int],
) -> float | None:
    """Each user's pairs once for each time that the user was drawn; wAUC over the segment's offers."""
    results = []
    for offer in sorted(segment):
        positives, negatives = [], []
        for pair in range(len(offers)):
            if offers[pair] == offer:
                target = positives if is_positive[pair] else negatives
                target.extend([scores[pair]] * drawn[users[pair]])
        auc = roc_auc(positives, negatives)
        if auc is not None:
            results.append((auc, len(positives)))
    return weighted_auc(results)
