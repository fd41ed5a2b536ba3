"""Rows -> CSV text, without formatting a row: all of it is one take from a dictionary of pieces."""

from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from offerbench.datasets.rees46 import COLUMNS
from offerbench.datasets.synthetic.months import SECONDS_PER_DAY
from offerbench.datasets.synthetic.sessions import EVENT_TYPES, Rows

HEADER = (",".join(COLUMNS) + "\n").encode()
HEXADECIMAL = np.array([f"{byte:02x}" for byte in range(256)], "S2").view(np.uint16)
UUID_LENGTH = 36
UUID_HYPHENS = [8, 13, 18, 23]


class RowText:
    """Writes rows of one month.

    A row is four pieces: the day, the time with the event type, the product's fields, the user
    with the session.
    """

    def __init__(self, first_day: date, days: int, product_fields: pa.StringArray) -> None:
        day_texts = [f"{first_day + timedelta(day)} " for day in range(days)]
        times = [
            f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02} UTC"
            for second in range(SECONDS_PER_DAY)
        ]
        time_texts = [f"{time},{event_type}," for event_type in EVENT_TYPES for time in times]
        self._pieces = [pa.array(day_texts), pa.array(time_texts), product_fields]
        self._first = np.cumsum([0, *(len(piece) for piece in self._pieces)], dtype=np.int32)

    def __call__(self, rows: Rows, session_texts: pa.StringArray) -> memoryview:
        """Write rows.

        Parameters
        ----------
        rows : Rows
            N rows.
        session_texts : pyarrow.StringArray, shape (sessions,)
            The end of a row of each session.

        Returns
        -------
        memoryview
            N lines of CSV.
        """
        day, second = np.divmod(rows.second, SECONDS_PER_DAY)
        taken = np.empty((len(day), 4), np.int32)
        taken[:, 0] = day
        taken[:, 1] = second + SECONDS_PER_DAY * rows.event_type
        taken[:, 2] = rows.product
        taken[:, 3] = rows.session
        taken += self._first
        lines = pa.concat_arrays([*self._pieces, session_texts]).take(pa.array(taken.reshape(-1)))
        end = np.frombuffer(lines.buffers()[1], np.int32)[len(lines)]
        return memoryview(lines.buffers()[2])[:end]


def session_texts(generator: np.random.Generator, user_numbers: npt.NDArray[np.int64]) -> pa.StringArray:
    """Write the end of the rows of each session: user_id, a random user_session, a new line.

    Parameters
    ----------
    generator : numpy.random.Generator
        Source of the sessions' names.
    user_numbers : int64, shape (sessions,)
        `user_id` of each session.
    """
    sessions = len(user_numbers)
    letters = HEXADECIMAL[generator.integers(0, 256, (sessions, 16), np.uint8)].view(np.uint8)
    names = np.full((sessions, UUID_LENGTH + 1), ord("-"), np.uint8)
    names[:, np.delete(np.arange(UUID_LENGTH), UUID_HYPHENS)] = letters
    names[:, UUID_LENGTH] = ord("\n")
    ends = np.arange(sessions + 1, dtype=np.int32) * names.shape[1]
    texts = pa.StringArray.from_buffers(sessions, pa.py_buffer(ends), pa.py_buffer(names))
    return pc.binary_join_element_wise(pa.array(user_numbers).cast(pa.string()), texts, ",")
