"""The prepared tables: written chunk by chunk, whole users at a time."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from offerbench.core.columns import DAY, EVENT_TYPE, HISTORY, USER, VALUE, WEIGHT, bag, user_feature, window
from offerbench.core.paths import history_events_file
from offerbench.core.tables import ArrowColumns
from offerbench.preparation import history
from offerbench.preparation.config import Prepare
from offerbench.preparation.encoding import event_types
from offerbench.preparation.events import Built

Columns = dict[str, npt.NDArray[np.int32]]


class PreparedTables:
    """Writes the events, the histories, and a bag file for each user feature.

    target_events.arrow, sorted by (user, day, file order):
        user, day, history, and a label for each offer feature (int32)
    history_events_<type>.arrow, for each other type in use, sorted in the same way:
        user, day, and a label for each offer feature (int32)
    histories.arrow, the distinct histories, sorted by user and time:
        window_start_*, window_length_* of the target event: rows of target_events.arrow (int64)
        bag_start_*, bag_length_* for each user feature: rows of its bag file (int64)
    bag_<user feature>.arrow:
        value: labels (int32), a user's distinct values side by side
        weight: of each value (float32), unless `history.weights` is `distinct`
    """

    def __init__(self, directory: Path, prepare: Prepare) -> None:
        self._prepare = prepare
        self._events = ArrowColumns(directory / "target_events.arrow")
        self._histories = ArrowColumns(directory / "histories.arrow")
        self._others = {
            event_type: ArrowColumns(history_events_file(directory, event_type))
            for event_type in prepare.history.events
            if event_type != prepare.target_event
        }
        self._bags = {
            (event_type, feature): ArrowColumns(directory / f"bag_{user_feature(event_type, feature)}.arrow")
            for event_type in prepare.history.events
            for feature in prepare.offer_features
        }
        self._bag_values = dict.fromkeys(self._bags, 0)
        of_bags = {(event_type, prepare.history.length_of(feature)) for event_type, feature in self._bags}
        self._windows = sorted(of_bags | {(prepare.target_event, prepare.history.length)})
        self.target_events = 0
        self.contexts = 0
        self.histories = 0

    def append(self, chunk: Columns) -> None:
        """Add the events of some users, sorted by (user, day, file order)."""
        by_type = {
            name: {column: values[chunk[EVENT_TYPE] == code] for column, values in chunk.items()}
            for code, name in enumerate(event_types(self._prepare))
        }
        target = by_type[self._prepare.target_event]
        context_rows = history.contexts(target[USER], target[DAY])
        windows = {
            (event_type, length): history.past_windows(
                target[USER][context_rows],
                target[DAY][context_rows],
                by_type[event_type][USER],
                by_type[event_type][DAY],
                length=length,
                keep=self._prepare.history.keep,
            )
            for event_type, length in self._windows
        }
        # Contexts whose windows are all the same see the same history: one history.
        stacked = np.stack(
            [target[USER][context_rows], *(part for pair in windows.values() for part in pair)]
        )
        is_new = np.concatenate([[True], (np.diff(stacked, axis=1) != 0).any(axis=0)])
        history_of_context = np.cumsum(is_new) - 1
        context_of_event = np.searchsorted(context_rows, np.arange(len(target[USER])), side="right") - 1
        self._events.append(
            {
                USER: target[USER],
                DAY: target[DAY],
                HISTORY: (history_of_context[context_of_event] + self.histories).astype(np.int32),
                **{feature: target[feature] for feature in self._prepare.offer_features},
            }
        )
        for event_type, file in self._others.items():
            columns = (USER, DAY, *self._prepare.offer_features)
            file.append({name: by_type[event_type][name] for name in columns})
        self._append_histories(by_type, {key: (s[is_new], n[is_new]) for key, (s, n) in windows.items()})
        self.target_events += len(target[USER])
        self.contexts += len(context_rows)
        self.histories += int(is_new.sum())

    def _append_histories(
        self, by_type: dict[str, Columns], windows: dict[tuple[str, int], tuple[history.Ints, history.Ints]]
    ) -> None:
        parameters = self._prepare.history
        target_start, target_length = windows[self._prepare.target_event, parameters.length]
        start_name, length_name = window(self._prepare.target_event)
        histories = {start_name: target_start + self.target_events, length_name: target_length}
        for (event_type, feature), file in self._bags.items():
            of_feature = windows[event_type, parameters.length_of(feature)]
            columns, start, length = self._make_bags(by_type[event_type], feature, *of_feature)
            start_name, length_name = bag(user_feature(event_type, feature))
            histories |= {start_name: start + self._bag_values[event_type, feature], length_name: length}
            file.append(columns)
            self._bag_values[event_type, feature] += len(columns[VALUE])
        self._histories.append(histories)

    def _make_bags(
        self, events: Columns, feature: str, start: history.Ints, length: history.Ints
    ) -> tuple[dict[str, npt.NDArray[np.generic]], history.Ints, history.Ints]:
        """Columns of a bag file, and each history's bag in them."""
        values, weights, start, length = history.make_bags(
            events[USER], events[feature], start, length, self._prepare.history
        )
        columns: dict[str, npt.NDArray[np.generic]] = {VALUE: values}
        return columns if weights is None else columns | {WEIGHT: weights}, start, length

    def close(self) -> None:
        """Finish all files."""
        for file in (self._events, self._histories, *self._others.values(), *self._bags.values()):
            file.close()


def build_tables(chunks: Iterable[Columns], directory: Path, prepare: Prepare) -> Built:
    """Write the prepared tables of encoded events.

    Parameters
    ----------
    chunks : iterable of dict of int32, shape (events,)
        Whole users, sorted by (user, day, file order), as `whole_user_chunks` gives them.
    directory : Path
        Gets the files.
    prepare : Prepare
        Parameters.
    """
    tables = PreparedTables(directory, prepare)
    kept, days = 0, set[int]()
    for chunk in chunks:
        tables.append(chunk)
        kept += len(chunk[USER])
        days.update(np.unique(chunk[DAY]).tolist())
    tables.close()
    return Built(kept, frozenset(days), tables.target_events, tables.contexts, tables.histories)
