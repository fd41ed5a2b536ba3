"""`resources.spark.work_directory`: a directory of its own for each run, removed at its end.

That of a killed run is removed by the next one. On a disk a lock says which these are. At a URL there are no
locks: there the driver keeps a receipt, a locked file in its `resources.spill_directory` that has the URL.
The lock goes with its process, the receipt stays.
"""

import fcntl
import logging
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from offerbench.core.atomic import PARTIAL, temporary_directory
from offerbench.core.errors import OfferbenchError
from offerbench.engines.exchange import Exchange
from offerbench.engines.file_systems import is_url, remove, upload
from offerbench.preparation.resources import Resources, Spark

LOG = logging.getLogger(__name__)
RECEIPT = ".url"


@contextmanager
def run_directory(spark: Spark, resources: Resources, name: str) -> Iterator[Exchange]:
    """Give an empty directory of this run, in `work_directory`.

    Parameters
    ----------
    spark, resources : Spark, Resources
        Where it is, and where the spill directory of this machine is.
    name : str
        What the run is for.

    Raises
    ------
    OfferbenchError
        If `work_directory` is a URL that can't be written to.
    """
    spill = Path(resources.spill_directory)
    _remove_dead(spill)
    if not is_url(spark.work_directory):
        with temporary_directory(Path(spark.work_directory).absolute(), name) as directory:
            yield Exchange(str(directory), resources.spill_directory)
        return
    url = f"{spark.work_directory.rstrip('/')}/{PARTIAL}{name}.{secrets.token_hex(8)}"
    with _receipt(spill, url) as receipt:
        upload(receipt, f"{url}/{receipt.name}")  # says early whether tasks will be able to
        yield Exchange(url, resources.spill_directory)


@contextmanager
def shared_directory(spark: Spark, name: str) -> Iterator[Path]:
    """Give an empty directory of this run that all machines see as a path.

    Raises
    ------
    OfferbenchError
        If `work_directory` is a URL.
    """
    refuse_url(spark, name)
    with temporary_directory(Path(spark.work_directory).absolute(), name) as directory:
        yield directory


def refuse_url(spark: Spark, name: str) -> None:
    """Refuse a `work_directory` that is a URL, for a run that needs a path.

    Raises
    ------
    OfferbenchError
        Says what to set it to.
    """
    if is_url(spark.work_directory):
        raise OfferbenchError(
            f"resources.spark.work_directory: is {spark.work_directory}, but {name} on Spark needs a path. "
            "Set it to a directory beside the checkout, which all machines must see for it, or set "
            "resources.spark to null."
        )


@contextmanager
def _receipt(spill: Path, url: str) -> Iterator[Path]:
    """Keep a locked receipt of a URL while the block runs; the URL is removed with it."""
    spill.mkdir(parents=True, exist_ok=True)
    receipt = spill / f"{PARTIAL}{secrets.token_hex(8)}{RECEIPT}"
    draft = receipt.with_suffix(
        ".draft"
    )  # it is locked when it gets its name: nobody takes it for a dead one
    with draft.open("w") as file:
        with suppress(OSError):  # a file system without locks: nobody else removes the URL then
            fcntl.flock(file, fcntl.LOCK_EX)
        file.write(url)
        file.flush()
        draft.rename(receipt)
        try:
            yield receipt
        finally:
            if _removed(url):
                receipt.unlink(missing_ok=True)


def _remove_dead(spill: Path) -> None:
    """Remove what runs that were killed have left at URLs."""
    for receipt in spill.glob(f"{PARTIAL}*{RECEIPT}"):
        with suppress(OSError), receipt.open("r+") as file:  # its owner is running, or has just removed it
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            url = file.read()
            if os.fstat(file.fileno()).st_nlink and (not url or _removed(url)):
                receipt.unlink()


def _removed(url: str) -> bool:
    """Remove the directory of a run at a URL; say whether it is gone. What can't be removed stops nothing."""
    if not url.rsplit("/", 1)[-1].startswith(PARTIAL):
        LOG.warning("%s: is no directory of a run, so it is not removed", url)
        return False
    try:
        remove(url)
    except OfferbenchError as error:
        LOG.warning("%s", error)
        return False
    return True
