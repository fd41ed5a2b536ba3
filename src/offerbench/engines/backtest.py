"""The backtest on the engine that `resources.spark` names."""

from collections.abc import Iterator
from contextlib import contextmanager

from offerbench.campaigns.backtest import ScoreParts, score_here
from offerbench.preparation.resources import Resources


@contextmanager
def backtest_engine(resources: Resources) -> Iterator[ScoreParts]:
    """Give what scores the test users for `run_backtest`: the same bits on every engine.

    Parameters
    ----------
    resources : Resources
        Where; only `spark` is looked at.

    Raises
    ------
    OfferbenchError
        If Spark is not there or gives up.
    """
    if resources.spark is None:
        yield score_here
        return
    from offerbench.engines.spark_backtest import scoring_on_spark

    with scoring_on_spark(resources.spark) as score:
        yield score
