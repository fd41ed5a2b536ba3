"""Command: run a preset beside the checkout and keep its tables under reports/presets/."""

import os
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from offerbench import command
from offerbench.errors import OfferbenchError
from offerbench.params.loading import load_parameters
from offerbench.schema import METRICS_DIRECTORY, PARAMETERS_FILE, RAW_DIRECTORY, REPORTS_DIRECTORY
from offerbench.storage import whole_file

PRESETS_DIRECTORY = Path("presets")
KEPT = (
    *(METRICS_DIRECTORY / f"{name}.json" for name in ("wauc", "intervals", "gaps", "summary")),
    REPORTS_DIRECTORY / "wauc.md",
)


def run_preset(name: str) -> Path:
    """Run a preset in a git work tree of HEAD that shares DVC's cache; params.yaml here stays as it is.

    Returns
    -------
    Path
        The directory that holds the preset's tables.

    Raises
    ------
    OfferbenchError
        If there is no such preset, or its run fails.
    """
    preset = PRESETS_DIRECTORY / f"{name}.yaml"
    if not preset.exists():
        known = sorted(path.stem for path in PRESETS_DIRECTORY.glob("*.yaml"))
        raise OfferbenchError(f"{preset}: no such file. There are {', '.join(known)}.")
    raw = RAW_DIRECTORY / load_parameters(preset).dataset
    target = REPORTS_DIRECTORY / "presets" / name
    with TemporaryDirectory() as temporary:
        tree = Path(temporary) / "tree"
        _run("git", "worktree", "add", "--detach", str(tree), "HEAD")
        try:
            (tree / PARAMETERS_FILE).write_bytes(preset.read_bytes())
            (tree / RAW_DIRECTORY).mkdir(parents=True, exist_ok=True)
            (tree / raw).symlink_to(raw.resolve())
            _run("dvc", "cache", "dir", "--local", str(Path(".dvc/cache").resolve()), directory=tree)
            _run("dvc", "repro", directory=tree)
            for file in KEPT:
                with whole_file(target / file.name) as copy:
                    copy.write_bytes((tree / file).read_bytes())
        finally:
            _run("git", "worktree", "remove", "--force", str(tree))
    return target


def _run(*words: str, directory: Path | None = None) -> None:
    # The tree's own code, whatever is being edited here.
    environment = {**os.environ, "PYTHONPATH": str(directory / "src")} if directory else None
    if subprocess.run(words, cwd=directory, env=environment, check=False).returncode:
        raise OfferbenchError(f"`{' '.join(words)}` failed; its own message is above.")


def main(name: Annotated[str, typer.Argument(help="A file of presets/, without .yaml.")]) -> None:
    """Run a preset and keep its tables."""
    print(f"preset_results: tables in {run_preset(name)}")


if __name__ == "__main__":
    command.run(main)
