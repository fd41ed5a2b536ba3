"""Training: reproducible, learns, stops early on the best epoch."""

from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from sklearn.metrics import roc_auc_score

from offerbench.core.errors import OfferbenchError
from offerbench.model import training
from offerbench.model.negatives import Pairs
from offerbench.model.progress import best_point
from offerbench.model.tensors import BatchTensors
from offerbench.model.training import Curve, Trainer, train_model
from offerbench.preparation.prepared import PreparedData

from ..parameters import train_parameters
from .small_training import SHAPE, Trained, as_bytes, fresh_feed, fresh_ranker, loyal_users, scripted, trained


@pytest.fixture(scope="module", name="loyal_users")
def made_loyal_users() -> PreparedData:
    return loyal_users()


class RecordingTrainer(Trainer):
    """Only says which steps there are: compiling them takes a second."""

    steps: list[int] = []  # noqa: RUF012

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.train_step = self.record
        self.validation_step = lambda batch: self.nothing()

    def record(self, batch: BatchTensors, step: tf.Variable) -> tuple[tf.Tensor, Pairs]:
        self.steps.append(int(step))
        return self.nothing()

    def nothing(self) -> tuple[tf.Tensor, Pairs]:
        return tf.zeros([]), Pairs(tf.zeros((1, 24, 5, 5)), None)


@pytest.fixture(scope="module")
def two_epochs(loyal_users: PreparedData, configured_tensorflow: None) -> Trained:
    return trained(loyal_users)


def test_same_seed_gives_the_same_weights_and_curves(loyal_users: PreparedData, two_epochs: Trained) -> None:
    weights, curves = trained(loyal_users)
    assert as_bytes(weights) == as_bytes(two_epochs[0])
    assert curves == two_epochs[1]


def test_another_seed_gives_other_weights(loyal_users: PreparedData, two_epochs: Trained) -> None:
    weights, _ = trained(loyal_users, seed=2)
    assert all(values.tobytes() != two_epochs[0][name].tobytes() for name, values in weights.items())


def test_training_learns(loyal_users: PreparedData) -> None:
    # A user that is known (5/6 of the pairs) has its brand (all positives, 1/8 of the negatives) high and
    # the others low; one that is new has all in the middle. So positives are 5/6 high, 1/6 middle,
    # negatives 5/48 high, 35/48 low, 1/6 middle, and the best AUC there is
    # 5/6 * (43/48 + 5/96) + 1/6 * (35/48 + 1/12) = .925.
    _, curves = trained(loyal_users, epochs=25, **{"optimizer.learning_rate": 0.02})
    assert [epoch.epoch for epoch in curves] == list(range(1, 26))
    assert abs(curves[0].validation_auc - 0.5) < 0.15
    assert curves[-1].train_loss < curves[0].train_loss
    assert curves[-1].validation_loss < curves[0].validation_loss
    assert 0.85 < curves[-1].validation_auc < 0.94


def test_steps_are_counted_over_the_epochs(
    loyal_users: PreparedData, monkeypatch: pytest.MonkeyPatch
) -> None:
    # 160 users of 6 days with one event each: 960 events, 8 batches of 120 an epoch.
    RecordingTrainer.steps.clear()
    monkeypatch.setattr(training, "Trainer", RecordingTrainer)
    trained(loyal_users, epochs=2)
    assert RecordingTrainer.steps == list(range(16))  # a step's number seeds its dropout


