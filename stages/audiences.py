"""Stage `audiences`: campaigns.yaml and the campaign score -> audiences, planned together."""

import logging

import numpy as np

from offerbench.campaigns.as_of import choose_as_of, data_days
from offerbench.campaigns.attributes import load_attributes
from offerbench.campaigns.campaigns_file import load_campaigns
from offerbench.campaigns.paths import AUDIENCES_DIRECTORY, CAMPAIGNS_FILE
from offerbench.campaigns.plan_delivery import campaign_offers, deliver_no_plan, deliver_plan
from offerbench.commands.campaign_score import load_backtest_sizes, load_campaign_score
from offerbench.core import command
from offerbench.core.paths import PREPARED_DIRECTORY
from offerbench.parameters import load_parameters

LOG = logging.getLogger("offerbench.stages")


def main() -> None:
    """Plan the campaigns of campaigns.yaml."""
    campaigns, dataset = load_campaigns(CAMPAIGNS_FILE), load_parameters().dataset
    if campaigns.dataset not in (None, dataset):
        LOG.warning("%s is for %s, the data are %s: no audience", CAMPAIGNS_FILE, campaigns.dataset, dataset)
        deliver_no_plan(AUDIENCES_DIRECTORY)
        return
    offers = campaign_offers(campaigns, load_attributes(PREPARED_DIRECTORY))
    as_of = choose_as_of(campaigns.as_of, data_days(PREPARED_DIRECTORY), f"{CAMPAIGNS_FILE}: as_of")
    nobody, score, sizes = np.empty(0, np.int64), load_campaign_score(), load_backtest_sizes()
    summary = deliver_plan(score, campaigns, offers, as_of, nobody, AUDIENCES_DIRECTORY, sizes)
    print(summary.as_text())


if __name__ == "__main__":
    command.run(main)
