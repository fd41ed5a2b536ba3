"""What a reader must know of the batches."""

from collections.abc import Mapping

from offerbench.batching.config import Rebatch
from offerbench.batching.coverage import better_batch_size
from offerbench.core.columns import Split
from offerbench.core.findings import Finding, share_of

FEW_BATCHES = 30
MAX_EMPTY_HISTORY = 0.2
MAX_INCOMPLETE = 0.1


def batch_findings(
    counts: Mapping[str, Mapping[str, int]], rebatch: Rebatch, multiple_of: int
) -> list[Finding]:
    """Say which events are in no batch, which have no past, and whether there are enough train batches.

    Parameters
    ----------
    counts : mapping
        Content of rebatch.json.
    rebatch : Rebatch
        Parameters.
    multiple_of : int
        What a batch size must be a multiple of.
    """
    return [
        _train_batches(counts[Split.TRAIN.part], rebatch, multiple_of),
        _empty_history(counts[Split.TEST.part]),
        *(_left_out(split.part, counts[split.part], rebatch) for split in Split),
    ]


def _train_batches(counts: Mapping[str, int], rebatch: Rebatch, multiple_of: int) -> Finding:
    batches = counts["batches"]
    text = f"a pass over the train users has {batches} batches of {rebatch.batch_size:,} events"
    size, more = better_batch_size(counts, rebatch, multiple_of)
    if batches >= FEW_BATCHES or more <= batches:
        return Finding(text)
    warning = f"fewer than {FEW_BATCHES} steps; a rebatch.batch_size of {size:,} would make about {more}"
    return Finding(text, warning)


def _empty_history(counts: Mapping[str, int]) -> Finding:
    share = share_of(counts["events_with_empty_history"], counts["events_in_batches"])
    warning = (
        f"more than {MAX_EMPTY_HISTORY:.0%}: nothing is known of their users, every row ranks them by chance "
        "or by the offers alone"
    )
    return Finding(
        f"{share:.1%} of the test events in batches have an empty history",
        warning if share > MAX_EMPTY_HISTORY else None,
    )


def _left_out(part: str, counts: Mapping[str, int], rebatch: Rebatch) -> Finding:
    over, incomplete = (
        share_of(counts[name], counts["events"])
        for name in ("events_over_daily_limit", "events_in_incomplete_batches")
    )
    text = (
        f"{over + incomplete:.1%} of the {part} events are in no batch: {over:.1%} as more than "
        f"{rebatch.events_per_user_day} of a user's day, {incomplete:.1%} as they fill no batch"
    )
    is_past = share_of(counts["events_in_incomplete_batches"], _kept(counts)) > MAX_INCOMPLETE
    warning = (
        f"more than {MAX_INCOMPLETE:.0%} of those within the daily limit fill no batch; lower "
        "rebatch.batch_size or raise rebatch.users_per_group"
    )
    return Finding(text, warning if is_past else None)


def _kept(counts: Mapping[str, int]) -> int:
    return counts["events"] - counts["events_over_daily_limit"]
