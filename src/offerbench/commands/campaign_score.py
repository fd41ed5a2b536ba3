"""The campaign score that the pipeline trained, with the parameters it was trained with."""

from offerbench.campaigns.cuts import all_cuts
from offerbench.campaigns.moment import Moment
from offerbench.campaigns.score import HeadScore
from offerbench.campaigns.scored_users import CampaignScore
from offerbench.parameters import load_parameters


def load_campaign_score() -> CampaignScore:
    """Load the campaign score.

    Raises
    ------
    OfferbenchError
        If a parameter is wrong. What the pipeline has not made yet is missed when users are scored.
    """
    parameters = load_parameters()
    from offerbench.model import runtime

    runtime.configure(parameters.train_head.threads)
    cuts = all_cuts(parameters.prepare_past.cuts)
    moments = {cut.name: Moment(cut, parameters.train_head) for cut in cuts}
    return HeadScore(moments, parameters.tasks)
