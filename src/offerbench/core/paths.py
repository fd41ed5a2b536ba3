"""Paths of a checkout: each is written here and nowhere else."""

from pathlib import Path

from offerbench.core.atomic import PARTIAL

PARAMETERS_FILE = Path("params.yaml")
SCHEMA_FILE = Path("params.schema.json")
PIPELINE_FILE = Path("dvc.yaml")
LOCK_FILE = Path("dvc.lock")
SOURCE_DIRECTORY = Path("src/offerbench")
RAW_DIRECTORY = Path("data/raw")
VALIDATED_FILE = Path("data/validated")  # params.yaml was read and found valid
PREPARED_DIRECTORY = Path("data/prepared")
PAST_DIRECTORY = Path("data/past")
BATCHES_DIRECTORY = Path("data/batches")
GROUP_TEST_DIRECTORY = Path("data/group_test")
MODELS_DIRECTORY = Path("models")
METRICS_DIRECTORY = Path("metrics")
CURVES_DIRECTORY = Path("plots/training")
REPORTS_DIRECTORY = Path("reports")
CHECKPOINTS_DIRECTORY = Path("data/checkpoints")  # of unfinished trainings; no stage's output

PASSED_OVER = {".DS_Store", "Thumbs.db", "desktop.ini"}
"""What file managers leave in a directory; .gitignore and .dvcignore have these names too."""


def entries(directory: Path) -> list[Path]:
    """List what is in a directory as DVC sees it: without what it is told to pass over; sorted."""
    return sorted(
        path
        for path in directory.glob("*")
        if path.name not in PASSED_OVER and not path.name.startswith(PARTIAL)
    )


def history_events_file(directory: Path, event_type: str) -> Path:
    """File of the events of a type that is in use and not the target."""
    return directory / f"history_events_{event_type}.arrow"
