"""Where the stage `audiences` reads and writes."""

from pathlib import Path

CAMPAIGNS_FILE = Path("campaigns.yaml")
AUDIENCES_DIRECTORY = Path("data/audiences")
