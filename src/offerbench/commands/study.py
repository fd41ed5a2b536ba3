"""`offerbench study`: run several set-ups side by side and tabulate them, as a file of studies/ says."""

from typing import Annotated

import typer

from offerbench.studies.study import run_study


def study(
    name: Annotated[str, typer.Argument(help="A file of studies/, without .yaml.")],
    jobs: Annotated[int, typer.Option(min=1, help="Experiments at a time.")] = 1,
    finished: Annotated[
        bool, typer.Option("--finished", help="Report what has finished, run nothing.")
    ] = False,
) -> None:
    """Run a study's set-ups as experiments of the last commit, and write their tables."""
    report, values = run_study(name, jobs, finished)
    print(f"study: {report} and {values} written")
