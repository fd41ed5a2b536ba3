"""Stands for `python`, `dvc` or `offerbench`: has the command run by a fork of the preloaded process.

    python -I -S tests/pipeline/preloaded_client.py SOCKET PROGRAMS WORD ...

PROGRAMS is the directory of the real ones, of which one is run where a fork can't stand for it.
"""

import json
import os
import signal
import socket
import sys
from typing import Any

FILES = 3
"""Standard input, output and errors, which are handed over."""


def receive(connection: socket.socket, files: int) -> tuple[dict[str, Any], list[int]]:
    """Read a request and the files that come with its first byte."""
    text, handed, _, _ = socket.recv_fds(connection, 1 << 16, files)
    while not text.endswith(b"\n"):
        text += connection.recv(1 << 16)
    return json.loads(text), list(handed)


def ask(path: str, words: list[str]) -> str:
    """Have a command run; give its exit status, or what else the answer is. Nothing if there is none."""
    directory = os.getcwd()  # noqa: PTH109 (pathlib takes longer to import than all the rest)
    request = {"words": words, "directory": directory, "environment": dict(os.environ)}
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(path)
        socket.send_fds(connection, [b" "], range(FILES))
        connection.sendall(json.dumps(request).encode() + b"\n")
        return connection.makefile().readline().strip()


def end(status: int) -> None:
    """End as the command did, by a signal too."""
    if status < 0:
        if -status != signal.SIGKILL:
            signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    sys.exit(status)


def main() -> None:
    """Ask for a fork, or be the real program."""
    path, programs, program, *words = sys.argv[1:]
    can_be_forked = program != "python" or words[:2] == ["-m", "offerbench"] or words[0].endswith(".py")
    if can_be_forked:
        own = ["-m", "offerbench"] if program == "offerbench" else []
        answer = ask(path, [program, *own, *words])
        if answer != "start Python":
            end(int(answer or 1))
    real = f"{programs}/{program}"
    os.execv(real, [real, *words])


if __name__ == "__main__":
    main()
