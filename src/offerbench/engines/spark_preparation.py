"""Raw files -> prepared tables on a Spark cluster: the same bytes as on one machine."""

import logging
from pathlib import Path
from typing import Any

from offerbench.core.errors import OfferbenchError
from offerbench.datasets.config import Custom
from offerbench.datasets.raw_files import unchanged
from offerbench.engines.raw_files import read_raw_files
from offerbench.engines.session import spark_session
from offerbench.engines.spark_events import SparkEvents
from offerbench.engines.work_directories import run_directory
from offerbench.preparation.config import Prepare
from offerbench.preparation.prepare import prepare_events
from offerbench.preparation.resources import Resources

LOG = logging.getLogger(__name__)


def prepare_on_spark(
    dataset: str,
    raw_directory: Path,
    directory: Path,
    prepare: Prepare,
    resources: Resources,
    custom: Custom | None = None,
    until: int | None = None,
) -> dict[str, Any]:
    """Make the prepared tables of a data set on the cluster of `resources.spark`.

    Parameters and counts are those of `offerbench.preparation.prepare.prepare_dataset`. The raw files and
    `resources.spark.work_directory`, unless it is a URL, must be seen by all machines under the same names.

    Raises
    ------
    OfferbenchError
        What `prepare_dataset` refuses; if Spark is not there or gives up.
    """
    spark = resources.spark
    if spark is None:
        raise OfferbenchError("resources.spark: is null, so there is no cluster. Set it in params.yaml.")
    with (
        unchanged(raw_directory),
        run_directory(spark, resources, "prepare") as work,
        spark_session(spark) as session,
    ):
        LOG.info("Spark %s at %s", session.version, spark.master)
        read, files = read_raw_files(session, dataset, raw_directory, custom, work, resources)
        events = SparkEvents(session, files, work, spark.users_per_shard)
        return prepare_events(events, read, raw_directory, directory, prepare, resources, until)
