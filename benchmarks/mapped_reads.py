"""What a training reads of prepared data that memory does not hold: `python -m benchmarks.mapped_reads`.

Prepares a synthetic log; then, before each batch, has the system forget the data, and counts what is read
from the disk. Groups of users are small, so that few of them share a page, as in a log a thousand times as
long. Also what a training needs in memory, and how fast files are checked: `benchmarks/mapped_reads.md`.
"""

import ctypes
import mmap
import os
import resource
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from tabulate import tabulate

from offerbench.batching.batches import draw_pass
from offerbench.batching.grouped import BatchMaker
from offerbench.core import command
from offerbench.core.atomic import atomic_file, temporary_directory
from offerbench.core.columns import Split
from offerbench.core.errors import OfferbenchError
from offerbench.datasets.synthetic.generate import generate
from offerbench.model.checkpoints import file_digest
from offerbench.parameters import Parameters, load_parameters
from offerbench.preparation.prepare import prepare_dataset
from offerbench.preparation.prepared import PreparedData, load_prepared

TARGET = Path("benchmarks/mapped_reads.md")
PRESET = Path("presets/synthetic.yaml")
GROUPS = (20, 50)
"""Users of a group."""
BATCHES, STEPS, MONTHS, SEED = 25, 20, 3, 7


