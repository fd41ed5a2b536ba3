"""Stage `backtest`: campaigns of the past -> how well each way to choose an audience would have done."""

from functools import partial

import numpy as np

from offerbench.campaigns.cuts import all_cuts, past_cuts
from offerbench.core import command
from offerbench.core.columns import Split
from offerbench.core.json_files import write_json
from offerbench.core.paths import METRICS_DIRECTORY, PREPARED_DIRECTORY
from offerbench.evaluation.bootstrap import draw_weights
from offerbench.parameters import load_parameters
from offerbench.preparation.prepared import load_prepared


def main() -> None:
    """Score and measure every row on every task and date."""
    parameters = load_parameters()
    from offerbench.campaigns.backtest import run_backtest
    from offerbench.campaigns.backtest_reach import head_digests
    from offerbench.campaigns.moment import Moment
    from offerbench.campaigns.result_content import (
        campaign_content,
        campaign_samples,
        curve_content,
        size_content,
    )
    from offerbench.campaigns.results import collect
    from offerbench.campaigns.train_past import users_of
    from offerbench.engines.backtest import backtest_engine
    from offerbench.evaluation.sample_files import write_samples
    from offerbench.model import runtime

    backtest = parameters.backtest
    runtime.configure(backtest.threads)
    present = load_prepared(PREPARED_DIRECTORY)
    test = users_of(present, Split.TEST)
    bootstrap = backtest.bootstrap
    weights = draw_weights(len(test), bootstrap.samples, np.random.default_rng(bootstrap.seed))
    cuts, tasks = parameters.prepare_past.cuts, parameters.tasks
    moment_of = partial(Moment, parameters=parameters.train_head)
    with backtest_engine(parameters.resources) as engine:
        scored = run_backtest(past_cuts(cuts), tasks, backtest, moment_of, present, engine)
        results = collect(scored, test, weights, backtest)
    write_json(METRICS_DIRECTORY / "campaign.json", campaign_content(results, backtest))
    write_json(METRICS_DIRECTORY / "campaign_curves.json", curve_content(results, backtest))
    write_samples(METRICS_DIRECTORY / "campaign_samples.parquet", campaign_samples(results))
    heads = head_digests(all_cuts(cuts))
    sizes = size_content(results, parameters.train_activity.horizon_days, heads)
    write_json(METRICS_DIRECTORY / "campaign_sizes.json", sizes)


if __name__ == "__main__":
    command.run(main)
