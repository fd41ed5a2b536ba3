"""A git repository with the results of a run, to change at will."""

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from ..git_repository import commit_all, git, write_yaml
from ..parameters import COMPLETE

TASKS = ["brand", "category1"]
MODELS = ["full", "mono_brand", "mono_category1", "history_affinity"]
SEGMENTS = ["all", "popular", "cold_start"]
HALF_WIDTH = 0.01
CLEAN_HALF_WIDTH = 0.02
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
        self.tasks = TASKS

    def write(self, directory: Path) -> None:
        """Write metrics/ and a dvc.lock that fits."""
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
        self.write_lock(directory)

    def write_lock(self, directory: Path) -> None:
        """Write the dvc.lock that fits the files of metrics/."""
        outs = [
            {"path": f"metrics/{path.name}", "hash": "md5", "md5": digest(path)}
            for path in sorted((directory / "metrics").iterdir())
        ]
        raw = {"path": f"data/raw/{self.dataset}", "hash": "md5", "md5": self.data_md5}
        stages = {
            "prepare": {
                "cmd": "python stages/prepare.py",
                "deps": [raw],
                "params": {"params.yaml": {"dataset": self.dataset}},
            },
            "evaluate": {
                "cmd": "python stages/evaluate.py",
                "params": {"params.yaml": {"tasks": self.tasks}},
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


def write_parameters(directory: Path, **tolerance: float) -> None:
    section = {"tolerance": {**dict.fromkeys(SEGMENTS), **tolerance}}
    write_yaml(directory / "params.yaml", {**COMPLETE, "gate": section})


def make_repository(path: Path) -> Path:
    """A repository whose branch main has results."""
    path.mkdir(parents=True)
    git(path, "init", "-q", "-b", "main")
    Results().write(path)
    write_parameters(path)
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
