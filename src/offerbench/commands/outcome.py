"""`offerbench outcome`: what came of an audience."""

from pathlib import Path
from typing import Annotated

import typer

from offerbench.core.errors import OfferbenchError
from offerbench.core.paths import PREPARED_DIRECTORY


def outcome(
    audience: Annotated[Path, typer.Argument(help="A file that `offerbench audience` wrote.")],
    events: Annotated[
        Path,
        typer.Argument(
            help="Prepared data that reach beyond the as-of day, or a CSV or Parquet file with the "
            "user and the day of each purchase of the offer."
        ),
    ] = PREPARED_DIRECTORY,
    offer: Annotated[
        str | None, typer.Option(help="The offer's expression; default: that of the audience's .json.")
    ] = None,
    as_of: Annotated[str | None, typer.Option(help="First day that counts; default: as offer.")] = None,
    horizon: Annotated[int | None, typer.Option(help="Days that count; default: as offer.")] = None,
    output: Annotated[Path | None, typer.Option(help="Write the figures to this .json file too.")] = None,
) -> None:
    """Compare the buyers of an audience's target and control group, and with what was expected."""
    from offerbench.campaigns.attributes import load_attributes
    from offerbench.campaigns.facts import read_facts
    from offerbench.campaigns.later_purchases import buyers_in_file, buyers_in_prepared
    from offerbench.campaigns.offer import offer_of_expression
    from offerbench.campaigns.outcome import measure_outcome, read_audience
    from offerbench.core.json_files import write_json

    if output is not None and output.suffix != ".json":
        raise OfferbenchError(f"{output}: must end in .json.")
    asked = read_audience(audience)
    facts = read_facts(audience, offer, as_of, horizon)
    if events.is_dir():
        wanted = offer_of_expression(facts.offer, load_attributes(events))
        buyers = buyers_in_prepared(events, wanted, facts.as_of, facts.horizon_days)
    else:
        buyers = buyers_in_file(events, facts.as_of, facts.horizon_days)
    found = measure_outcome(asked, buyers)
    if output is not None:
        write_json(output, found.as_json())
    print(found.as_text())
