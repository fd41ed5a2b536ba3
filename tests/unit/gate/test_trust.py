"""What a change could do to pass: set its own tolerance, be measured otherwise, fall bit by bit."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from offerbench.gate.lock import MEASURED_BY

from ..git_repository import commit_all, write_yaml
from .checkout import MODELS, SEGMENTS, TASKS, Gate, Results, commit_with_tolerance, refusal, set_tolerance

SAMPLES = 200
WAUC = 0.673582


def drawn(shift: float = 0.0, noise: float = 0.0, seed: int = 0) -> dict[tuple[str, str, str], list[float]]:
    """Samples of every wAUC: those of the users go up and down together by .005, a model's own by `noise`."""
    users = np.random.default_rng(7).normal(0, 0.005, SAMPLES)
    own = np.random.default_rng(seed)
    return {
        (segment, task, model): list(WAUC + shift + users + own.normal(0, noise, SAMPLES))
        for segment in SEGMENTS
        for task in TASKS
        for model in MODELS
    }


def shifted(by: float, noise: float = 0.0) -> Results:
    """A version all of whose wAUC differ by so much."""
    found = Results()
    for tables in (found.wauc, found.clean_wauc):
        assert tables is not None
        for tasks in tables.values():
            for models in tasks.values():
                for model in models:
                    models[model] = round(models[model] + by, 6)
    found.samples = drawn(by, noise, seed=1)
    return found


def start_from(repository: Path, before: Results) -> None:
    before.write(repository)
    commit_all(repository)


def test_the_tolerance_is_that_of_the_baseline_and_a_change_of_it_is_reported(
    repository: Path, gate: Gate
) -> None:
    worse = Results()
    worse.wauc["all"]["brand"]["full"] = 0.6
    worse.write(repository)
    set_tolerance(repository, all=0.5, popular=0.5, cold_start=0.5)
    outcome = gate(repository)
    assert outcome.status == 1
    assert "gate.tolerance is changed, from {'all': None, " in outcome.out
    assert "'all': 0.5" in outcome.out
    assert "that of main (" in outcome.out


def test_a_baseline_without_a_tolerance_asks_for_one(repository: Path, gate: Gate) -> None:
    write_yaml(
        repository / "params.yaml",
        {key: value for key, value in Results().content().items() if key != "gate"},
    )
    commit_all(repository)
    Results().write(repository)
    assert "gate.tolerance: " in (line := refusal(gate(repository))) and "Give --tolerance" in line
    assert gate(repository, "--tolerance", "0").status == 0


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("prepare.split.seed", 99),
        ("prepare.split.test_users", 7),
        ("prepare.vocabulary.min_occurrences", 3),
        ("prepare.clusters.price_cluster.clusters", 2),
        ("prepare.target_event", "cart"),
        ("rebatch.batch_size", 40),
        ("rebatch.seed", 99),
        ("group_test.values_per_feature", 77),
        ("evaluate.users", "validation"),
        ("evaluate.popular_min_positives", 77),
        ("evaluate.bootstrap.samples", 77),
    ],
)
def test_versions_that_were_measured_in_other_ways(
    repository: Path, gate: Gate, key: str, value: Any
) -> None:
    assert any(key == name or key.startswith(f"{name}.") for name in MEASURED_BY)
    other = Results()
    other.parameters = {key: value}
    other.write(repository)
    line = refusal(gate(repository, "--tolerance", "1"))
    assert f"error: other {key}: " in line and "measured in another way" in line and "--baseline" in line


@pytest.mark.parametrize(
    ("key", "value"),
    [("train_full.epochs", 1), ("prepare.history.length", 3), ("evaluate.yardsticks.prior_events", 3.0)],
)
def test_what_is_measured_may_differ(repository: Path, gate: Gate, key: str, value: Any) -> None:
    other = Results()
    other.parameters = {key: value}
    other.write(repository)
    assert gate(repository).status == 0


@pytest.mark.parametrize(
    ("key", "value", "stage"),
    [
        ("train_full.epochs", 99, "train_full"),
        ("train_full.optimizer.learning_rate", 1, "train_full"),
        ("evaluate.yardsticks.prior_events", 5.5, "evaluate"),
        ("prepare.history.keep", "oldest", "prepare"),
        ("dataset", "rees46", "prepare"),
    ],
)
def test_parameters_that_were_never_run(
    repository: Path, gate: Gate, key: str, value: Any, stage: str
) -> None:
    other = Results()
    other.parameters = {key: value}
    write_yaml(repository / "params.yaml", other.content())
    line = refusal(gate(repository, "--tolerance", "1"))
    assert f"working tree: params.yaml: {key} is " in line and f"dvc.lock says that {stage} was run" in line
    commit = commit_all(repository)[:7]
    Results().write(repository)
    assert f"main ({commit}): params.yaml: {key} is " in refusal(gate(repository, "--tolerance", "1"))


