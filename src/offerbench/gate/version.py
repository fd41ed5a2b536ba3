"""Files of the working tree and of another git revision, read the same way."""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from offerbench.core import git
from offerbench.core.errors import OfferbenchError
from offerbench.core.paths import PASSED_OVER

FULL_HASH = re.compile(r"[0-9a-f]{40}")
RELATIVE = re.compile(r"[~^@:]")  # main~1, main@{yesterday}: git can't fetch these by name


@dataclass(frozen=True)
class Version:
    """One version of the results."""

    name: str
    """What messages call it."""
    read: Callable[[Path], bytes | None]
    """Content of a file, by its path from the current directory; None if there is no such file."""
    list_files: Callable[[Path], list[Path]]
    """Files in a directory and below it; none if there is no such directory."""
    remedy: str
    """What to do when its files are missing or broken."""


def working_tree() -> Version:
    """Give the files as they are on the disk."""
    return Version("working tree", _read_here, _list_here, "Run `dvc repro`.")


def at_revision(name: str) -> Version:
    """Give the files of a git revision; a branch that is unknown here is looked for at `origin`.

    Raises
    ------
    OfferbenchError
        If this is no git repository, or the revision is unknown; says how to fetch it.
    """
    git.output("rev-parse", "--git-dir")
    for candidate in (name, f"origin/{name}"):
        if commit := git.find_commit(candidate):
            remedy = "Choose a baseline with committed results (--baseline)."
            return Version(
                f"{candidate} ({commit[:7]})",
                partial(git.read_committed, commit),
                partial(_list_committed, commit),
                remedy,
            )
    raise OfferbenchError(f"{name}: no such revision here. {_how_to_get(name)}")


def _how_to_get(name: str) -> str:
    if b"origin" not in git.attempt("remote").stdout.split():
        return "`git log --oneline --all` lists those there are."
    shallow = git.attempt("rev-parse", "--is-shallow-repository").stdout.strip() == b"true"
    if RELATIVE.search(name):
        command = "git fetch --unshallow" if shallow else "git fetch"
    else:
        branch = name.removeprefix("origin/")
        # A shallow clone follows one branch only: without a target, git would fetch and not name it.
        target = "" if FULL_HASH.fullmatch(branch) else f":refs/remotes/origin/{branch}"
        command = f"git fetch {'--depth 1 ' if shallow else ''}origin {branch}{target}"
    return f"Run `{command}`, then this again."


def _read_here(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def _list_here(directory: Path) -> list[Path]:
    return [path for path in directory.rglob("*") if path.is_file() and path.name not in PASSED_OVER]


def _list_committed(commit: str, directory: Path) -> list[Path]:
    names = git.output("ls-tree", "-r", "-z", "--name-only", commit, "--", f"{directory.as_posix()}/")
    return [Path(os.fsdecode(name)) for name in names.split(b"\0") if name]
