"""A git repository with the results of a run, to change at will."""

import copy
import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from offerbench.core.tables import write_parquet

from ..git_repository import commit_all, git, write_yaml
from ..parameters import COMPLETE

TASKS = ["brand", "category1"]
MODELS = ["full", "mono_brand", "mono_category1", "history_affinity"]
SEGMENTS = ["all", "popular", "cold_start"]
HALF_WIDTH = 0.01
CLEAN_HALF_WIDTH = 0.02
KEYS = ("segment", "task", "model")
LOCKED = {
    "prepare": ["dataset", "custom", "prepare"],
    "train_full": ["rebatch", "train_full"],
    "evaluate": ["tasks", "evaluate", "group_test"],
}
MEASURES = ["published", "clean"]
Table = dict[str, dict[str, dict[str, float | None]]]


def table(value: float | None) -> Table:
    return {s: {t: dict.fromkeys(MODELS, value) for t in TASKS} for s in SEGMENTS}


class Results:
    """What a run leaves in a checkout; tests change it before it is written."""

    def __init__(self) -> None:
        self.wauc = table(0.673582)
        self.half_widths: Table | None = table(HALF_WIDTH)
        self.clean_wauc: Table | None = table(0.7)
        self.clean_half_widths: Table | None = table(CLEAN_HALF_WIDTH)
        self.dataset = "complete_journey"
        self.data_md5 = "bfdaf6d7517e21602dc71f93c2eaf0c3.dir"
        self.batches_md5 = "e7f1b9d4a3c2058f6d9e0b1a2c3d4e5f"
        self.tasks = TASKS
        self.parameters: dict[str, Any] = {}
        """Values of params.yaml that differ, by dotted key."""
        self.samples: dict[tuple[str, str, str], list[float]] | None = None
        """Of either measure; None: as a version of old has none."""

    def content(self) -> dict[str, Any]:
        """What is in params.yaml."""
        content = copy.deepcopy(COMPLETE) | {"dataset": self.dataset, "tasks": self.tasks}
        for key, value in self.parameters.items():
            *sections, last = key.split(".")
            section = content
            for name in sections:
                section = section[name]
            section[last] = value
        return content

    def write(self, directory: Path) -> None:
        """Write metrics/, and the params.yaml and dvc.lock that fit."""
        metrics = directory / "metrics"
        shutil.rmtree(metrics, ignore_errors=True)
        (metrics / "clean").mkdir(parents=True)
        for name, content in (
            ("wauc", self.wauc),
            ("half_widths", self.half_widths),
            ("clean/wauc", self.clean_wauc),
            ("clean/half_widths", self.clean_half_widths),
        ):
            if content is not None:
                (metrics / f"{name}.json").write_text(json.dumps(content))
        if self.clean_wauc is None:
            shutil.rmtree(metrics / "clean")
        else:
            (metrics / "clean/offers.parquet").write_bytes(b"\x00\xff")  # a file that the gate does not read
        for part in ("", "clean/") if self.samples is not None else ():
            write_parquet(
                metrics / f"{part}samples.parquet",
                {
                    **{name: [key[at] for key in self.samples] for at, name in enumerate(KEYS)},
                    "samples": list(self.samples.values()),
                },
            )
        write_yaml(directory / "params.yaml", self.content())
        self.write_lock(directory)

    def write_lock(self, directory: Path) -> None:
        """Write the dvc.lock that fits the files of metrics/."""
        outs = [
            {"path": f"metrics/{path.name}", "hash": "md5", "md5": digest(path)}
            for path in sorted((directory / "metrics").iterdir())
        ]
        raw = {"path": f"data/raw/{self.dataset}", "hash": "md5", "md5": self.data_md5}
        batches = {"path": "data/batches/test.arrow", "hash": "md5", "md5": self.batches_md5}
        content = self.content()
        locked = {
            stage: {"params.yaml": {key: content[key] for key in keys}} for stage, keys in LOCKED.items()
        }
        stages = {
            "prepare": {
                "cmd": "python stages/prepare.py",
                "deps": [raw],
                "params": locked["prepare"],
            },
            "train_full": {"cmd": "python stages/train.py train_full", "params": locked["train_full"]},
            "evaluate": {
                "cmd": "python stages/evaluate.py",
                "deps": [batches],
                "params": locked["evaluate"],
                "outs": outs,
            },
        }
        write_yaml(directory / "dvc.lock", {"schema": "2.0", "stages": stages})


def digest(path: Path) -> str:
    """MD5 as DVC takes it: of a directory, of the list of its files."""
    if path.is_file():
        return hashlib.md5(path.read_bytes()).hexdigest()
    files = [{"md5": digest(file), "relpath": file.name} for file in sorted(path.iterdir())]
    return hashlib.md5(json.dumps(files, sort_keys=True).encode()).hexdigest() + ".dir"


def set_tolerance(directory: Path, **tolerance: float) -> None:
    """Change the tolerance in params.yaml; no stage reads it."""
    section = {"tolerance": {**dict.fromkeys(SEGMENTS), **tolerance}}
    write_yaml(directory / "params.yaml", {**Results().content(), "gate": section})


def commit_with_tolerance(directory: Path, before: Results, now: Results, **tolerance: float) -> None:
    """Commit results with a tolerance on main, then put others into the working tree."""
    before.write(directory)
    set_tolerance(directory, **tolerance)
    commit_all(directory)
    now.write(directory)


def make_repository(path: Path) -> Path:
    """A repository whose branch main has results."""
    path.mkdir(parents=True)
    git(path, "init", "-q", "-b", "main")
    Results().write(path)
    commit_all(path)
    return path


def no_metrics(repository: Path) -> None:
    shutil.rmtree(repository / "metrics")


class Outcome(NamedTuple):
    status: int
    out: str
    err: str


Gate = Callable[..., Outcome]


def refusal(outcome: Outcome) -> str:
    """The one line of a comparison that can't be made."""
    assert outcome.status == 2
    assert outcome.out == ""
    assert outcome.err.startswith("error: ") and outcome.err.count("\n") == 1
    return outcome.err
