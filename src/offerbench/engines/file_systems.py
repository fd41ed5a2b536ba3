"""URLs by fsspec: the file system of one, and in one line why it can't be reached."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from offerbench.core.errors import OfferbenchError

OF_S3 = (
    "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, and for another server than "
    "Amazon's AWS_ENDPOINT_URL"
)
ADVICE = {
    "hdfs": "HDFS needs Hadoop's own library and Java's path: set HADOOP_HOME, and CLASSPATH to what "
    "`hadoop classpath --glob` prints. Or copy the files: hadoop fs -get",
    "s3": OF_S3,
    "s3a": OF_S3,
    "file": "All machines must see it, and you must have the right to write there",
}
ELSEWHERE = "Install the package of fsspec that it needs, or copy the files"
FULL = (errno.ENOSPC, errno.EDQUOT)


def is_url(place: str) -> bool:
    """Tell a URL from a path."""
    return "://" in place


def opened(url: str) -> tuple[Any, str]:
    """Give the file system of a URL, and the path in it.

    Raises
    ------
    OfferbenchError
        If it is no URL of a directory or file, or its file system can't be opened.
    """
    import fsspec  # here: one machine does not need it

    parts = urlsplit(url)
    if not parts.scheme or not parts.path or "::" in url:  # fsspec's chains read a URL through another
        raise OfferbenchError(f"{url!r}: no URL of a directory, such as s3://bucket/log.")
    if parts.username or parts.password:
        raise OfferbenchError(f"{parts.scheme}://{parts.hostname}: leave user and password out of the URL.")
    with explained(url):
        system, path = fsspec.core.url_to_fs(url)
        return system, path


@contextmanager
def explained(url: str, what: str = "read") -> Iterator[None]:
    """Say in one line why a URL can't be reached; a full disk of this machine keeps its own words.

    Parameters
    ----------
    url : str
        The URL.
    what : str
        What can't be done with it.

    Raises
    ------
    OfferbenchError
        In place of what its file system raises.
    """
    try:
        yield
    except OfferbenchError:
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno in FULL:
            raise
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        advice = ADVICE.get(urlsplit(url).scheme, ELSEWHERE)
        raise OfferbenchError(f"{url}: can't be {what} ({reason}). {advice}; then run it again.") from None


def upload(file: Path, url: str) -> None:
    """Copy a file to a URL.

    Raises
    ------
    OfferbenchError
        If it can't be written there.
    """
    from fsspec.implementations.local import LocalFileSystem

    system, path = opened(url)
    with explained(url, "written"):
        if isinstance(system, LocalFileSystem):  # the others make directories, or have none
            system.makedirs(path.rsplit("/", 1)[0], exist_ok=True)
        system.put_file(str(file), path)


def download(url: str, file: Path) -> bool:
    """Copy the file of a URL here; say whether there is one.

    Raises
    ------
    OfferbenchError
        If it can't be read.
    """
    system, path = opened(url)
    with explained(url):
        try:
            system.get_file(path, str(file))
        except FileNotFoundError:
            return False
    return True


def remove(url: str) -> None:
    """Remove the directory of a URL with all that is in it, if it is there.

    Raises
    ------
    OfferbenchError
        If it can't be removed.
    """
    system, path = opened(url)
    with explained(url, "removed"), suppress(FileNotFoundError):
        system.invalidate_cache()
        system.rm(path, recursive=True)
