"""Labels of values, by sorting (count, value) pairs."""

import hashlib
from collections.abc import Mapping


def bucket(value: str, buckets: int) -> int:
    """The first 16 hexadecimal digits of the value's MD5, modulo the number of buckets."""
    return int(hashlib.md5(value.encode("utf-8")).hexdigest()[:16], 16) % buckets


def labels(occurrences: Mapping[str, int], min_occurrences: int, buckets: int) -> dict[str, int]:
    """Label of each value: the frequent ones in order after the buckets, the others by their hash."""
    known = sorted((-count, value) for value, count in occurrences.items() if count >= min_occurrences)
    result = {value: bucket(value, buckets) for value in occurrences}
    for place, (_, value) in enumerate(known):
        result[value] = buckets + place
    return result
