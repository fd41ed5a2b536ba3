"""Canonical events -> labels of users and values, on whichever engine has the events."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from offerbench.core.columns import DAY, EVENT_TYPE, LABEL, OCCURRENCES, USER, VALUE
from offerbench.core.errors import OfferbenchError
from offerbench.preparation import number_clusters
from offerbench.preparation.config import Clusters, Prepare
from offerbench.preparation.events import Events
from offerbench.preparation.vocabulary import assign_labels


@dataclass(frozen=True)
class Encoding:
    """What the kept events contain."""

    user_numbers: npt.NDArray[np.int64]
    """The source's number of each user, ascending; a user is the index here. Shape (users,)."""
    target_events: npt.NDArray[np.int64]
    """Number of target events of each user, at least 1. Shape (users,)."""
    vocabularies: dict[str, pa.Table]
    """For each feature the columns value, label, occurrences: all values, rare ones too."""
    left_out: dict[str, int]
    """Events that are not kept, by reason."""
    absent: list[str]
    """Event types of `prepare.history.events` that never occur."""


def encode(events: Events, prepare: Prepare, until: int | None = None) -> Encoding:
    """Give users and values their numbers.

    Kept are the events of the types in use, of users with at least one target event.

    Parameters
    ----------
    events : Events
        The events; afterwards they know the labels.
    prepare : Prepare
        Parameters.
    until : int, optional
        Clusters and vocabularies are made of what happened on earlier days (since 1970-01-01), as somebody
        would who doesn't know more yet. All events are kept and get labels of that vocabulary: a value that
        is only seen later is a rare one.

    Raises
    ------
    OfferbenchError
        If there is no target event, or none before `until`.
    """
    user_numbers, target_events = events.number_users(prepare.target_event)
    if not len(user_numbers):
        raise OfferbenchError(
            f"prepare.target_event: no event of type '{prepare.target_event}' in the data. "
            "Set it to a type that the data has."
        )
    if until is not None and not events.has_event_before(prepare.target_event, until):
        raise OfferbenchError(
            f"no event of type '{prepare.target_event}' before {np.datetime64(until, 'D')}. "
            "Choose a later day for the cut."
        )
    _check_columns(events.columns(), prepare)
    there, left_out = _count_left_out(events.count_types(), prepare)
    events.keep(event_types(prepare))
    events.add_clusters(
        {
            feature: (parameters.column, _cluster_table(events, feature, parameters, until))
            for feature, parameters in prepare.clusters.items()
        }
    )
    counted = events.count_values(prepare.offer_features, until)
    vocabularies = {feature: _with_labels(counted[feature], prepare) for feature in prepare.offer_features}
    events.add_labels(vocabularies)
    return Encoding(
        user_numbers=user_numbers,
        target_events=target_events,
        vocabularies=vocabularies,
        left_out=left_out,
        absent=[name for name in prepare.history.events if name not in there],
    )


def _count_left_out(
    counted: Iterable[tuple[str, bool, int]], prepare: Prepare
) -> tuple[set[str], dict[str, int]]:
    """Give the event types that there are, and count the events that are not kept, by reason."""
    left_out: dict[str, int] = {}
    there = set()
    used = event_types(prepare)
    for name, is_without_target, count in counted:
        there.add(name)
        reason = f"event_type_{name}_neither_target_nor_history"
        if name in used:
            reason = f"user_without_{prepare.target_event}"
        if name not in used or is_without_target:
            left_out[reason] = left_out.get(reason, 0) + count
    return there, left_out


def _check_columns(is_text: Mapping[str, bool], prepare: Prepare) -> None:
    """Refuse a feature that the data set does not have."""
    there = set(is_text)
    text = {name for name in prepare.offer_features if name not in prepare.clusters}
    numbers = {parameters.column for parameters in prepare.clusters.values()}
    if missing := sorted((text | numbers) - there):
        raise OfferbenchError(
            f"prepare.offer_features: the data set has no column {missing}. It has {sorted(there)}."
        )
    if taken := sorted(there & set(prepare.clusters)):
        raise OfferbenchError(
            f"prepare.clusters: {taken} are columns of the data set. Give the clusters another name, such as "
            f"{taken[0]}_cluster."
        )
    numeric = {name for name in there if not is_text[name]}
    if wrong := sorted((text & numeric) | (numbers - numeric)):
        raise OfferbenchError(
            f"prepare.offer_features: {wrong} must be text to be a feature as it is, a number to be "
            f"clustered. The numbers of the data set are {sorted(numeric)}."
        )


def event_types(prepare: Prepare) -> list[str]:
    """Give the event types in use: those of the histories, and the target."""
    return sorted({*prepare.history.events, prepare.target_event})


def _cluster_table(events: Events, feature: str, parameters: Clusters, until: int | None) -> pa.Table:
    """Cluster the numbers of a column: a table of `number` and the label of its cluster.

    Centres are fitted to the numbers of events before `until`.
    """
    numbers, counts = events.histogram(parameters.column, until)
    generator = np.random.default_rng(parameters.seed)
    sample = number_clusters.draw_sample(counts, parameters.sample, generator)
    centres = number_clusters.fit_centres(numbers, sample, parameters.clusters, parameters.seed)
    labels = np.asarray(number_clusters.centre_labels(centres, parameters.decimals))
    return pa.table({"number": numbers, feature: labels[number_clusters.nearest_centre(numbers, centres)]})


def _with_labels(counted: pa.Table, prepare: Prepare) -> pa.Table:
    """Make value, label, occurrences of the counted values of a feature."""
    occurrences = counted[OCCURRENCES].to_numpy()
    labels = assign_labels(
        counted[VALUE].to_pylist(),
        occurrences,
        min_occurrences=prepare.vocabulary.min_occurrences_of(int(occurrences.sum())),
        buckets=prepare.vocabulary.out_of_vocabulary_buckets,
    )
    return pa.table({VALUE: counted[VALUE], LABEL: labels, OCCURRENCES: counted[OCCURRENCES]})


def whole_user_chunks(
    batches: Iterable[pa.RecordBatch], features: Sequence[str], events_per_chunk: int
) -> Iterator[dict[str, npt.NDArray[np.int32]]]:
    """Cut encoded events, sorted by (user, day, file order), into chunks of whole users.

    Parameters
    ----------
    batches : iterable of pyarrow.RecordBatch
        Columns user, day, event_type and a label for each feature.
    features : sequence of str
        The features.
    events_per_chunk : int
        A chunk ends with the first user that reaches it.

    Yields
    ------
    dict of int32, shape (events,)
        The columns.
    """
    columns = (USER, DAY, EVENT_TYPE, *features)
    waiting: list[pa.RecordBatch] = []
    for batch in batches:
        waiting.append(batch)
        if sum(len(part) for part in waiting) >= events_per_chunk:
            table = pa.Table.from_batches(waiting)
            users = table[USER].to_numpy()
            cut = int(np.searchsorted(users, users[-1]))  # the last user may go on
            if cut:
                yield _as_numpy(table.slice(0, cut), columns)
                waiting = table.slice(cut).to_batches()
    if waiting:
        yield _as_numpy(pa.Table.from_batches(waiting), columns)


def _as_numpy(table: pa.Table, columns: Sequence[str]) -> dict[str, npt.NDArray[np.int32]]:
    return {name: table[name].to_numpy().astype(np.int32) for name in columns}
