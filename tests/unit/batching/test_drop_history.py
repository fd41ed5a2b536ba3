"""Values of histories that a training step does not see, against a draw for each value."""

import numpy as np
import pytest

from offerbench.batching.batches import Batch, drop_history, make_batch

from ..conftest import TinyData


@pytest.fixture(params=["tiny_data", "weighted_tiny_data"])
def batch(request: pytest.FixtureRequest) -> Batch:
    data = request.getfixturevalue(request.param).data
    return make_batch(data, np.arange(10, 160), list(data.offer_sizes))


def test_values_of_histories_are_left_out(batch: Batch) -> None:
    # A draw for each value, bag after bag, a value stays if it is not below the rate.
    thinned = drop_history(batch, 0.3, np.random.default_rng(4))
    generator = np.random.default_rng(4)
    dropped = total = 0
    for name, bag in batch.bags.items():
        draws = [generator.random(dtype=np.float32) for _ in bag.values]
        kept = [place for place, draw in enumerate(draws) if draw >= 0.3]
        assert thinned.bags[name].values.tolist() == bag.values[kept].tolist()
        assert thinned.bags[name].segments.tolist() == bag.segments[kept].tolist()
        dropped, total = dropped + len(draws) - len(kept), total + len(draws)
    assert abs(dropped - 0.3 * total) < 5 * np.sqrt(total * 0.3 * 0.7)
    assert thinned.history_of_event is batch.history_of_event
    assert thinned.offer_values is batch.offer_values
    assert thinned.offer_rows is batch.offer_rows


def test_weights_of_values_left_out_go_with_them(weighted_tiny_data: TinyData) -> None:
    data = weighted_tiny_data.data
    batch = make_batch(data, np.arange(10, 60), list(data.offer_sizes))
    thinned = drop_history(batch, 0.3, np.random.default_rng(4)).bags
    for name, bag in batch.bags.items():
        weight_of = dict(zip(zip(bag.segments, bag.values, strict=True), bag.weights, strict=True))
        kept = zip(thinned[name].segments, thinned[name].values, strict=True)
        assert thinned[name].weights.tolist() == [weight_of[place] for place in kept]
        assert 0 < len(thinned[name].weights) < len(bag.weights)


def test_bags_without_weights_get_none(tiny_data: TinyData) -> None:
    batch = make_batch(tiny_data.data, np.arange(10), ["brand"])
    thinned = drop_history(batch, 0.3, np.random.default_rng(4))
    assert all(bag.weights is None for bag in thinned.bags.values())


def test_nothing_is_left_out_at_rate_zero(batch: Batch) -> None:
    assert drop_history(batch, 0.0, np.random.default_rng(4)) is batch
