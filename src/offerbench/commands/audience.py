"""`offerbench audience`: an offer in, ranked users out; or several campaigns at once."""

from pathlib import Path
from typing import Annotated

import typer

from offerbench.core.errors import OfferbenchError
from offerbench.core.paths import PREPARED_DIRECTORY

HORIZON, SEED = 14, 1  # unless the command says otherwise


def audience(
    output: Annotated[Path, typer.Option(help="File to write, .csv or .parquet; or a directory.")],
    offer: Annotated[
        str | None,
        typer.Argument(help="SQL's where over attributes of offers: \"brand = '69' and price_cluster < 3\"."),
    ] = None,
    products: Annotated[
        Path | None, typer.Option(help="In place of the offer: a file with one product a line.")
    ] = None,
    campaigns: Annotated[
        Path | None, typer.Option(help="In place of the offer: several campaigns, as in campaigns.yaml.")
    ] = None,
    size: Annotated[int | None, typer.Option(help="Number of users.")] = None,
    share: Annotated[float | None, typer.Option(help="Part of the users that may be asked: 0.1.")] = None,
    as_of: Annotated[
        str | None, typer.Option(help="Use what happened before this day; default: all of the data.")
    ] = None,
    horizon: Annotated[
        int | None, typer.Option(help=f"Days in which a purchase counts; default: {HORIZON}.")
    ] = None,
    exclude: Annotated[
        Path | None,
        typer.Option(help="Users that must not be asked: a list, or a table with a column `user`."),
    ] = None,
    exclude_buyers: Annotated[
        int | None, typer.Option(help="Leave out who bought the offer in so many days before.")
    ] = None,
    control: Annotated[
        float | None, typer.Option(help="Part of the audience held back at random; default: nobody.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help=f"Seed of that draw; default: {SEED}.")] = None,
) -> None:
    """Rank the users for an offer, and write the best as an audience."""
    if sum(given is not None for given in (offer, products, campaigns)) != 1:
        raise OfferbenchError("name one of the three: an offer's expression, --products, or --campaigns.")
    if campaigns is not None:
        in_file = {"--size": size, "--share": share, "--as-of": as_of, "--horizon": horizon}
        in_file |= {"--exclude-buyers": exclude_buyers, "--control": control, "--seed": seed}
        if given := [option for option, value in in_file.items() if value is not None]:
            raise OfferbenchError(f"{', '.join(given)}: stands in {campaigns}, for all of its campaigns.")
        _several(campaigns, exclude, output)
        return
    _refuse_bad_numbers(size, share, horizon, exclude_buyers, control, seed)
    from offerbench.campaigns.as_of import choose_as_of, data_days, parse_day
    from offerbench.campaigns.attributes import load_attributes
    from offerbench.campaigns.audience import Size
    from offerbench.campaigns.column_files import refuse_other_suffix
    from offerbench.campaigns.delivery import Request, deliver_audience, read_excluded
    from offerbench.campaigns.offer import offer_of_expression, offer_of_products
    from offerbench.commands.campaign_score import load_backtest_sizes, load_campaign_score

    refuse_other_suffix(output)
    attributes = load_attributes(PREPARED_DIRECTORY)
    wanted = (
        offer_of_products(products, attributes) if products else offer_of_expression(offer or "", attributes)
    )
    day = parse_day(as_of, "--as-of") if as_of is not None else None
    request = Request(
        as_of=choose_as_of(day, data_days(PREPARED_DIRECTORY)),
        horizon=horizon or HORIZON,
        size=Size(size, share),
        excluded=read_excluded(exclude),
        exclude_buyers=exclude_buyers,
        control=control or 0.0,
        seed=SEED if seed is None else seed,
    )
    score, sizes = load_campaign_score(), load_backtest_sizes()
    print(deliver_audience(score, wanted, request, output, sizes).as_text())


def _several(file: Path, exclude: Path | None, output: Path) -> None:
    """Plan the campaigns of a file together."""
    from offerbench.campaigns.as_of import choose_as_of, data_days
    from offerbench.campaigns.attributes import load_attributes
    from offerbench.campaigns.campaigns_file import load_campaigns
    from offerbench.campaigns.delivery import read_excluded
    from offerbench.campaigns.plan_delivery import campaign_offers, deliver_plan, refuse_other_directory
    from offerbench.commands.campaign_score import load_backtest_sizes, load_campaign_score

    refuse_other_directory(output)
    campaigns = load_campaigns(file)
    offers = campaign_offers(campaigns, load_attributes(PREPARED_DIRECTORY))
    as_of = choose_as_of(campaigns.as_of, data_days(PREPARED_DIRECTORY), f"{file}: as_of")
    excluded = read_excluded(exclude)
    score, sizes = load_campaign_score(), load_backtest_sizes()
    print(deliver_plan(score, campaigns, offers, as_of, excluded, output, sizes).as_text())


def _refuse_bad_numbers(
    size: int | None,
    share: float | None,
    horizon: int | None,
    exclude_buyers: int | None,
    control: float | None,
    seed: int | None,
) -> None:
    """Refuse numbers out of their range, and neither or both of size and share."""
    if (size is None) == (share is None):
        raise OfferbenchError("name either --size, a number of users, or --share, a part of them.")
    for option, number, least in (
        ("--size", size, 1),
        ("--horizon", horizon, 1),
        ("--exclude-buyers", exclude_buyers, 0),
        ("--seed", seed, 0),
    ):
        if number is not None and not least <= number < 2**31:
            raise OfferbenchError(f"{option}: must be a whole number of at least {least}, got {number}.")
    if share is not None and not 0 < share <= 1:
        raise OfferbenchError(f"--share: must be above 0 and at most 1, got {share}.")
    if control is not None and not 0 <= control < 1:
        raise OfferbenchError(f"--control: must be at least 0 and below 1, got {control}.")