def test_early_stopping_restores_the_best_epoch(
    loyal_users: PreparedData, two_epochs: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The second epoch is best (the third is only as good); two epochs later it stops, before the fifth.
    monkeypatch.setattr(training, "Curve", scripted([0.6, 0.7, 0.7, 0.65]))
    weights, curves = trained(loyal_users, epochs=9, early_stopping_patience=2)
    assert [epoch.validation_auc for epoch in curves] == [0.6, 0.7, 0.7, 0.65]
    assert as_bytes(weights) == as_bytes(two_epochs[0])


def test_without_patience_the_last_epoch_is_kept(
    loyal_users: PreparedData, two_epochs: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "Curve", scripted([0.7, 0.6]))
    weights, _ = trained(loyal_users, early_stopping_patience=None)
    assert as_bytes(weights) == as_bytes(two_epochs[0])


def test_patience_that_is_not_used_up_restores_the_best_epoch(
    loyal_users: PreparedData, two_epochs: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "Curve", scripted([0.6, 0.7, 0.65]))
    weights, curves = trained(loyal_users, epochs=3, early_stopping_patience=2)
    assert len(curves) == 3
    assert as_bytes(weights) == as_bytes(two_epochs[0])


def test_an_epoch_of_several_passes_has_the_steps_of_all(
    loyal_users: PreparedData, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "Trainer", RecordingTrainer)
    _, curves = trained(loyal_users, min_steps_per_epoch=9)  # 8 batches a pass
    assert [epoch.steps for epoch in curves] == [16, 32]


def test_two_passes_make_the_weights_of_two_epochs(loyal_users: PreparedData, two_epochs: Trained) -> None:
    weights, _ = trained(loyal_users, epochs=1, min_steps_per_epoch=16)
    assert as_bytes(weights) == as_bytes(two_epochs[0])


@pytest.mark.parametrize(
    ("aucs", "epoch", "note"),
    [
        ([0.5], 1, "once only"),
        ([0.5, 0.6, 0.7], 3, "best at the last of 3 epochs"),
        ([0.7, 0.6, 0.7], 1, "best at the first of 3 epochs"),
        ([0.6, 0.7, 0.7, 0.6], 2, None),
    ],
)
def test_a_training_that_is_best_at_an_end_says_so(
    loyal_users: PreparedData,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    aucs: list[float],
    epoch: int,
    note: str | None,
) -> None:
    monkeypatch.setattr(training, "Curve", scripted(aucs))
    monkeypatch.setattr(training, "Trainer", RecordingTrainer)  # the curves say all
    _, curves = trained(loyal_users, epochs=len(aucs))
    best = best_point(curves)
    assert (best["epoch"], best["steps"], best["validation_auc"]) == (epoch, 8 * epoch, aucs[epoch - 1])
    warnings = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert warnings == ([best["note"]] if note else [])
    assert note is None or note in best["note"]


@pytest.mark.parametrize("patience", [None, 1])
def test_a_training_that_diverges_is_refused(loyal_users: PreparedData, patience: int | None) -> None:
    parameters = train_parameters(**SHAPE, epochs=9, early_stopping_patience=patience)
    # More than params.yaml may say: then the first steps are enough.
    faster = parameters.optimizer.model_copy(update={"learning_rate": 1e38})
    model = fresh_ranker(loyal_users, parameters.model_copy(update={"optimizer": faster}))
    with pytest.raises(OfferbenchError, match=r"has a loss of (nan|inf).*diverged.*optimizer\.learning_rate"):
        train_model(model, fresh_feed(loyal_users, model))


def test_a_loss_that_is_not_finite_is_refused_before_its_pairs_are_looked_at() -> None:
    with pytest.raises(OfferbenchError, match="batch 1 of an epoch has a loss of nan"):
        Curve().add(tf.constant(np.nan), Pairs(tf.fill((1, 4, 5, 5), np.nan), None))


def test_curve_is_the_mean_loss_and_the_auc_of_all_pairs() -> None:
    logits = np.random.default_rng(0).normal(size=(2, 40, 5, 5)).astype(np.float32)
    logits += 1.5 * np.eye(5, dtype=np.float32)
    curve = Curve()
    for loss, batch in zip((0.25, 0.5), logits, strict=True):
        curve.add(tf.constant(loss), Pairs(tf.constant(batch)[None], None))
    loss, auc = curve.result()
    assert loss == 0.375
    targets = np.broadcast_to(np.eye(5), logits.shape)
    # 200 thresholds give the third digit.
    assert auc == pytest.approx(roc_auc_score(targets.reshape(-1), logits.reshape(-1)), abs=2e-3)


def test_curve_of_groupings_is_the_mean_of_their_aucs_over_the_pairs_that_count() -> None:
    # First grouping: positives 3 and 1 against the one negative that counts, 2: AUC 1/2. Second: 1.
    logits = tf.constant([[[[3.0, 9.0], [2.0, 1.0]]], [[[3.0, 2.0], [1.0, 4.0]]]])
    weights = tf.constant([[[[1.0, 0.0], [1.0, 1.0]]], [[[1.0, 1.0], [1.0, 1.0]]]])
    curve = Curve()
    curve.add(tf.constant(0.5), Pairs(logits, weights))
    assert curve.result() == (0.5, pytest.approx(0.75, abs=1e-3))
