"""wAUC of a bootstrap sample of the users: the sample is made, pair by pair, and measured anew."""

import statistics
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


def simultaneous_half_widths(values: Sequence[Sequence[float]]) -> list[float | None]:
    """Half the widths of intervals for all values at once: sample by sample, the largest deviation."""
    known = [[sample for sample in samples if sample == sample] for samples in values]
    spread = [statistics.stdev(samples) if len(samples) > 1 else None for samples in known]
    largest = []
    for sample in range(len(values[0])):
        deviations = [0.0]
        for samples, some, deviation in zip(values, known, spread, strict=True):
            if deviation and samples[sample] == samples[sample]:
                deviations.append(abs(samples[sample] - statistics.mean(some)) / deviation)
        largest.append(max(deviations))
    largest.sort()
    # The smallest that 95% of the samples do not go beyond.
    factor = next(each for place, each in enumerate(largest) if place >= 0.95 * (len(largest) - 1))
    return [None if deviation is None else max(1.96, factor) * deviation for deviation in spread]
