"""What a reader must know of the pairs that were measured."""

from collections.abc import Mapping

from offerbench.core.findings import Finding, share_of

MAX_OWN_NEGATIVES = 0.05
MIN_BOUGHT_BEFORE = 0.01


def evaluation_findings(evaluated: Mapping[str, Mapping[str, int]]) -> list[Finding]:
    """Say how many negatives are the user's own, and how often the past of the events has their offer.

    Parameters
    ----------
    evaluated : mapping
        Content of evaluate.json, by task.
    """
    first = next(iter(evaluated.values()))  # users are the same in every task
    return [_own_negatives(first), *(_bought_before(task, counts) for task, counts in evaluated.items())]


def _own_negatives(counts: Mapping[str, int]) -> Finding:
    share = share_of(counts["negatives_of_own_user"], counts["negatives"])
    warning = (
        f"more than {MAX_OWN_NEGATIVES:.0%}: they pull the published measure to .5; read the clean one, "
        "which leaves them out; in training, remove_accidental_hits: bought_that_day does; a smaller "
        "rebatch.batch_size or a larger users_per_group makes fewer"
    )
    return Finding(
        f"{share:.1%} of the negatives pair a user with another of the user's own events",
        warning if share > MAX_OWN_NEGATIVES else None,
    )


def _bought_before(task: str, counts: Mapping[str, int]) -> Finding:
    share = share_of(counts["events_bought_before"], counts["events"])
    warning = (
        f"less than {MIN_BOUGHT_BEFORE:.0%}: hardly anything is bought twice, so history affinity and the "
        "other counting rows are no yardstick here"
    )
    return Finding(
        f"{task}: {share:.1%} of the measured events are of an offer that the user had bought before",
        warning if share < MIN_BOUGHT_BEFORE else None,
    )
