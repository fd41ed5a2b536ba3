"""A log read file by file: the counts of its parts, put together as if it had been read at once."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from offerbench.core.errors import OfferbenchError
from offerbench.datasets.canonical import ReadCounts, Reject
from offerbench.datasets.event_types import nearly_kept
from offerbench.datasets.rejects import SAMPLES


def whole_log(
    parts: Sequence[ReadCounts], kept: Mapping[str, str], reasons: Iterable[str], where: str
) -> ReadCounts:
    """Put the counts of the parts of a log together.

    Parameters
    ----------
    parts : sequence of ReadCounts
        Of some files each, in the order of the files.
    kept : mapping of str to str
        Event type by the log's own, of those that are kept.
    reasons : iterable of str
        The log's own reasons to leave a row out, in their order.
    where : str
        The raw files, for a message.

    Raises
    ------
    OfferbenchError
        If the files have no row.
    """
    rows = sum(part.rows for part in parts)
    if not rows:
        raise OfferbenchError(f"{where}: no row after the header. Fetch the files again.")
    event_types = _added(part.event_types for part in parts)
    left_out = _added(part.left_out for part in parts)
    of_types = [f"event_type_{name}" for name in event_types]
    by_type = {
        name: (sum(counts[0] for counts in of_parts), sum(counts[1] for counts in of_parts))
        for name in sorted(parts[0].rejected_by_type)
        if name in event_types
        for of_parts in [[part.rejected_by_type[name] for part in parts]]
    }
    return ReadCounts(
        rows=rows,
        event_types=event_types,
        left_out={reason: left_out[reason] for reason in (*of_types, *reasons) if reason in left_out},
        rejected=_added(part.rejected for part in parts),
        rejects=_first_of_each_reason(parts),
        rejected_by_type=by_type,
        warnings=tuple(nearly_kept(event_types, kept)),
    )


def _added(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """Add counts, sorted by name: one part may have names that another lacks."""
    total: Counter[str] = Counter()
    for of_part in counts:
        total.update(of_part)
    return dict(sorted(total.items()))


def _first_of_each_reason(parts: Sequence[ReadCounts]) -> tuple[Reject, ...]:
    """Give the first samples of each reason: each part has its own first ones."""
    samples: dict[str, list[Reject]] = {}
    for part in parts:
        for reject in part.rejects:
            if len(first := samples.setdefault(reject.reason, [])) < SAMPLES:
                first.append(reject)
    return tuple(reject for reason in sorted(samples) for reject in samples[reason])
