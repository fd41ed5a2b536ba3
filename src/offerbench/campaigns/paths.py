"""Where audiences read and write."""

from pathlib import Path

CAMPAIGNS_FILE = Path("campaigns.yaml")
AUDIENCES_DIRECTORY = Path("data/audiences")
USERS_DIRECTORY = Path("data/users_as_of")  # what audiences of a day share; no stage's output