def removed(repository: Path) -> None:
    (repository / "params.yaml").unlink()


def not_yaml(repository: Path) -> None:
    (repository / "params.yaml").write_text("[")


def nested(repository: Path) -> None:
    (repository / "dvc.lock").write_text("[" * 3000)


def not_utf8(repository: Path) -> None:
    (repository / "dvc.lock").write_bytes(b"\xff\xfe")


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (removed, "no params.yaml there"),
        (not_yaml, "params.yaml: not valid YAML"),
        (nested, "dvc.lock: not a lock file of DVC: not valid YAML. nested too deeply"),
        (not_utf8, "dvc.lock: not UTF-8"),
    ],
)
def test_broken_files(repository: Path, gate: Gate, damage: Callable[[Path], None], words: str) -> None:
    damage(repository)
    assert f"working tree: {words}" in refusal(gate(repository, "--tolerance", "1"))


@pytest.mark.parametrize("content", [b"", b"PAR1", b"x" * 1000])
def test_samples_that_are_none(repository: Path, gate: Gate, content: bytes) -> None:
    now = shifted(0.0)
    now.write(repository)
    (repository / "metrics/samples.parquet").write_bytes(content)
    line = refusal(gate(repository))
    assert "metrics/samples.parquet is not what dvc.lock says" in line
    now.write_lock(repository)
    assert "metrics/samples.parquet: not a file of samples" in refusal(gate(repository))


def test_a_small_fall_on_the_same_users_is_seen(repository: Path, gate: Gate) -> None:
    # The interval of either version alone is +-.01; of the difference, whose noise is .0005, some +-.002.
    start_from(repository, shifted(0.0))
    shifted(-0.004, noise=0.0005).write(repository)
    outcome = gate(repository)
    assert outcome.status == 1
    assert "48 fell" in outcome.out and "user by user" not in outcome.out
    rows = [line.split() for line in outcome.out.splitlines() if line.startswith("published ")]
    assert len(rows) == 24 and all(0.001 < float(row[7]) < 0.003 for row in rows)
    shifted(-0.0005, noise=0.0005).write(repository)
    assert gate(repository).status == 0


def test_the_same_version_has_no_fall_and_the_last_digits_are_none(repository: Path, gate: Gate) -> None:
    start_from(repository, shifted(0.0))
    assert gate(repository).status == 0
    shifted(-0.000_09).write(repository)
    assert gate(repository).status == 0
    shifted(-0.000_11).write(repository)
    assert gate(repository).status == 1


def other_batches(now: Results) -> None:
    now.batches_md5 = "0" * 32


def fewer_samples(now: Results) -> None:
    assert now.samples is not None
    now.samples = {key: values[:100] for key, values in now.samples.items()}


def no_samples(now: Results) -> None:
    now.samples = None


def one_too_few(now: Results) -> None:
    assert now.samples is not None
    del now.samples["all", "brand", "full"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (other_batches, "they were measured on other batches"),
        (fewer_samples, "they have different numbers of bootstrap samples"),
        (no_samples, "working tree has no bootstrap samples"),
        (one_too_few, "one has no bootstrap samples of published.all.brand.full"),
    ],
)
def test_versions_that_can_not_be_paired_go_by_the_own_interval_and_it_is_said(
    repository: Path, gate: Gate, change: Callable[[Results], None], reason: str
) -> None:
    start_from(repository, shifted(0.0))
    now = shifted(-0.004)
    change(now)
    now.write(repository)
    outcome = gate(repository)
    assert outcome.status == 0
    assert f"not compared user by user, but with the baseline's own intervals: {reason}" in outcome.out
    assert "user by user" not in gate(repository, "--tolerance", "0.01").out


def test_a_fixed_tolerance_of_the_baseline_needs_no_pairs(repository: Path, gate: Gate) -> None:
    commit_with_tolerance(repository, Results(), shifted(-0.004), all=0.01, popular=0.01, cold_start=0.01)
    outcome = gate(repository)
    assert outcome.status == 0 and "user by user" not in outcome.out
