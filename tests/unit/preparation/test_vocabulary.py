"""Labels of values: order, threshold and buckets."""

import os
import subprocess
import sys

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from offerbench.preparation.vocabulary import assign_labels, bucket
from tests.oracle import vocabulary

# md5sum of the text on a command line, its first 16 hexadecimal digits.
MD5_OF_EMPTY = 0xD41D8CD98F00B204
MD5_OF_A = 0x0CC175B9C0F1B6A8
MD5_OF_ABC = 0x900150983CD24FB0


@given(
    st.dictionaries(st.text(max_size=3), st.integers(1, 6), max_size=25),
    st.integers(1, 6),
    st.integers(1, 5),
)
def test_labels_are_those_of_the_oracle(
    occurrences: dict[str, int], min_occurrences: int, buckets: int
) -> None:
    labels = assign_labels(
        list(occurrences),
        np.array(list(occurrences.values()), np.int64),
        min_occurrences=min_occurrences,
        buckets=buckets,
    )
    expected = vocabulary.labels(occurrences, min_occurrences, buckets)
    assert dict(zip(occurrences, labels.tolist(), strict=True)) == expected


def test_most_frequent_first_ties_by_value_rare_ones_to_buckets() -> None:
    # At least 3: c (5 times), then a and b (3 times each) by value; the empty string has 2.
    labels = assign_labels(["b", "", "c", "a"], np.array([3, 2, 5, 3]), min_occurrences=3, buckets=10)
    assert labels.tolist() == [12, MD5_OF_EMPTY % 10, 10, 11]


def test_the_order_of_the_values_does_not_matter() -> None:
    occurrences = {"b": 3, "c": 5, "a": 3, "": 3, "d": 1}
    labels = [
        dict(
            zip(
                values,
                assign_labels(
                    values, np.array([occurrences[value] for value in values]), min_occurrences=3, buckets=4
                ).tolist(),
                strict=True,
            )
        )
        for values in (list(occurrences), sorted(occurrences), sorted(occurrences, reverse=True))
    ]
    assert labels[0] == labels[1] == labels[2]


def test_buckets_are_known_digests() -> None:
    assert bucket("", 10) == MD5_OF_EMPTY % 10
    assert bucket("a", 10) == MD5_OF_A % 10
    assert bucket("abc", 7) == MD5_OF_ABC % 7
    assert bucket("abc", 1) == 0


def test_buckets_do_not_depend_on_the_hash_seed() -> None:
    values = ["", "a", "abc", "brand", "brända"]
    code = f"from offerbench.preparation.vocabulary import bucket; print([bucket(v, 97) for v in {values!r}])"
    for hash_seed in ("0", "4242"):
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
        printed = subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
        ).stdout
        assert printed.strip() == str([bucket(value, 97) for value in values])
