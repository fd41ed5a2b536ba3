"""Bytes that tasks of Spark exchanged, from the log that Spark writes of its events."""

import json
from pathlib import Path

EVENT_LOG = "events"


def event_log_settings(directory: Path) -> dict[str, str]:
    """Give the settings that make Spark write its log, as text, into a directory, which is made."""
    log = directory / EVENT_LOG
    log.mkdir(parents=True, exist_ok=True)
    return {
        "spark.eventLog.enabled": "true",
        "spark.eventLog.compress": "false",
        "spark.eventLog.rolling.enabled": "false",
        "spark.eventLog.dir": log.as_uri(),
    }


def bytes_exchanged(directory: Path) -> int:
    """Add up what all tasks of all sessions so far have written for others to read: Spark's shuffle."""
    total = 0
    for file in (directory / EVENT_LOG).iterdir():
        with file.open(encoding="utf-8") as lines:
            for line in lines:
                event = json.loads(line)
                if event["Event"] == "SparkListenerTaskEnd" and (metrics := event.get("Task Metrics")):
                    total += metrics["Shuffle Write Metrics"]["Shuffle Bytes Written"]
    return total
