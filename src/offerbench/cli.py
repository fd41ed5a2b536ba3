"""The command `offerbench`: what users need besides `dvc`."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from offerbench import __version__
from offerbench.commands.audience import audience
from offerbench.commands.dependencies import dependencies
from offerbench.commands.fetch import fetch
from offerbench.commands.gate import gate
from offerbench.commands.outcome import outcome
from offerbench.commands.prune import prune
from offerbench.commands.readme import readme
from offerbench.commands.repro import repro
from offerbench.commands.schema import schema
from offerbench.commands.study import study
from offerbench.commands.synthetic import synthetic
from offerbench.core import logs
from offerbench.core.command import guarded
from offerbench.core.errors import OfferbenchError
from offerbench.core.paths import PARAMETERS_FILE, PIPELINE_FILE

VERBS: tuple[Callable[..., None], ...] = (
    fetch,
    repro,
    synthetic,
    audience,
    outcome,
    gate,
    study,
    prune,
    readme,
    schema,
    dependencies,
)

application = typer.Typer(
    help="Can one model serve every kind of campaign? Run the pipeline with `dvc repro`; the rest is here.",
    add_completion=False,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(__version__)
        raise typer.Exit


@application.callback()
@guarded
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Options without a verb; refuse a directory below that of the project, whose paths are relative."""
    here = Path.cwd()
    if not PIPELINE_FILE.exists():
        for parent in here.parents:
            if (parent / PIPELINE_FILE).exists() and (parent / PARAMETERS_FILE).exists():
                raise OfferbenchError(f"{here}: not the project's own directory. Run it in {parent}.")


for verb in VERBS:
    application.command()(guarded(verb))


def main() -> None:
    """Run the verb of the command line."""
    logs.configure(next((word for word in sys.argv[1:] if not word.startswith("-")), "offerbench"))
    application(prog_name="offerbench")
