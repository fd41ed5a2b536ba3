"""What the gate and the studies ask git; all paths are from the current directory."""

import subprocess
from pathlib import Path

from offerbench.core.errors import OfferbenchError


def attempt(*words: str) -> subprocess.CompletedProcess[bytes]:
    """Run git and give its status and output, whatever they are.

    Raises
    ------
    OfferbenchError
        If git is not installed.
    """
    try:
        return subprocess.run(("git", *words), capture_output=True, check=False)
    except FileNotFoundError:
        raise OfferbenchError("git: no such program. Install git, then run it again.") from None


def output(*words: str) -> bytes:
    """Run git and give its standard output.

    Raises
    ------
    OfferbenchError
        If git is not installed, or ends with an error.
    """
    done = attempt(*words)
    if done.returncode:
        reason = " ".join(done.stderr.decode(errors="replace").split())
        if "not a git repository" in reason:
            raise OfferbenchError(
                f"{Path.cwd()}: not a git repository, which this needs. Get offerbench by `git clone`, or "
                "make one of this directory: `git init`, `git add --all`, `git commit`."
            )
        raise OfferbenchError(
            f"{Path.cwd()}: `git {' '.join(words)}` failed ({reason}). Run it in an intact clone."
        )
    return done.stdout


def find_commit(name: str) -> str | None:
    """Give the hash of the commit that a branch, a tag or another name stands for; None if it is unknown."""
    found = attempt("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
    return None if found.returncode else found.stdout.decode().strip()


def read_committed(commit: str, path: Path) -> bytes | None:
    """Give the content of a file in a commit; None if it is not there."""
    if not output("ls-tree", "--name-only", commit, "--", path.as_posix()):
        return None
    return output("show", f"{commit}:./{path.as_posix()}")
