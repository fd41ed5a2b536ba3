"""A step by several replicas is the step of one process, whatever the ranker is made of."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf

from offerbench.batching.grouped import GroupedBatch
from offerbench.batching.shares import Share
from offerbench.core.errors import LostReplicaError, OfferbenchError
from offerbench.model import replicas as module
from offerbench.model.layers import Dropout
from offerbench.model.ranker import Ranker
from offerbench.model.replica_trainer import ReplicaTrainer
from offerbench.model.replicas import Replica, join, join_batches, lost_replicas_explained
from offerbench.model.tensors import batch_signature, batch_tensors
from offerbench.model.trainer import Trainer
from offerbench.preparation.prepared import PreparedData

from ..conftest import TinyData
from ..rankers import CASES, grouped_batch, random_ranker, weights_of
from .meeting import Meeting, MeetingReplica

EVENTS, NEIGHBOURS = 60, 5
SHARED_OUT = [case for case in CASES if CASES[case].training().ranker.compression is None]
Arrays = dict[str, np.ndarray]


def make_trainer(
    model: Ranker, data: PreparedData, batch: GroupedBatch, replica: Replica | None = None
) -> Trainer:
    training = model.specification.training
    features = list(model.specification.offer_features)
    share = None if replica is None else replica.share
    signature = batch_signature(data, features, EVENTS, training.matching, len(batch.groupings), share)
    if replica is None:
        return Trainer(model, signature, signature)
    return ReplicaTrainer(model, signature, signature, replica)


def gradients_of_one(model: Ranker, data: PreparedData, batch: GroupedBatch) -> tuple[float, Arrays]:
    trainer = make_trainer(model, data, batch)
    parameters = trainer.parameters
    drop = Dropout(parameters.ranker.dropout, parameters.seed, tf.constant(3))
    with tf.GradientTape() as tape:
        loss, _ = trainer.loss(batch_tensors(batch), drop)
    gradients = tape.gradient(loss, trainer.variables)
    return float(loss), {
        variable.name: tf.convert_to_tensor(gradient).numpy()
        for variable, gradient in zip(trainer.variables, gradients, strict=True)
    }


def share_of(batch: GroupedBatch, data: PreparedData, replica: Replica) -> GroupedBatch:
    return replace(batch, batch=replica.share.take(batch.batch, data.user_sizes))


@pytest.mark.parametrize("replicas", [2, 3])
@pytest.mark.parametrize("case", SHARED_OUT)
def test_gradients_of_replicas_are_those_of_one_process(
    tiny_data: TinyData, case: str, replicas: int
) -> None:
    data = tiny_data.data
    rows = np.random.default_rng(4).choice(len(data.events["user"]), EVENTS, replace=False)
    batch = grouped_batch(data, case, np.sort(rows))
    one = random_ranker(data, case, **{"ranker.l1": 1e-3})
    expected_loss, expected = gradients_of_one(one, data, batch)

    def of_replica(replica: Replica) -> tuple[float, Arrays, Arrays]:
        model = random_ranker(data, case, **{"ranker.l1": 1e-3})
        trainer = make_trainer(model, data, batch, replica)
        assert isinstance(trainer, ReplicaTrainer)
        tensors = batch_tensors(share_of(batch, data, replica))
        loss, _, gradients = trainer._gradients(tensors, tf.constant(3))
        names = [variable.name for variable in trainer.variables]
        found = {name: gradient.numpy() for name, gradient in zip(names, gradients, strict=True)}
        return float(loss + trainer._penalty()), found, weights_of(model)

    found = Meeting(replicas).run(EVENTS // NEIGHBOURS // replicas, of_replica)
    for loss, gradients, weights in found:
        assert loss == pytest.approx(expected_loss, rel=1e-5)
        assert gradients.keys() == expected.keys()
        for name, gradient in gradients.items():
            scale = np.abs(expected[name]).max()
            np.testing.assert_allclose(
                gradient, expected[name], rtol=1e-3, atol=max(scale, 1e-3) * 2e-4, err_msg=name
            )
            np.testing.assert_array_equal(gradient, found[0][1][name], err_msg=f"{name} of all replicas")
        for name, values in weights_of(one).items():  # a step in training moves the moving moments
            np.testing.assert_allclose(weights[name], values, rtol=1e-4, atol=1e-5, err_msg=name)
            np.testing.assert_array_equal(weights[name], found[0][2][name], err_msg=f"{name} of all replicas")


@pytest.mark.parametrize("case", ["full", "variance_matches"])
def test_validation_is_that_of_one_process(tiny_data: TinyData, case: str) -> None:
    data = tiny_data.data
    batch = grouped_batch(data, case, np.arange(EVENTS))
    expected, pairs = make_trainer(random_ranker(data, case), data, batch)._validation_step(
        batch_tensors(batch)
    )

    def of_replica(replica: Replica) -> tuple[float, np.ndarray]:
        trainer = make_trainer(random_ranker(data, case), data, batch, replica)
        loss, own = trainer._validation_step(batch_tensors(share_of(batch, data, replica)))
        return float(loss), own.logits.numpy()

    groups = EVENTS // NEIGHBOURS // 2
    for index, (loss, logits) in enumerate(Meeting(2).run(groups, of_replica)):
        assert loss == pytest.approx(float(expected), rel=1e-5)
        own = Share(2, index, groups).own(np.moveaxis(pairs.logits.numpy(), 0, 1))
        np.testing.assert_allclose(np.moveaxis(logits, 0, 1), own, rtol=1e-3, atol=1e-4)


def alone(replicas: int, index: int, groups: int) -> MeetingReplica:
    """A replica that meets nobody."""
    return MeetingReplica(Meeting(1), Share(replicas, index, groups))


@pytest.mark.parametrize("replicas", [1, 2, 3])
@pytest.mark.parametrize("rows_of_group", [1, 5, 25])
def test_dropout_is_that_of_the_whole_batch(replicas: int, rows_of_group: int) -> None:
    groups, seed = 4, tf.constant([7, 11])
    whole = np.random.default_rng(0).normal(size=(replicas * groups * rows_of_group, 6)).astype(np.float32)
    expected = tf.nn.experimental.stateless_dropout(whole, 0.3, seed).numpy()
    assert 0 < (expected == 0).mean() < 0.6
    for index in range(replicas):
        replica = alone(replicas, index, groups)
        found = replica.dropout(tf.constant(replica.share.own(whole)), 0.3, seed).numpy()
        assert found.tobytes() == replica.share.own(expected).tobytes()


@pytest.mark.parametrize("shape", [(12,), (12, 3), (24, 2, 2), (12, 0)])
def test_own_rows_are_those_of_numpy(shape: tuple[int, ...]) -> None:
    values = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    replica = alone(3, 1, 2)
    expected = replica.share.own(values).tolist()
    assert replica.own(tf.constant(values)).numpy().tolist() == expected
    unknown = tf.function(replica.own, input_signature=[tf.TensorSpec([None, *shape[1:]], tf.float32)])
    assert unknown(tf.constant(values)).numpy().tolist() == expected


def test_replicas_that_parted_are_refused_in_all_alike() -> None:
    def check(replica: Replica) -> str:
        replica.check_same(5, "never said")
        with pytest.raises(OfferbenchError) as refused:
            replica.check_same(2**31 - replica.share.index, "they parted.")
        return str(refused.value)

    assert Meeting(3).run(1, check) == ["resources.replicas: they parted."] * 3


def test_parts_that_differ_and_add_up_to_the_same_are_refused() -> None:
    def check(replica: Replica) -> None:
        with pytest.raises(OfferbenchError, match="they parted"):
            replica.check_same([4, 5, 6][replica.share.index], "they parted.")

    Meeting(3).run(1, check)


def test_one_replica_is_none() -> None:
    assert join_batches(1, 60, 5) is None


def test_batches_that_cannot_be_shared_out_are_refused() -> None:
    with pytest.raises(OfferbenchError, match="60 events in groups of 5 can't be shared out evenly to 7"):
        join_batches(7, 60, 5)


def cluster(workers: int, index: object = 0, **task: object) -> str:
    names = [f"host{number}:2222" for number in range(workers)]
    return json.dumps({"cluster": {"worker": names}, "task": {"type": "worker", "index": index, **task}})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "names no workers, or not which of them this is"),
        ("", "names no workers"),
        ("{", "names no workers"),
        ("[]", "names no workers"),
        (
            '{"cluster": {"chief": ["a:1"], "worker": ["b:1"]}, "task": {"type": "chief", "index": 0}}',
            "names no",
        ),
        (cluster(2, index=2), "names no workers, or not which"),
        (cluster(2, index="0"), "names no workers, or not which"),
        (cluster(2, type="ps"), "names no workers, or not which"),
        (cluster(3), "names 3 workers, and resources.replicas is 2"),
    ],
)
def test_a_cluster_that_is_none_is_refused(
    text: str | None, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if text is None:
        monkeypatch.delenv("TF_CONFIG", raising=False)
    else:
        monkeypatch.setenv("TF_CONFIG", text)
    with pytest.raises(OfferbenchError, match=re.escape(f"TF_CONFIG: {message}")):
        join(2)


@pytest.mark.parametrize("kind", module.LOST)
def test_a_lost_replica_is_said_in_one_line(kind: type[tf.errors.OpError]) -> None:
    with pytest.raises(LostReplicaError) as lost, lost_replicas_explained():
        raise kind(None, None, "Collective ops is aborted by: ...\nand so on")
    assert str(lost.value).count("\n") == 0


def test_other_errors_stay_what_they_are() -> None:
    with pytest.raises(ZeroDivisionError), lost_replicas_explained():
        _ = 1 / 0
    assert issubclass(LostReplicaError, OfferbenchError)
