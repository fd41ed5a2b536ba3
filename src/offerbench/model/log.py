"""The log of a training: loss and AUC by epoch, to be watched while it runs and plotted by DVC."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from dvclive.live import Live

from offerbench.model.progress import Epoch
from offerbench.schema import MEASURES


@contextmanager
def training_log(directory: Path) -> Iterator[Callable[[Epoch], None]]:
    """Open a DVCLive log that starts anew.

    Parameters
    ----------
    directory : Path
        Where `metrics.json` (the last epoch) and `plots/metrics/*/*.tsv` (step = epoch - 1) go; they
        are written after each epoch.

    Yields
    ------
    callable
        Logs one epoch.
    """
    # The stage is DVC's: DVCLive neither writes a dvc.yaml nor saves an experiment of its own.
    with Live(str(directory), dvcyaml=None, save_dvc_exp=False, report=None) as live:

        def log(epoch: Epoch) -> None:
            for measure in MEASURES:
                live.log_metric(measure, getattr(epoch, measure.replace("/", "_")))
            live.next_step()

        yield log
