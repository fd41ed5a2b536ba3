"""A session of Spark, opened after what it needs was looked for, and its failures in one line."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Any

from offerbench.core.errors import OfferbenchError
from offerbench.preparation.resources import Spark

MIN_JAVA = 17
"""Of Spark 4."""
LOOPBACK = "127.0.0.1"
RAISED = re.compile(r"offerbench\.core\.errors\.OfferbenchError: (.*)")

LOST = re.compile(r"ExecutorLostFailure.*|All masters are unresponsive.*|No space left on device")
"""Failures of machines, in what Spark says."""


@contextmanager
def spark_session(spark: Spark, settings: Mapping[str, str] = MappingProxyType({})) -> Iterator[Any]:
    """Open a session of Spark; it is stopped at the end.

    Parameters
    ----------
    spark : Spark
        The section `resources.spark`. Its `conf` goes before what is set here.
    settings : mapping, optional
        More settings of Spark.

    Yields
    ------
    pyspark.sql.SparkSession
        The session, its time zone UTC.

    Raises
    ------
    OfferbenchError
        If PySpark or Java are missing, the master can't be reached, or a task has failed for good.
    """
    sql = _pyspark()
    _check_java()
    with _explained(spark):
        builder = sql.SparkSession.builder.master(spark.master).appName("offerbench")
        for key, value in {**_defaults(spark.master), **settings, **spark.conf}.items():
            builder = builder.config(key, value)
        session = builder.getOrCreate()
        try:
            yield session
        finally:
            session.stop()


def _pyspark() -> Any:
    """Import PySpark: only here, so that it is no dependency of anything else."""
    try:
        return import_module("pyspark.sql")
    except ImportError as error:
        raise OfferbenchError(
            f"resources.spark: PySpark can't be imported ({error}). Run `make setup-spark`, or set "
            "resources.spark to null in params.yaml to run on this machine."
        ) from None


def _check_java() -> None:
    """Refuse a machine without the Java that Spark needs, which Spark says in many lines."""
    advice = f"Install Java {MIN_JAVA} (Debian: default-jre-headless), or set JAVA_HOME to it."
    home = os.environ.get("JAVA_HOME")
    java = shutil.which("java") if home is None else shutil.which("java", path=f"{home}/bin")
    if java is None:
        where = "on the path" if home is None else f"in JAVA_HOME = {home}"
        raise OfferbenchError(f"resources.spark: there is no Java {where}. {advice}")
    printed = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
    found = re.search(r'version "(\d+)', printed)
    if found is None or int(found[1]) < MIN_JAVA:
        version = printed.splitlines()[0] if printed else "no version"
        raise OfferbenchError(f"resources.spark: {java} is of no use to Spark ({version}). {advice}")


def _defaults(master: str) -> dict[str, str]:
    """Give the settings that the user may change."""
    paths = filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))
    settings = {
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": str(sys.stderr.isatty()).lower(),
        "spark.log.level": "ERROR",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.execution.arrow.maxRecordsPerBatch": "100000",
        # Of executors on machines that are set up as this one; they start in a directory of their own.
        "spark.pyspark.python": sys.executable,
        "spark.executorEnv.TF_CPP_MIN_LOG_LEVEL": "3",
        "spark.executorEnv.PYTHONPATH": os.pathsep.join(str(Path(path).resolve()) for path in paths),
    }
    if master.startswith(("local", f"spark://{LOOPBACK}:")):  # nobody from outside gets to the driver
        settings |= {"spark.driver.bindAddress": LOOPBACK, "spark.driver.host": LOOPBACK}
    return settings


@contextmanager
def _explained(spark: Spark) -> Iterator[None]:
    """Turn what Spark raises, hundreds of lines long, into one; a programmer's mistake keeps its own."""
    try:
        yield
    except OfferbenchError:
        raise
    except Exception as error:
        if not type(error).__module__.startswith(("pyspark.", "py4j.")):
            raise
        text = str(error)
        if raised := RAISED.search(text):
            raise OfferbenchError(raised[1]) from None
        lost = LOST.search(text)
        if lost is None and "Traceback" in text:
            raise
        reason = lost[0] if lost else next(iter(text.splitlines()), type(error).__name__)
        raise OfferbenchError(
            f"resources.spark: Spark at {spark.master} gave up ({reason}). Look into the logs of its "
            "executors, then run it again: nothing half-written is left."
        ) from None
