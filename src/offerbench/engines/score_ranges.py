"""Ranges of pairs in the order of (row, offer, score): what each adds up to, in files, and all together."""

import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pydantic import TypeAdapter

from offerbench.engines.partial_auc import Sums, auc_of, merged, pair_sums
from offerbench.engines.scored_shards import IS_POSITIVE, OFFER, USER_NUMBER
from offerbench.engines.tasks import written
from offerbench.evaluation.bootstrap import Samples, sampled_wauc
from offerbench.evaluation.config import Evaluate
from offerbench.evaluation.evaluate import TaskResult, bootstrap_weights, task_result
from offerbench.evaluation.pairs import Measure
from offerbench.features.offers import OfferTable

NUMBER, SCORE = "number", "score"
RANGE = "answer STRING"
PLACES, SUMS = "places", "sums"


@dataclass(frozen=True)
class Range:
    """The sums over a range of pairs, in files of this attempt alone."""

    path: str
    """Their directory."""
    sizes: dict[str, int]
    """Bytes of each."""
    first: tuple[int, int, int]
    """Row, offer and score of the first pair: ranges go by it."""


RANGES = TypeAdapter(Range)


def sum_range(
    batches: Iterable[pa.RecordBatch], directory: Path, weights: Mapping[Measure, Path]
) -> Iterator[pa.RecordBatch]:
    """Sum over the pairs of a range, by row and offer, for every measure: the task itself.

    Parameters
    ----------
    batches : iterable of pyarrow.RecordBatch
        Pairs of the range in any order; equal scores of a row and offer are in one range.
    directory : Path
        Gets a directory of files.
    weights : mapping of Path
        File of the users' weights for each measure, int32 of shape (users, samples).

    Yields
    ------
    pyarrow.RecordBatch
        A row of `RANGE`; none if there is no pair.
    """
    table = pa.Table.from_batches(list(batches))
    if not len(table):
        return
    columns = {name: table[name].to_numpy() for name in table.column_names}
    path = directory / secrets.token_hex(8)
    path.mkdir()
    for measure, file in weights.items():
        kept = columns[Measure.CLEAN.value] if measure is Measure.CLEAN else np.ones(len(table), bool)
        some = {name: values[kept] for name, values in columns.items()}
        places, sums = _by_row(some, np.load(file, mmap_mode="r"))
        np.save(path / f"{measure}_{PLACES}.npy", places)
        np.save(path / f"{measure}_{SUMS}.npy", sums)
    first = np.lexsort((columns[SCORE], columns[OFFER], columns[NUMBER]))[0]
    found = Range(
        path=str(path),
        sizes={str(file): file.stat().st_size for file in path.iterdir()},
        first=(int(columns[NUMBER][first]), int(columns[OFFER][first]), int(columns[SCORE][first])),
    )
    yield pa.RecordBatch.from_pydict({"answer": [RANGES.dump_json(found).decode()]})


def _by_row(
    pairs: Mapping[str, npt.NDArray[Any]], weights: npt.NDArray[np.int32]
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float64]]:
    """Sum over pairs.

    Returns
    -------
    int32, shape (places, 2)
        Row and offer, ascending.
    float64, shape (3, places, samples)
        Positives, negatives, wins.
    """
    places, sums = [np.empty((0, 2), np.int32)], [np.empty((3, 0, weights.shape[1]))]
    for number in np.unique(pairs[NUMBER]):
        mine = pairs[NUMBER] == number
        offer, is_positive, user, score = (
            pairs[name][mine] for name in (OFFER, IS_POSITIVE, USER_NUMBER, SCORE)
        )
        offers, of_offers = pair_sums(offer, is_positive, user, score, weights)
        places.append(np.column_stack([np.full_like(offers, number), offers]))
        sums.append(np.stack([of_offers.positives, of_offers.negatives, of_offers.wins]))
    return np.concatenate(places), np.concatenate(sums, axis=1)


def read_ranges(answers: Iterable[str]) -> list[Range]:
    """Give ranges in the order of their pairs.

    Raises
    ------
    OfferbenchError
        If a file is gone, or not as its task left it.
    """
    ranges = sorted((RANGES.validate_json(answer) for answer in answers), key=lambda each: each.first)
    for each in ranges:
        written(each.sizes)
    return ranges


def merge_ranges(ranges: Sequence[Range], measure: Measure, number: int, offers: int, samples: slice) -> Sums:
    """Merge the sums of a row over all ranges.

    Parameters
    ----------
    ranges : sequence of Range
        In the order of their pairs.
    measure : Measure
        Which pairs count.
    number : int
        Of the row.
    offers : int
        Number of offers.
    samples : slice
        Which samples; the others are not read.
    """
    parts, width = [], 0
    for each in ranges:
        places = np.load(f"{each.path}/{measure}_{PLACES}.npy")
        start, stop = np.searchsorted(places[:, 0], (number, number + 1))
        sums = np.load(f"{each.path}/{measure}_{SUMS}.npy", mmap_mode="r")[:, start:stop, samples]
        width = sums.shape[2]
        parts.append((places[start:stop, 1], Sums(*(np.array(part) for part in sums))))
    return merged(parts, offers, width)


def measure_ranges(
    ranges: Sequence[Range],
    measure: Measure,
    rows: Sequence[str],
    table: OfferTable,
    counts: Mapping[str, int],
    first_label: int,
    evaluate: Evaluate,
) -> TaskResult:
    """Measure a task from the sums of its ranges; only the sums of one row are held at a time.

    Parameters
    ----------
    ranges : sequence of Range
        In the order of their pairs.
    measure : Measure
        Which pairs count.
    rows : sequence of str
        Names of the rows, by their numbers.
    table, counts, first_label, evaluate
        See `task_result`.
    """
    offers = len(table.keys)
    by_row = {
        name: auc_of(merge_ranges(ranges, measure, number, offers, slice(1)))
        for number, name in enumerate(rows)
    }

    def sample(masks: dict[str, npt.NDArray[np.bool_]]) -> dict[str, dict[str, Samples]]:
        found: dict[str, dict[str, Samples]] = {segment: {} for segment in masks}
        for number, name in enumerate(rows):
            sums = merge_ranges(ranges, measure, number, offers, slice(1, None))
            sampled = sampled_wauc(sums.positives, sums.negatives, sums.wins, masks)
            for segment, samples in sampled.items():
                found[segment][name] = samples
        return found

    return task_result(table, by_row, sample, counts, first_label, evaluate)


def write_weights(directory: Path, users: int, evaluate: Evaluate) -> Path:
    """Write the users' weights: a first sample in which each weighs 1, then those of the bootstrap."""
    file = directory / f"weights-{users}.npy"
    if not file.exists():
        np.save(file, np.hstack([np.ones((users, 1), np.int32), bootstrap_weights(users, evaluate)]))
    return file
