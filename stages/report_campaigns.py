"""Stage `report_campaigns`: what `backtest` measured -> tables and a picture."""

from offerbench.core import command
from offerbench.core.atomic import atomic_file
from offerbench.core.json_files import read_json
from offerbench.core.paths import METRICS_DIRECTORY, REPORTS_DIRECTORY
from offerbench.parameters import load_parameters
from offerbench.report.campaign_picture import draw_campaigns
from offerbench.report.campaign_tables import campaigns_markdown


def main() -> None:
    """Show what `backtest` measured."""
    decimals = load_parameters().report.table_decimals
    text = campaigns_markdown(read_json(METRICS_DIRECTORY / "campaign.json"), decimals)
    with atomic_file(REPORTS_DIRECTORY / "campaigns.png") as temporary:
        draw_campaigns(read_json(METRICS_DIRECTORY / "campaign_curves.json"), temporary)
    with atomic_file(REPORTS_DIRECTORY / "campaigns.md") as temporary:
        temporary.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    command.run(main)
