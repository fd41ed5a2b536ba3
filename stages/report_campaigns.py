"""Stage `report_campaigns`: what `backtest` measured -> a page, tables and a picture."""

from offerbench.core import command
from offerbench.core.atomic import atomic_file
from offerbench.core.json_files import read_json
from offerbench.core.paths import METRICS_DIRECTORY, REPORTS_DIRECTORY
from offerbench.parameters import load_parameters
from offerbench.report.campaign_page import campaigns_html
from offerbench.report.campaign_picture import draw_campaigns
from offerbench.report.campaign_tables import campaigns_markdown


def main() -> None:
    """Show what `backtest` measured."""
    decimals = load_parameters().report.table_decimals
    content, curves, sizes = (
        read_json(METRICS_DIRECTORY / f"{name}.json")
        for name in ("campaign", "campaign_curves", "campaign_sizes")
    )
    with atomic_file(REPORTS_DIRECTORY / "campaigns.png") as temporary:
        draw_campaigns(curves, temporary)
    with atomic_file(REPORTS_DIRECTORY / "campaigns.html") as temporary:
        temporary.write_text(campaigns_html(content, curves, sizes, decimals), encoding="utf-8")
    text = campaigns_markdown(content, decimals)
    with atomic_file(REPORTS_DIRECTORY / "campaigns.md") as temporary:
        temporary.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    command.run(main)
