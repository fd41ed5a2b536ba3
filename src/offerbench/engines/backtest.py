"""The backtest on the engine that `resources.spark` names."""

from collections.abc import Iterator
from contextlib import contextmanager

from offerbench.campaigns.backtest import Engine, ThisMachine
from offerbench.preparation.resources import Resources


@contextmanager
def backtest_engine(resources: Resources) -> Iterator[Engine]:
    """Open what fits and scores for `run_backtest`: the same bits on every engine.

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
        yield ThisMachine()
        return
    from offerbench.engines.spark_backtest import open_spark_backtest

    with open_spark_backtest(resources.spark) as engine:
        yield engine