@dataclass(frozen=True)
class Mapped:
    """The mapped files of a directory."""

    directory: Path

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.stat().st_size for file in self.directory.iterdir())

    def _ranges(self) -> Iterator[tuple[int, int]]:
        """Give address and length of each file's mapping into this process."""
        for line in Path("/proc/self/maps").read_text().splitlines():
            fields = line.split(maxsplit=5)
            if len(fields) == 6 and fields[5].startswith(str(self.directory.resolve())):
                first, last = (int(each, 16) for each in fields[0].split("-"))
                yield first, last - first

    def advise(self, advice: int) -> None:
        """Tell the system how the files are going to be used, as `mmap.madvise` does."""
        for address, length in self._ranges():
            if ctypes.CDLL(None).madvise(ctypes.c_void_p(address), ctypes.c_size_t(length), advice):
                raise OfferbenchError(f"{self.directory}: madvise({advice}) failed")

    def forget(self) -> None:
        """Have the system forget what it has read of the files."""
        self.advise(mmap.MADV_DONTNEED)
        for file in self.directory.iterdir():
            with file.open("rb") as opened:
                os.fsync(opened.fileno())  # what is not written yet is not forgotten
                os.posix_fadvise(opened.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def read_so_far() -> tuple[int, int, float]:
    """Give this process's page faults that read the disk, the bytes read, and the time."""
    lines = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
    faults = resource.getrusage(resource.RUSAGE_SELF).ru_majflt
    return faults, int(lines["read_bytes"]), time.perf_counter()


def memory() -> dict[str, float]:
    """Give the memory of this process, in GB: its own, and that of mapped files, which others share."""
    lines = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return {
        name: int(lines[key].split()[0]) / 1e6 for name, key in (("own", "RssAnon"), ("files", "RssFile"))
    }


def cold_batches(
    mapped: Mapped, data: PreparedData, parameters: Parameters, users: int, read_ahead: bool
) -> dict[str, Any]:
    """Give what a batch of the full model costs whose pages all are on the disk."""
    rebatch = parameters.rebatch.model_copy(update={"users_per_group": users, "batch_size": users})
    maker = BatchMaker(data, list(data.offer_sizes), parameters.train_full.matching)
    mapped.advise(mmap.MADV_NORMAL if read_ahead else mmap.MADV_RANDOM)
    generator, drawn = np.random.default_rng(SEED), draw_pass(data, Split.TRAIN, rebatch)
    spent = []
    for _ in range(BATCHES):
        mapped.forget()
        before = read_so_far()
        maker.make(next(drawn), [], generator)
        spent.append(np.subtract(read_so_far(), before))
    faults, size, seconds = np.mean(spent, axis=0) / users
    mapped.advise(mmap.MADV_NORMAL)
    return {
        "users of a group": users,
        "read ahead": "as the system does" if read_ahead else "nothing",
        "reads an event": round(faults, 2),
        "KB read an event": round(size / 1e3),
        "ms an event": round(seconds * 1e3, 2),
    }


def epoch_share(mapped: Mapped, data: PreparedData, parameters: Parameters) -> float:
    """Give the share of the files that an epoch touches, by pages."""
    maker = BatchMaker(data, list(data.offer_sizes), parameters.train_full.matching)
    mapped.advise(mmap.MADV_RANDOM)
    mapped.forget()
    before = read_so_far()[1]
    generator = np.random.default_rng(SEED)
    for rows in draw_pass(data, Split.TRAIN, parameters.rebatch):
        maker.make(rows, [], generator)
    mapped.advise(mmap.MADV_NORMAL)
    return (read_so_far()[1] - before) / mapped.size


def check_rates(mapped: Mapped) -> dict[str, float]:
    """Give GB a CPU second of what a training does with all files before its first step."""
    found = {}
    for name, check in (
        ("compared with checksums", lambda: load_prepared(mapped.directory)),
        ("digest for the checkpoints", lambda: [file_digest(each) for each in mapped.directory.iterdir()]),
    ):
        check()
        start = time.process_time()
        check()
        found[name] = mapped.size / 1e9 / (time.process_time() - start)
    return found


def trained_memory(data: PreparedData, parameters: Parameters) -> dict[str, float]:
    """Make some steps of the full model, and give the memory of this process then."""
    from offerbench.model.feed import Feed
    from offerbench.model.ranker import Ranker
    from offerbench.model.specification import specify
    from offerbench.model.trainer import Trainer

    training = parameters.train_full
    validation = np.stack(list(draw_pass(data, Split.VALIDATION, parameters.rebatch)))
    feed = Feed(data, validation, parameters.rebatch, training, list(data.offer_sizes))
    model = Ranker(specify(data, list(data.offer_sizes), training), np.random.default_rng(training.seed))
    trainer = Trainer(model, feed.signature, feed.validation_signature)
    for step, batch in enumerate(islice(feed.training(0), STEPS)):
        trainer.train_step(batch, step)
    return memory()


def main(rows: Annotated[int, typer.Option(help="Rows of the synthetic log.")] = 10_000_000) -> None:
    """Measure, and write the table."""
    parameters = load_parameters(PRESET)
    with temporary_directory(Path("data"), "mapped_reads") as work:
        mapped = Mapped(work / "prepared")
        for directory in (work / "raw", mapped.directory):
            directory.mkdir()
        generate(work / "raw", rows, MONTHS, SEED)
        resources = parameters.resources.model_copy(update={"spill_directory": str(work / "spill")})
        prepare_dataset(parameters.dataset, work / "raw", mapped.directory, parameters.prepare, resources)
        rates = check_rates(mapped)
        data = load_prepared(mapped.directory)
        cold = [
            cold_batches(mapped, data, parameters, users, read_ahead)
            for users in GROUPS
            for read_ahead in (True, False)
        ]
        share = epoch_share(mapped, data, parameters)
        of_training = trained_memory(data, parameters)
        events = len(data.events["day"])
        lines = [
            tabulate(cold, "keys", tablefmt="pipe"),
            f"{mapped.size / 1e6:.0f} MB of prepared data, {mapped.size / events:.0f} bytes a target event, "
            f"{share:.0%} of which an epoch of {len(data.user_rows[Split.TRAIN][0]):,} train users reads.",
            *(f"{name}: {rate:.1f} GB a CPU second." for name, rate in rates.items()),
            f"Memory of a training after {STEPS} steps: {of_training['own']:.2f} GB of its own, "
            f"{of_training['files']:.2f} GB of mapped files.",
        ]
    with atomic_file(TARGET) as temporary:
        temporary.write_text("\n\n".join(lines) + "\n", encoding="utf-8")
    print(TARGET.read_text(encoding="utf-8"))


if __name__ == "__main__":
    command.run(main)
