"""The log of a training: its parameters, and loss and AUC by epoch, to be watched and plotted by DVC."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dvclive.live import Live

from offerbench.core.section import Section, leaves
from offerbench.model.progress import MEASURES, Epoch, best_point


class TrainingLog:
    """Logs the epochs of one training with DVCLive."""

    def __init__(self, live: Live) -> None:
        self._live = live
        self._epochs: list[Epoch] = []

    def add(self, epoch: Epoch) -> None:
        """Log one epoch; the files are written at once, to be watched while the training runs."""
        self._epochs.append(epoch)
        self._live.step = epoch.steps
        for measure in MEASURES:
            self._live.log_metric(measure, getattr(epoch, measure.replace("/", "_")))
        self._live.summary["best"] = best_point(self._epochs)
        self._live.next_step()  # type: ignore[no-untyped-call]


@contextmanager
def training_log(directory: Path, parameters: Section) -> Iterator[TrainingLog]:
    """Open a DVCLive log that starts anew.

    Parameters
    ----------
    directory : Path
        Where `params.yaml`, `metrics.json` (the last epoch, and the best one so far) and
        `plots/metrics/*/*.tsv` (a line for each epoch; step: steps of the training so far) go; they are
        written after each epoch.
    parameters : Section
        What the model is trained with.

    Yields
    ------
    TrainingLog
        Takes the epochs.
    """
    # The stage is DVC's: DVCLive neither writes a dvc.yaml nor saves an experiment of its own.
    with Live(str(directory), dvcyaml=None, save_dvc_exp=False, report=None) as live:
        live.log_params(
            {key: "null" if value is None else value for key, value in leaves(parameters.model_dump())}
        )
        yield TrainingLog(live)
