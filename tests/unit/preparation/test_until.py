"""Preparing as of an earlier day: vocabulary and clusters of what was known, all events kept."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from offerbench.core.columns import Split
from offerbench.core.errors import OfferbenchError
from offerbench.preparation.number_clusters import centre_labels, fit_centres
from offerbench.preparation.prepare import prepare_dataset
from offerbench.preparation.prepared import PreparedData, load_prepared
from tests.oracle import vocabulary

from ..conftest import USERS, TinyData
from ..parameters import prepare_parameters, resources_parameters
from ..tiny_log import FIRST_DAY, draw_log, write_log

UNTIL = FIRST_DAY + 12


def prepared_until(directory: Path, until: int) -> Path:
    write_log(directory / "raw", [line for _, line in draw_log(USERS, seed=20)])
    (directory / "prepared").mkdir()
    resources = resources_parameters(spill_directory=str(directory / "spill"))
    prepare_dataset(
        "rees46", directory / "raw", directory / "prepared", prepare_parameters(), resources, until=until
    )
    return directory / "prepared"


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> PreparedData:
    return load_prepared(prepared_until(tmp_path_factory.mktemp("until"), UNTIL))


@pytest.mark.parametrize("feature", ["product_id", "category2", "brand"])
def test_vocabulary_counts_earlier_events_and_labels_all(
    tiny_data: TinyData, past: PreparedData, feature: str
) -> None:
    parameters = tiny_data.prepare.vocabulary
    earlier = Counter(event.values[feature] for event in tiny_data.kept if event.day < UNTIL)
    occurrences = Counter({event.values[feature]: 0 for event in tiny_data.kept})
    occurrences.update(earlier)
    for value in occurrences:
        occurrences[value] += 0  # a value that is only seen later is there with none
    labels = vocabulary.labels(occurrences, parameters.min_occurrences, parameters.out_of_vocabulary_buckets)
    expected = [labels[event.values[feature]] for event in tiny_data.targets]
    assert past.events[feature].tolist() == expected
    assert past.offer_sizes[feature] <= tiny_data.data.offer_sizes[feature]
    if feature == "product_id":  # there are some that only later have enough events
        assert past.offer_sizes[feature] < tiny_data.data.offer_sizes[feature]


def test_clusters_are_fitted_to_earlier_numbers(tiny_data: TinyData, past: PreparedData) -> None:
    price = tiny_data.prepare.clusters["price_cluster"]
    earlier = [float(event.values["price"]) for event in tiny_data.kept if event.day < UNTIL]
    distinct = np.unique([float(event.values["price"]) for event in tiny_data.kept])
    counts = np.array([earlier.count(number) for number in distinct])
    drawn = counts
    if counts.sum() > price.sample:
        generator = np.random.default_rng(price.seed)
        drawn = generator.multivariate_hypergeometric(counts, price.sample, method="marginals")
    centres = fit_centres(distinct, drawn, price.clusters, price.seed)
    texts = centre_labels(centres, price.decimals)
    nearest = [
        texts[int(np.abs(centres - float(event.values["price"])).argmin())] for event in tiny_data.targets
    ]
    # Events have the same label if and only if they have the same cluster, or are both rare.
    labels = past.events["price_cluster"]
    known = labels >= past.first_label
    by_label = {}
    for label, text in zip(labels[known].tolist(), np.array(nearest)[known].tolist(), strict=True):
        assert by_label.setdefault(label, text) == text


def test_users_days_and_split_are_those_of_the_whole(tiny_data: TinyData, past: PreparedData) -> None:
    assert past.events["user"].tolist() == tiny_data.data.events["user"].tolist()
    assert past.events["day"].tolist() == tiny_data.data.events["day"].tolist()
    for part in Split:
        for one, other in zip(past.user_rows[part], tiny_data.data.user_rows[part], strict=True):
            assert one.tolist() == other.tolist()


def test_a_day_before_all_target_events_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OfferbenchError, match="no event of type 'purchase' before 2019-10-01"):
        prepared_until(tmp_path, FIRST_DAY)


def test_data_before_a_day_are_prefixes_of_the_users_rows(tiny_data: TinyData) -> None:
    data, before = tiny_data.data, tiny_data.data.before(UNTIL)
    for part in Split:
        for start, length, whole in zip(*before.user_rows[part], data.user_rows[part][1], strict=True):
            days = data.events["day"][start : start + whole]
            assert length == (days < UNTIL).sum()
            assert (days[:length] < UNTIL).all()
    shares = before.train_shares(["brand"])["brand"]
    train = {int(data.events["user"][row]) for row in before.user_rows[Split.TRAIN][0]}
    earlier = [
        label
        for user, day, label in zip(
            *(data.events[name].tolist() for name in ("user", "day", "brand")), strict=True
        )
        if user in train and day < UNTIL
    ]
    for label, share in enumerate(shares.tolist()):
        assert share == pytest.approx(earlier.count(label) / len(earlier))
