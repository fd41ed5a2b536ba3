"""`offerbench repro`: run the pipeline with several stages side by side, to the same bytes as `dvc repro`.

A stage runs by `dvc repro --single-item`, as soon as all stages that it needs are done. A training of two
threads leaves a core idle for a fifth of its time, and loading and writing are done by one: two stages at a
time fill that. `dvc repro` itself has no jobs.
"""

import logging
import subprocess
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Annotated

import typer

from offerbench.core.errors import OfferbenchError

LOG = logging.getLogger(__name__)
Needs = Mapping[str, frozenset[str]]


def repro(
    jobs: Annotated[int, typer.Option(min=1, help="Stages at a time.")] = 2,
    force: Annotated[bool, typer.Option("--force", help="Run every stage, changed or not.")] = False,
) -> None:
    """Run the whole pipeline, several stages at a time."""
    run_stages(stages_of_pipeline(), jobs, lambda name: _reproduce(name, force))


def stages_of_pipeline() -> dict[str, frozenset[str]]:
    """Read the stages of dvc.yaml and the stages that each one needs, as DVC sees them."""
    from dvc.repo import Repo  # takes a second, which the other verbs don't wait for

    with Repo() as repository:
        graph = repository.index.graph
        return {
            stage.addressing: frozenset(needed.addressing for needed in graph.successors(stage))
            for stage in graph.nodes
        }


def chain_lengths(needs: Needs) -> dict[str, int]:
    """Count the stages of the longest chain from each stage to the pipeline's end, with itself."""
    lengths: dict[str, int] = {}

    def length(name: str) -> int:
        if name not in lengths:
            after = [other for other, needed in needs.items() if name in needed]
            lengths[name] = 1 + max(map(length, after), default=0)
        return lengths[name]

    for name in needs:
        length(name)
    return lengths


def run_stages(needs: Needs, jobs: int, run: Callable[[str], bool]) -> None:
    """Run every stage after those that it needs, those with the longest chain behind them first.

    Parameters
    ----------
    needs : mapping of frozenset of str
        For each stage, the stages that must be done before; no circle.
    jobs : int
        Stages at a time.
    run : callable
        Runs a stage; false if it failed.

    Raises
    ------
    OfferbenchError
        If a stage failed: what was running is waited for, nothing more is started.
    """
    lengths, done, failed = chain_lengths(needs), set[str](), list[str]()
    waiting = sorted(needs, key=lambda name: -lengths[name])  # stable: else in the order of dvc.yaml
    with ThreadPoolExecutor(jobs) as pool:
        running: dict[Future[bool], str] = {}
        while running or (waiting and not failed):
            ready = [] if failed else [name for name in waiting if needs[name] <= done]
            for name in ready[: jobs - len(running)]:
                waiting.remove(name)
                running[pool.submit(run, name)] = name
            for finished in wait(running, return_when=FIRST_COMPLETED).done:
                name = running.pop(finished)
                (done.add if finished.result() else failed.append)(name)
    if failed:
        raise OfferbenchError(f"{', '.join(failed)} failed: what it said is above. Mend it and run again.")


def stage_command(name: str, force: bool) -> list[str]:
    """Give the words that run one stage by DVC, beside others."""
    command = [sys.executable, "-m", "dvc", "--wait-for-lock", "repro", "--single-item", name]
    return [*command, *(["--force"] if force else [])]


def _reproduce(name: str, force: bool) -> bool:
    """Run one stage by DVC, and print what it said when it is done: nobody reads two stages in turns."""
    LOG.info("%s started", name)
    done = subprocess.run(
        stage_command(name, force),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    print(done.stdout, end="", flush=True)
    LOG.info("%s %s", name, "failed" if done.returncode else "is done")
    return done.returncode == 0
