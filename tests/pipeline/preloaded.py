"""A process with the libraries loaded, which is forked where a stage, DVC or `offerbench` would start Python.

    python tests/pipeline/preloaded.py SOCKET

Most of a small run's time goes into importing TensorFlow and DVC, some twenty times. A fork has them already.
Otherwise it is a process of its own, with the files, directory, environment and arguments of the command that
it stands for. It imports the code of its workspace, since nothing of offerbench is loaded here.

What only a start of Python can heed is left to one: another hash seed, another encoding. Tests of kills, of
limits of a process and of the same bytes start Python too.
"""

import atexit
import gc
import importlib
import inspect
import os
import runpy
import select
import signal
import socket
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import Any

from preloaded_client import FILES, receive

LIBRARIES = [
    *("dvc.cli.parser", "dvc.commands.experiments", "dvc.commands.repro", "dvc.repo.reproduce", "dvclive"),
    *("tensorflow", "tensorflow_addons", "lightgbm", "implicit.als", "sklearn.cluster", "safetensors.numpy"),
    *("pandas", "pyarrow.compute", "pyarrow.csv", "pyarrow.parquet", "duckdb", "sqlglot", "pydantic"),
    *("scipy.optimize", "scipy.sparse", "scipy.special", "scipy.stats", "matplotlib.pyplot", "seaborn"),
    *("jinja2", "ruamel.yaml", "tabulate", "threadpoolctl", "tqdm", "typer.rich_utils"),
]
HEEDED = {"PYTHONPATH", "PYTHONUNBUFFERED"}
"""Python's own variables that a fork heeds; it can't follow a change of another one."""


def python_variables(environment: dict[str, str]) -> dict[str, str]:
    """Variables of Python that are read at its start alone."""
    return {
        name: value for name, value in environment.items() if name.startswith("PYTHON") and name not in HEEDED
    }


def load_libraries() -> None:
    """Import what is there: the extra of the peers and tensorflow-addons may not be."""
    os.environ["KERAS_BACKEND"] = "tensorflow"  # as offerbench.model does
    for name in LIBRARIES:
        try:
            importlib.import_module(name)
        except ImportError as error:
            assert error.name == name.split(".")[0], error
    # pydantic asks for a module by its file: Python then looks at all that are loaded, once.
    inspect.getmodule(compile("", "nowhere", "exec"))


def keep(connection: socket.socket, worker: int) -> None:
    """Wait for a fork and tell its client how it ended; end it if the client goes."""
    process = os.pidfd_open(worker)
    if process in select.select([process, connection], [], [])[0]:
        status = os.waitstatus_to_exitcode(os.waitpid(worker, 0)[1])
        connection.send(f"{status}\n".encode())
    else:  # nothing more is sent: it is closed
        os.kill(worker, signal.SIGKILL)
    os._exit(0)


def become(request: dict[str, Any], files: list[int]) -> list[str]:
    """Take over the command's files, directory, environment and arguments; give its words."""
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    os.chdir(request["directory"])
    os.environ.clear()
    os.environ.update(request["environment"])
    time.tzset()
    unbuffered = bool(os.environ.get("PYTHONUNBUFFERED"))
    for name, number in (("stdout", 1), ("stderr", 2)):
        line_buffering = os.isatty(number) or name == "stderr"
        stream = open(number, "w", closefd=False)  # noqa: SIM115
        stream.reconfigure(line_buffering=line_buffering, write_through=unbuffered)
        setattr(sys, name, stream)
    words: list[str] = request["words"]
    return words


def serve(path: str) -> list[str]:
    """Fork for each client; return in the forks alone, with the words of the command."""
    standard_input = 0  # of whoever wants this process, and has gone when it is closed
    started_with = python_variables(dict(os.environ))
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        print("ready", flush=True)
        while True:
            if standard_input in select.select([listener, standard_input], [], [])[0]:
                sys.exit()
            connection, _ = listener.accept()
            if os.fork():
                connection.close()
                continue
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            request, files = receive(connection, FILES)
            if python_variables(request["environment"]) != started_with:
                os._exit(connection.send(b"start Python\n") == 0)
            if worker := os.fork():
                keep(connection, worker)
            connection.close()
            break
    return become(request, files)


def run(program: str, words: list[str]) -> None:
    """Run what Python would have been started with."""
    if program == "dvc":
        sys.argv = [program, *words]
        runpy.run_module("dvc", run_name="__main__")
    elif words[0] == "-m":
        sys.argv = words[1:]
        sys.path.insert(0, str(Path.cwd()))
        runpy.run_module(words[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = words
        sys.path.insert(0, str(Path(words[0]).absolute().parent))
        runpy.run_path(words[0], run_name="__main__")


def end(status: int) -> None:
    """End as Python does, but for the clearing of its memory, which is of no use and takes seconds."""
    threading._shutdown()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def main() -> None:
    """Serve, and be the command in a fork."""
    path = sys.argv[1]
    sys.path[:] = sys.path[1:]  # without the directory of the tests
    load_libraries()
    gc.freeze()  # a fork shares the memory of what it does not touch
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody here waits for the keepers
    program, *words = serve(path)
    own = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    sys.path[:0] = [str(Path(entry).absolute()) for entry in own if entry]
    importlib.invalidate_caches()
    status = 0
    try:
        run(program, words)
    except SystemExit as ended:
        status = int(ended.code is not None) if not isinstance(ended.code, int) else ended.code
        if isinstance(ended.code, str):
            print(ended.code, file=sys.stderr)
    except BaseException:
        traceback.print_exc()
        status = 1
    end(status)


if __name__ == "__main__":
    main()
