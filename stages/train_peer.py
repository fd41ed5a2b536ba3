"""Stages `train_peer@<peer>`: methods that others would use, fitted on train users."""

import logging
import os
from itertools import islice

import numpy as np

from offerbench.batching.batches import batches_file, draw_pass, read_batches
from offerbench.core import command, logs
from offerbench.core.atomic import atomic_directory
from offerbench.core.columns import Split
from offerbench.core.errors import OfferbenchError
from offerbench.core.paths import MODELS_DIRECTORY, PREPARED_DIRECTORY
from offerbench.core.rows import LEAST_SQUARES, LIGHTGBM
from offerbench.parameters import load_parameters
from offerbench.preparation.prepared import load_prepared

LOG = logging.getLogger("offerbench.stages")
PEERS = (LIGHTGBM, LEAST_SQUARES)


def main() -> None:
    """Fit the peer of the stage's name, which DVC hands over in the environment."""
    parameters = load_parameters()
    peer = os.environ.get("DVC_STAGE", "").partition("train_peer@")[2]
    if peer not in PEERS:
        raise OfferbenchError(f"'{peer}' is no peer. Run `dvc repro train_peer@PEER` with one of {PEERS}.")
    logs.configure(peer)
    from offerbench.scorers.boosted_peer import fit_peers
    from offerbench.scorers.event_pairs import event_pairs
    from offerbench.scorers.least_squares import fit_factors, save_factors

    settings, rebatch, tasks = parameters.train_peer, parameters.rebatch, parameters.tasks
    data = load_prepared(PREPARED_DIRECTORY)
    with atomic_directory(MODELS_DIRECTORY / "peer" / peer) as directory:
        if peer == LEAST_SQUARES:
            for task in tasks:
                save_factors(directory, task, fit_factors(data, task, settings.least_squares))
                LOG.info("%s: factors fitted", task)
            return
        drawn = np.stack(list(islice(draw_pass(data, Split.TRAIN, rebatch), settings.batches)))
        validation = read_batches(batches_file(Split.VALIDATION), rebatch.batch_size)
        train, others = (
            event_pairs(
                data,
                split,
                rows.reshape(-1, settings.number_of_negatives + 1),
                tasks,
                parameters.group_test.values_per_feature,
            )
            for split, rows in ((Split.TRAIN, drawn), (Split.VALIDATION, validation))
        )
        for name, trees in fit_peers(train, others, settings).items():
            trees.save(directory, name)


if __name__ == "__main__":
    command.run(main)
