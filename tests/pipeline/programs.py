"""Programs in the place of `python`, `dvc` and `offerbench` that don't import their libraries anew."""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

HERE = Path(__file__).parent
REAL = Path(sys.executable).parent
PROGRAMS = ("python", "dvc", "offerbench")
HASH_SEED = "0"
"""Of all runs that are not compared with one of another."""


@contextmanager
def preloaded_programs() -> Iterator[Path]:
    """Give a directory with the programs, to be the first of the search path; see preloaded.py.

    On the current stack (docs/stacks.md) they are the real ones: its TensorFlow has not been tried in a fork.
    """
    if sys.version_info >= (3, 12):
        yield REAL
        return
    directory = Path(mkdtemp(prefix="programs_"))  # not where pytest says: a socket's path must be short
    socket = directory / "socket"
    environment = {**os.environ, "PYTHONHASHSEED": HASH_SEED}
    environment.pop("PYTHONPATH", None)  # a fork imports the code of the workspace that it is run in
    environment.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    server = subprocess.Popen(
        [sys.executable, HERE / "preloaded.py", socket],
        env=environment,
        stdin=subprocess.PIPE,  # it ends when this process does
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        assert server.stdout
        assert server.stdout.readline() == "ready\n"
        for program in PROGRAMS:
            client = [sys.executable, "-I", "-S", HERE / "preloaded_client.py", socket, REAL, program]
            words = shlex.join(str(word) for word in client)
            (directory / program).write_text(f'#!/bin/sh\nexec {words} "$@"\n')
            (directory / program).chmod(0o755)
        yield directory
    finally:
        assert server.stdin
        server.stdin.close()
        server.wait()
        shutil.rmtree(directory)
