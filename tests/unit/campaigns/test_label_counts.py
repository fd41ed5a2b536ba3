"""Counts by label against a loop, and bit for bit against the product of sparse matrices."""

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given
from scipy import sparse

from offerbench.campaigns.label_counts import count_labels
from offerbench.campaigns.recent_histories import repeats
from tests.oracle.campaigns import expected_labels, repeated_rows

SIZE = 9
PASTS = st.lists(st.lists(st.integers(0, SIZE - 1), max_size=12), min_size=1, max_size=8)
OFFERS = st.lists(
    st.dictionaries(st.integers(0, SIZE - 1), st.integers(1, 50), min_size=1), min_size=1, max_size=3
)


def weights_of(offers: list[dict[int, int]]) -> sparse.csr_matrix:
    """Distributions; the labels of an offer in the order of the mapping, not ascending."""
    rows = [place for place, offer in enumerate(offers) for _ in offer]
    values = [count / sum(offer.values()) for offer in offers for count in offer.values()]
    labels = [label for offer in offers for label in offer]
    return sparse.csr_matrix((np.array(values, np.float32), (rows, labels)), (len(offers), SIZE))


@given(pasts=PASTS, offers=OFFERS)
def test_expected_counts(pasts: list[list[int]], offers: list[dict[int, int]]) -> None:
    labels = np.array([label for past in pasts for label in past], np.int32)
    owner = np.repeat(np.arange(len(pasts)), [len(past) for past in pasts])
    weights = weights_of(offers)
    found = count_labels(labels, owner, len(pasts), SIZE).expected(weights)
    for user, past in enumerate(pasts):
        for place, offer in enumerate(offers):
            shares = {label: count / sum(offer.values()) for label, count in offer.items()}
            assert found[user, place] == pytest.approx(expected_labels(past, shares), rel=1e-5)
    counts = sparse.csr_matrix((np.ones(len(labels), np.float32), (owner, labels)), (len(pasts), SIZE))
    product = np.asarray((counts @ weights.T).todense(), np.float32)
    assert found.dtype == np.float32 and found.tobytes() == product.tobytes()


@given(pasts=PASTS, scale=st.sampled_from([1, 7, 70_000]))
def test_repeats(pasts: list[list[int]], scale: int) -> None:
    labels = np.array([label * scale for past in pasts for label in past], np.int32)
    owner = np.repeat(np.arange(len(pasts), dtype=np.int32), [len(past) for past in pasts])
    found = repeats(owner, labels)
    assert len(found) == len(set(found.tolist()))
    assert set(found.tolist()) == repeated_rows(owner.tolist(), labels.tolist())
