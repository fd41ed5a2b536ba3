"""Names of columns, splits, files and models: each stands here once."""

from enum import IntEnum
from pathlib import Path

# Columns of the canonical event table, the same for every data source.
USER = "user"
DAY = "day"  # days since 1970-01-01
EVENT_TYPE = "event_type"

# Columns of the prepared tables.
VIEW = "view"  # row of views.arrow: the history that an event sees
SPLIT = "split"
VALUE = "value"
FEATURE = "feature"
LABEL = "label"
OCCURRENCES = "occurrences"
WEIGHT = "weight"
OFFER = "offer"
BATCH = "batch"
EVENT = "event"

# Rows of the result tables.
FULL_MODEL = "full"
AUGMENTED_MODEL = "augmented"
SINGLE_MODELS = (FULL_MODEL, AUGMENTED_MODEL)  # that are to serve every task
HISTORY_AFFINITY = "history_affinity"

MEASURES = ("train/loss", "train/auc", "validation/loss", "validation/auc")  # of a training's log

SEGMENTS = ("all", "popular", "cold_start")

PARAMETERS_FILE = Path("params.yaml")
LOCK_FILE = Path("dvc.lock")
RAW_DIRECTORY = Path("data/raw")
PREPARED_DIRECTORY = Path("data/prepared")
BATCHES_DIRECTORY = Path("data/batches")
GROUP_TEST_DIRECTORY = Path("data/group_test")
MODELS_DIRECTORY = Path("models")
METRICS_DIRECTORY = Path("metrics")
CURVES_DIRECTORY = Path("plots/training")
REPORTS_DIRECTORY = Path("reports")
CHECKPOINTS_DIRECTORY = Path("data/checkpoints")  # of unfinished trainings; no stage's output


class Split(IntEnum):
    """The part of the users that an event belongs to."""

    TRAIN = 0
    VALIDATION = 1
    TEST = 2


def mono_model(task: str) -> str:
    """Name of the model that sees one offer feature only."""
    return f"mono_{task}"


def user_feature(event_type: str, feature: str) -> str:
    """Name of the bag of `feature` over a user's past events of `event_type`."""
    return f"history_{event_type}_{feature}"


def window(event_type: str) -> tuple[str, str]:
    """Columns of views.arrow: where a history starts and how many events it has."""
    return f"window_start_{event_type}", f"window_length_{event_type}"


def bag(user_feature_name: str) -> tuple[str, str]:
    """Columns of views.arrow: where a bag of distinct values starts and its length."""
    return f"bag_start_{user_feature_name}", f"bag_length_{user_feature_name}"
