"""The form of campaigns.yaml: which campaigns run at the same time, and how they share the users."""

from datetime import date
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from offerbench.core.errors import OfferbenchError
from offerbench.core.section import Count, Name, Section, Seed
from offerbench.core.section_files import read_section

RESERVED = "plan"


class Campaign(Section):
    """One campaign: an offer, and how many users get a message of it."""

    name: Name
    """Names the campaign's file and its rows in tables."""
    offer: str | None = None
    """The offer as an expression over the attributes of offers, such as `brand = '69'`."""
    products: str | None = None
    """In place of `offer`: a file that lists the offer's products, one a line."""
    size: Count
    """Users in the audience, target and control group together."""

    @model_validator(mode="after")
    def _one_offer(self) -> Self:
        if (self.offer is None) == (self.products is None):
            raise ValueError(f"'{self.name}' must have either offer or products")
        return self


class Campaigns(Section):
    """Campaigns of the same time (campaigns.yaml)."""

    dataset: Name | None = None
    """The data set of the offers: with another one in params.yaml the stage plans nothing; null: any."""
    as_of: date | None = None
    """Known is what happened before this day; null: the day after the end of the data."""
    horizon_days: Count = 14
    """Days, the as-of day included, in which a purchase counts."""
    messages_per_user: Count
    """Campaigns at most that have the same user in their audience."""
    exclude_buyers_days: Annotated[int, Field(ge=0, lt=2**31)] | None = None
    """Leave out users who bought the campaign's offer so many days before the as-of day; null: nobody."""
    control: Annotated[float, Field(ge=0, lt=1)]
    """Part of each audience that is held back, drawn at random; 0: nobody."""
    seed: Seed
    """Seed of the draws of the control groups."""
    file_format: Literal["csv", "parquet"] = "csv"
    """Of the audiences' files."""
    exact_pairs: Count = 100_000
    """The best plan is computed exactly if no more pairs of user and campaign can be in it."""
    campaigns: list[Campaign] = Field(min_length=1)
    """The campaigns, in the order of the tables."""

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [campaign.name for campaign in self.campaigns]
        if RESERVED in names:
            raise ValueError(f"campaigns: '{RESERVED}' names the file of all, choose another")
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"campaigns: {twice} are the names of more than one")
        return self


def load_campaigns(path: Path) -> Campaigns:
    """Read a file of campaigns.

    Raises
    ------
    OfferbenchError
        If it is missing or not YAML, or a key is unknown, missing or of a wrong type.
    """
    try:
        return read_section(path, Campaigns)
    except (FileNotFoundError, IsADirectoryError):
        raise OfferbenchError(f"{path}: no such file. docs/campaigns.md shows one.") from None
