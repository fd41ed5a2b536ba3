"""What is in a directory."""

from pathlib import Path


def names(directory: Path) -> list[str]:
    """Names in a directory, hidden ones too, sorted."""
    return sorted(path.name for path in directory.iterdir())
