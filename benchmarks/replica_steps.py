"""The first steps of a training by some replicas: `python -m benchmarks.replica_steps full 2 40 TARGET`.

Each replica writes into the directory TARGET: the loss of each step, what a step took, and a digest of the
weights at the end.
"""

import os
import resource
import time
from itertools import count, islice
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from offerbench.batching.batches import batches_file, read_batches
from offerbench.core import command
from offerbench.core.columns import Split
from offerbench.core.json_files import write_json
from offerbench.core.paths import PREPARED_DIRECTORY
from offerbench.engines.replicas import run_on_replicas
from offerbench.model.config import TrainParameters
from offerbench.parameters import load_parameters
from offerbench.preparation.prepared import load_prepared

WARM_UP = 3
"""Steps whose times are left out."""


def loopback_bytes() -> int:
    """Bytes that all processes have sent on loopback so far."""
    lines = Path("/proc/net/dev").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.strip().startswith("lo:"))


def usage() -> tuple[float, float, int]:
    """Seconds, CPU seconds of this process, bytes on loopback."""
    return time.perf_counter(), time.process_time(), loopback_bytes()


def make_steps(
    training: TrainParameters, features: list[str] | None, replicas: int, steps: int
) -> dict[str, Any]:
    """Make the first steps of a training as one of its replicas."""
    from offerbench.model import runtime
    from offerbench.model.feed import Feed
    from offerbench.model.progress import Progress
    from offerbench.model.ranker import Ranker
    from offerbench.model.replica_trainer import ReplicaTrainer
    from offerbench.model.replicas import join_batches
    from offerbench.model.specification import specify
    from offerbench.model.trainer import Trainer

    runtime.configure(training.threads)
    rebatch = load_parameters().rebatch
    replica = join_batches(replicas, rebatch.batch_size, training.neighbours)
    data = load_prepared(PREPARED_DIRECTORY)
    features = features or list(data.offer_sizes)
    validation = read_batches(batches_file(Split.VALIDATION), rebatch.batch_size)
    feed = Feed(data, validation, rebatch, training, features, replica and replica.share)
    model = Ranker(specify(data, features, training), np.random.default_rng(training.seed))
    signatures = feed.signature, feed.validation_signature
    trainer = Trainer(model, *signatures) if replica is None else ReplicaTrainer(model, *signatures, replica)
    progress = Progress(model, trainer.optimizer)
    batches = (batch for epoch in count() for batch in feed.training(epoch))
    losses, used = [], [usage()]
    for step, batch in enumerate(islice(batches, steps)):
        losses.append(float(trainer.train_step(batch, step)[0]))
        used.append(usage())
    seconds, cpu, sent = np.median(np.diff(used, axis=0)[WARM_UP:], axis=0)
    return {
        "index": 0 if replica is None else replica.share.index,
        "losses": losses,
        "weights": progress.digest(),
        "parameters": sum(int(np.prod(variable.shape)) for variable in model.trainable_variables),
        "seconds": float(seconds),
        "cpu_seconds": float(cpu),
        "sent_megabytes": float(sent) / 1e6,
        "memory_gigabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
    }


def main(
    model: Annotated[
        str, typer.Argument(help="full, augmented, or an offer feature: the specialist of that.")
    ],
    replicas: int,
    steps: int,
    target: Path,
) -> None:
    """Make the first steps of a training."""
    parameters = load_parameters()
    is_specialist = model not in ("full", "augmented")
    training: TrainParameters = getattr(parameters, "train_mono" if is_specialist else f"train_{model}")

    def train() -> None:
        found = make_steps(training, [model] if is_specialist else None, replicas, steps)
        write_json(target / f"{found['index']}.json", found)

    run_on_replicas(replicas, train)


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    command.run(main)
