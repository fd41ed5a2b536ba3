"""Names of columns, splits and features: each is written here and nowhere else."""

from enum import IntEnum

# Columns of the canonical event table, the same for every data source.
USER = "user"
DAY = "day"  # days since 1970-01-01
EVENT_TYPE = "event_type"

# Columns of the prepared tables.
HISTORY = "history"  # row of histories.arrow: the past that an event sees
SPLIT = "split"
VALUE = "value"
FEATURE = "feature"
LABEL = "label"
OCCURRENCES = "occurrences"
WEIGHT = "weight"
OFFER = "offer"
BASE = "base"
BATCH = "batch"
EVENT = "event"

# Columns of the results.
SEGMENT = "segment"
TASK = "task"
MODEL = "model"
WAUC = "wauc"
HALF_WIDTH = "half_width"
COMPARED_WITH = "compared_with"
OTHER = "other"
GAP = "gap"
POSITIVES = "positives"
NEGATIVES = "negatives"

# Names that the canonical and the prepared tables, and the SQL between them, have for themselves: a feature
# of such a name would take its place without a word.
RESERVED = {
    *("user", "day", "second", "event_type", "history", "event", "batch", "offer", "split"),
    *("user_index", "file_order", "log_type", "fault", "file", "fault_file", "fault_text"),
    *("rowid", "number", "filename", "file_index", "file_row_number", "target_events", "occurrences"),
    *("value", "label", "feature", "place", "line", "first_byte", "reason", "text", "base", "weight"),
}


class Split(IntEnum):
    """The part of the users that an event belongs to."""

    TRAIN = 0
    VALIDATION = 1
    TEST = 2

    @property
    def part(self) -> str:
        """Name in files and parameters."""
        return self.name.lower()


def user_feature(event_type: str, feature: str) -> str:
    """Name of the bag of `feature` over a user's past events of `event_type`."""
    return f"history_{event_type}_{feature}"


def window(event_type: str) -> tuple[str, str]:
    """Columns of histories.arrow: where a history starts and how many events it has."""
    return f"window_start_{event_type}", f"window_length_{event_type}"


def bag(user_feature_name: str) -> tuple[str, str]:
    """Columns of histories.arrow: where a bag of distinct values starts and its length."""
    return f"bag_start_{user_feature_name}", f"bag_length_{user_feature_name}"
