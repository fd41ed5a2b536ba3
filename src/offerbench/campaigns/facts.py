"""What an audience was made for: its offer, day and horizon, as its figures have them."""

import json
from datetime import date
from pathlib import Path

from pydantic import ConfigDict, ValidationError

from offerbench.campaigns.delivery import summary_file
from offerbench.core.errors import OfferbenchError
from offerbench.core.json_files import read_json
from offerbench.core.section import Count, Section

OPTIONS = {"offer": "--offer", "as_of": "--as-of", "horizon_days": "--horizon"}


class Facts(Section):
    """What an outcome is measured by; an audience's figures have more."""

    model_config = ConfigDict(extra="ignore")

    offer: str
    """Expression."""
    as_of: date
    """First day that counts."""
    horizon_days: Count
    """Days that count."""


def read_facts(audience: Path, offer: str | None, as_of: str | None, horizon: int | None) -> Facts:
    """Give what an audience was made for: what is named here, else what the file beside it says.

    Parameters
    ----------
    audience : Path
        The audience's file.
    offer, as_of, horizon : str, str, int or None
        What the command names.

    Raises
    ------
    OfferbenchError
        If something is named nowhere, or is not what it should be.
    """
    source = summary_file(audience)
    named = {"offer": offer, "as_of": as_of, "horizon_days": horizon}
    named = {name: value for name, value in named.items() if value is not None}
    written = {}
    if len(named) < len(Facts.model_fields):
        if not source.exists():
            raise OfferbenchError(f"{source}: no such file. Name --offer, --as-of and --horizon.")
        written = read_json(source)
        if not isinstance(written, dict):
            raise OfferbenchError(f"{source}: no figures of an audience. Name --offer, --as-of, --horizon.")
    try:
        return Facts.model_validate_json(json.dumps({**written, **named}))
    except ValidationError as error:
        problem = error.errors()[0]
        key = str(problem["loc"][0])
        place = OPTIONS[key] if key in named else f"{source}: {key}"
        raise OfferbenchError(f"{place}: {problem['msg']}, got {problem['input']!r}.") from None
