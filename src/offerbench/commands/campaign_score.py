"""The campaign score that the pipeline trained, with the parameters it was trained with."""

from offerbench.campaigns.backtest_reach import SIZES_FILE, BacktestSizes, head_digests, read_sizes
from offerbench.campaigns.cuts import all_cuts
from offerbench.campaigns.moment import Moment
from offerbench.campaigns.score import HeadScore
from offerbench.campaigns.scored_users import CampaignScore
from offerbench.parameters import load_parameters


def load_backtest_sizes() -> BacktestSizes | None:
    """Read what the backtest reached by the size of the offer, if it is of the same models."""
    cuts = all_cuts(load_parameters().prepare_past.cuts)
    return read_sizes(SIZES_FILE, head_digests(cuts))


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
    score, spark = HeadScore(moments, parameters.tasks), parameters.resources.spark
    if spark is None:
        return score
    from offerbench.engines.spark_score import SparkScore

    return SparkScore(score, spark)
