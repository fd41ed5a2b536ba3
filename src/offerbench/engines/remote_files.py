"""Raw files that are not on this machine: on S3, on HDFS, or wherever fsspec gets to."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import TypeAdapter, ValidationError

from offerbench.core.atomic import atomic_file
from offerbench.core.errors import OfferbenchError
from offerbench.core.json_files import read_json, write_json
from offerbench.engines.file_systems import explained, opened

LISTING = "remote_files.json"
"""In a data set's raw directory: names the files that stand elsewhere, in their place."""


@dataclass(frozen=True)
class RemoteFile:
    """A file, as it was when it was listed."""

    url: str
    size: int
    """Bytes."""
    version: str
    """ETag or time: another one for another content."""

    @property
    def name(self) -> str:
        """Name that it has in the raw directory."""
        return self.url.rsplit("/", 1)[-1]


FILES = TypeAdapter(list[RemoteFile])


def list_remote(url: str) -> list[RemoteFile]:
    """List the files of a remote directory, without those of directories in it; sorted by name.

    Raises
    ------
    OfferbenchError
        If it can't be listed, or has no file.
    """
    system, path = opened(url)
    with explained(url):
        found = [info for info in system.ls(path, detail=True) if info["type"] == "file" and info["size"]]
        found = [info for info in found if not info["name"].rsplit("/", 1)[-1].startswith(".")]
    scheme = urlsplit(url).scheme
    files = [
        RemoteFile(f"{scheme}://{info['name'].removeprefix(f'{scheme}://')}", info["size"], _version(info))
        for info in found
    ]
    if not files:
        raise OfferbenchError(f"{url}: no file. Name the directory that has the raw files.")
    return sorted(files, key=lambda file: file.name)


def write_listing(files: Sequence[RemoteFile], raw_directory: Path) -> None:
    """Write the list that stands for the files in a raw directory; DVC sees it change when they do."""
    content = {"files": FILES.dump_python(list(files))}
    with atomic_file(raw_directory / LISTING, through=raw_directory.parent) as temporary:
        write_json(temporary, content)


def read_listing(raw_directory: Path) -> list[RemoteFile]:
    """Read what `write_listing` wrote; nothing if the raw files are here.

    Raises
    ------
    OfferbenchError
        If it is damaged, or other files stand beside it.
    """
    file = raw_directory / LISTING
    if not file.exists():
        return []
    others = sorted(path.name for path in raw_directory.iterdir() if path.name != LISTING)
    if visible := [name for name in others if not name.startswith(".")]:
        raise OfferbenchError(f"{file}: {visible[0]} stands beside it. Remove the list, or the files.")
    try:
        listed = FILES.validate_json(json.dumps(read_json(file)["files"]), strict=True)
    except (ValidationError, KeyError, TypeError):
        listed = []
    if not listed or any(each.name.startswith(".") or not each.name for each in listed):
        raise OfferbenchError(f"{file}: no list of `offerbench fetch --from URL --list`. Write it again.")
    return listed


def refuse_remote(raw_directory: Path) -> None:
    """Refuse raw files that are elsewhere: one machine reads what it has.

    Raises
    ------
    OfferbenchError
        If there is a list of remote files.
    """
    if files := read_listing(raw_directory):
        raise OfferbenchError(
            f"{raw_directory / LISTING}: lists {files[0].url}, which only the tasks of a cluster fetch. Set "
            "resources.spark, or fetch the files: offerbench fetch --from "
            f"{files[0].url.rsplit('/', 1)[0]}"
        )


def fetch_remote(file: RemoteFile, target: Path) -> None:
    """Copy a file here, whole or not at all.

    Raises
    ------
    OfferbenchError
        If it can't be read, or is another one than was listed.
    """
    system, path = opened(file.url)
    with atomic_file(target, through=target.parent.parent) as temporary:
        with explained(file.url):
            system.get_file(path, str(temporary))
            system.invalidate_cache()
            info = system.info(path)
        if (temporary.stat().st_size, _version(info)) != (file.size, file.version):
            raise OfferbenchError(
                f"{file.url}: is another file than was listed. Wait until it is complete, then run "
                f"`offerbench fetch --from {file.url.rsplit('/', 1)[0]}` again."
            )


def fetch_footer(file: RemoteFile, target: Path) -> None:
    """Make a file as long as a remote Parquet file that has its end alone: what it says of its rows.

    Raises
    ------
    OfferbenchError
        If it can't be read.
    """
    system, path = opened(file.url)
    with explained(file.url):
        length = int.from_bytes(system.cat_file(path, start=max(file.size - 8, 0))[:4], "little") + 8
        end = system.cat_file(path, start=max(file.size - length, 0))
    with target.open("wb") as stream:
        stream.truncate(file.size)  # takes no room
        stream.seek(max(file.size - len(end), 0))
        stream.write(end)


def _version(info: dict[str, Any]) -> str:
    """Give what changes with a file's content."""
    found = next((info[key] for key in ("ETag", "etag", "mtime", "LastModified") if info.get(key)), "")
    return str(found).strip('"')
