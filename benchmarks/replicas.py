"""Several replicas of a training against one process: `python -m benchmarks.replicas` (after `make repro`).

The losses of the first steps, what a step costs, and trainings one replica of which is killed: what is
said, and whether the next run ends with the bytes of one that nothing has disturbed. Writes
`benchmarks/replica_losses.md` and `benchmarks/replica_kills.md`.
"""

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from ruamel.yaml import YAML
from tabulate import tabulate

from benchmarks.replica_checkout import Checkout
from offerbench.batching.batches import batches_file
from offerbench.core import command
from offerbench.core.atomic import atomic_file, temporary_directory
from offerbench.core.columns import Split
from offerbench.core.errors import OfferbenchError
from offerbench.core.paths import PARAMETERS_FILE, PREPARED_DIRECTORY

LOSSES_FILE, KILLS_FILE = Path("benchmarks/replica_losses.md"), Path("benchmarks/replica_kills.md")
STAGE = "train_full"
"""What is killed."""
MODELS = ("full", "category3", "augmented")
REPLICAS = (1, 2, 3)
TOLERANCE = 1e-5
KILLS = ((1, 1, 1.0), (0, 1, 1.0), (0, 0, 7.0))
"""Replica, epoch after which it is killed, and so many seconds later."""
EPOCHS = 2

Found = list[dict[str, Any]]


def compare_steps(
    checkout: Checkout, model: str, replicas: int, steps: int, one: Found | None
) -> tuple[Found, dict[str, Any]]:
    """Give what some replicas found, and the row of that; `one`: what one process found.

    Raises
    ------
    OfferbenchError
        If a loss differs from that of one process, the replicas' weights differ, or a second run has others.
    """
    found = checkout.first_steps(model, replicas, steps)
    again = found if one is None else checkout.first_steps(model, replicas, steps)
    apart = 0.0 if one is None else float(np.abs(np.subtract(found[0]["losses"], one[0]["losses"])).max())
    same = all(
        (each["losses"], each["weights"]) == (found[0]["losses"], found[0]["weights"]) for each in again
    )
    same &= len({each["weights"] for each in found}) == 1
    _check(apart <= TOLERANCE and same, f"{model}, {replicas} replicas: {apart} apart, same bits: {same}")
    return found, {
        "model": model,
        "replicas": replicas,
        "steps": steps,
        "losses apart at most": f"{apart:.1e}" if one else "",
        "same bits in all and twice": "yes" if one else "",
        "CPU s a step, each": round(float(np.mean([each["cpu_seconds"] for each in found])), 3),
        "MB sent a step": round(found[0]["sent_megabytes"], 1) if one else "",
        "MB of all variables": round(found[0]["parameters"] * 4e-6, 1),
        "GB of memory, each": round(max(each["memory_gigabytes"] for each in found), 2),
    }


def make_checkout(directory: Path, replicas: int) -> Checkout:
    """Make a directory in which this checkout's data are trained on by some replicas."""
    parameters = YAML(typ="safe").load(PARAMETERS_FILE.read_text(encoding="utf-8"))
    parameters["resources"]["replicas"] = replicas
    parameters[STAGE] |= {"epochs": EPOCHS, "early_stopping_patience": None}
    return Checkout.make(directory, parameters, PREPARED_DIRECTORY, batches_file(Split.VALIDATION))


def compare_kill(index: int, epoch: int, wait: float, expected: str, directory: Path) -> dict[str, Any]:
    """Kill a replica, run the stage again, and give the row of that.

    Raises
    ------
    OfferbenchError
        If the next run does not end with the expected bytes.
    """
    checkout = make_checkout(directory, 2)
    killed = checkout.run_and_kill(STAGE, index, epoch, wait)
    left = checkout.left()
    again = checkout.run(STAGE)
    _check(killed.status == 2 and killed.errors.count("\n") == 1, f"not one line: {killed}")
    _check(again.status == 0 and checkout.saved() == expected, f"not the same bytes: {again}")
    return {
        "killed": f"replica {index}, {wait} s after {f'epoch {epoch}' if epoch else 'the start'}",
        "all ended after": f"{killed.seconds:.1f} s",
        "said": killed.errors.strip(),
        "left": ", ".join(left) or "nothing",
        "the next run": f"from epoch {again.resumed_after}" if again.resumed_after else "anew",
        "bytes": "the same",
    }


def _check(holds: bool, what: str) -> None:
    if not holds:
        raise OfferbenchError(what)


def undisturbed(directory: Path) -> str:
    """Digest of what two replicas save that nothing disturbs."""
    checkout = make_checkout(directory, 2)
    found = checkout.run(STAGE)
    _check(found.status == 0, f"{found}")
    return checkout.saved()


def write(target: Path, rows: list[dict[str, Any]]) -> None:
    """Write a table, and print it."""
    with atomic_file(target) as temporary:
        temporary.write_text(tabulate(rows, "keys", tablefmt="pipe") + "\n", encoding="utf-8")
    print(target.read_text(encoding="utf-8"), flush=True)


def main(
    steps: Annotated[int, typer.Option(help="Steps of each comparison.")] = 30,
    losses: Annotated[bool, typer.Option(help="Compare losses.")] = True,
    kills: Annotated[bool, typer.Option(help="Kill replicas.")] = True,
) -> None:
    """Compare, kill, and write the tables."""
    with temporary_directory(Path("data"), "replicas") as work:
        rows = []
        for model in MODELS if losses else ():
            one = None
            for replicas in REPLICAS:
                checkout = make_checkout(work / f"{model}_{replicas}", replicas)
                found, row = compare_steps(checkout, model, replicas, steps, one)
                one = one or found
                rows.append(row)
        if rows:
            write(LOSSES_FILE, rows)
        if kills:
            expected = undisturbed(work / "undisturbed")
            ended = [
                compare_kill(*kill, expected, work / f"kill_{place}") for place, kill in enumerate(KILLS)
            ]
            write(KILLS_FILE, ended)


if __name__ == "__main__":
    command.run(main)
