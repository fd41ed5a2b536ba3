"""Users, offers and pairs as of a day, against loops over the events."""

import numpy as np
import pytest
from scipy.special import expit

from offerbench.campaigns.as_of import day_number
from offerbench.campaigns.inputs import Pairs, input_names, log_odds
from offerbench.campaigns.moment import Moment
from offerbench.campaigns.offers_as_of import joined, new_offers, task_offers
from offerbench.campaigns.pair_history import buyers, pair_history
from offerbench.campaigns.single_offer import single_offer
from offerbench.campaigns.train_past import users_of
from offerbench.core.columns import Split
from offerbench.scorers.pairs import Contexts, TaskPairs
from offerbench.scorers.ranker import RankerScorer
from tests.oracle import campaigns as oracle

from .conftest import CUT
from .events import purchases

DAYS = [day_number(CUT), day_number("2019-10-22"), day_number("2019-10-09")]


def pairs_of(moment: Moment, task: str, day: int, part: Split = Split.TEST) -> Pairs:
    return moment.pairs(moment.past(day), moment.users([part], day), moment.offers(task, day))


def all_pairs(pairs: Pairs) -> tuple[np.ndarray, np.ndarray]:
    users, offers = len(pairs.users), len(pairs.offers)
    return np.repeat(np.arange(users), offers), np.tile(np.arange(offers), users)


@pytest.mark.parametrize("day", DAYS)
@pytest.mark.parametrize("task", ["product_id", "brand"])
def test_offers_are_described_by_train_users_earlier_events(moment: Moment, task: str, day: int) -> None:
    offers, events = moment.offers(task, day), purchases(moment.data)
    train = set(users_of(moment.data, Split.TRAIN).tolist())
    bought = {event.labels[task] for event in events if event.user in train and event.day < day}
    assert offers.table.keys.tolist() == sorted(key for key in bought if key >= moment.data.first_label)
    for place, key in enumerate(offers.table.keys.tolist()):
        expected = oracle.offer(events, train, day, 3, task, key)
        found = {
            "base": offers.base[place],
            "prior": offers.prior[place],
            "day_share": offers.day_share[place],
            "buyers": offers.buyers[place],
            "age": offers.age[place],
        }
        assert found == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("day", DAYS)
def test_users_are_those_with_a_past_active_later_or_not(moment: Moment, day: int) -> None:
    events, test = purchases(moment.data), users_of(moment.data, Split.TEST).tolist()
    users = moment.users([Split.TEST], day)
    assert users.users.tolist() == [user for user in test if oracle.before(events, user, day)]
    past = [oracle.before(events, user, day) for user in users.users.tolist()]
    assert users.events.tolist() == [len(each) for each in past]
    assert users.shopping_days.tolist() == [len({event.day for event in each}) for each in past]
    counts = users.counts("brand").toarray()
    for row, each in zip(counts, past, strict=True):
        labels = np.array([event.labels["brand"] for event in each])
        assert row.tolist() == np.bincount(labels, minlength=len(row)).tolist()


@pytest.mark.parametrize("day", DAYS)
def test_pair_history_is_that_of_a_loop(moment: Moment, day: int) -> None:
    users, offers = moment.users([Split.TEST], day), moment.offers("brand", day)
    history = pair_history(users, offers, newest=[4, None], last_days=[5], half_lives=[3.0])
    user, offer = all_pairs(pairs_of(moment, "brand", day))
    found, events = history.of_pairs(user, offer), purchases(moment.data)
    for row, (u, v) in enumerate(zip(user.tolist(), offer.tolist(), strict=True)):
        key = int(offers.table.keys[v])
        expected = oracle.pair(events, int(users.users[u]), day, "brand", key, 4, 5, 3.0)
        assert {name: column[row] for name, column in found.items()} == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("day", DAYS[:2])
def test_buyers_are_those_who_buy_within_the_horizon(moment: Moment, day: int) -> None:
    users, offers, events = (
        moment.users([Split.TEST], day),
        moment.offers("brand", day),
        purchases(moment.data),
    )
    found = buyers(users, offers, 3)
    for u, user in enumerate(users.users.tolist()):
        labels = {event.labels["brand"] for event in oracle.within(events, user, day, day + 3)}
        assert found[u].tolist() == [key in labels for key in offers.table.keys.tolist()]


@pytest.mark.parametrize("task", ["product_id", "brand"])
def test_soft_matches_are_those_of_a_loop(moment: Moment, task: str) -> None:
    day = DAYS[0]
    # All values of an offer's distribution, as the loop has them.
    offers = task_offers(moment.past(day), task, 1000)
    pairs = moment.pairs(moment.past(day), moment.users([Split.TEST], day), offers)
    user, offer = all_pairs(pairs)
    found, events = pairs.soft_matches(user, offer), purchases(moment.data)
    train = set(users_of(moment.data, Split.TRAIN).tolist())
    assert (found[task] == 0).all()
    for row in range(0, len(user), 7):
        who, key = int(pairs.users.users[user[row]]), int(offers.table.keys[offer[row]])
        for feature in set(moment.data.offer_sizes) - {task}:
            expected = oracle.soft_match(events, train, who, day, task, key, feature, 5.0)
            assert found[feature][row] == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("day", DAYS)
def test_the_ranker_scores_pairs_as_it_does_elsewhere(moment: Moment, day: int) -> None:
    pairs = pairs_of(moment, "brand", day)
    user, offer = all_pairs(pairs)
    dot, match = pairs.neural(user, offer)
    contexts = Contexts.as_of(moment.data, Split.TEST, pairs.users.users, day)
    groups = np.arange(len(pairs.offers), dtype=np.int32)[None]
    elsewhere = RankerScorer(moment.ranker).score(TaskPairs("brand", pairs.offers.table, contexts, groups))
    np.testing.assert_allclose((dot + match).reshape(elsewhere.shape), elsewhere, atol=2e-5)


def test_inputs_are_what_their_names_say(moment: Moment) -> None:
    day = DAYS[0]
    pairs = pairs_of(moment, "brand", day)
    user, offer = all_pairs(pairs)
    columns, events = pairs.columns(user, offer), purchases(moment.data)
    inputs = pairs.inputs(user, offer)
    assert inputs.shape[1] == len(input_names(list(moment.data.offer_sizes)))
    assert np.isfinite(inputs).all()
    past = pairs.history.of_pairs(user, offer)
    shares = expit(columns["dot"] + columns["match"] + np.log(4 * pairs.offers.base[offer]))
    lam, days = pairs.users.expected_events[user], pairs.users.expected_days[user]
    np.testing.assert_allclose(
        columns["log_mu"], np.log(days * (1 - (1 - shares) ** (lam / days))), atol=1e-3
    )
    for row in range(0, len(user), 11):
        who = int(pairs.users.users[user[row]])
        length = len(oracle.before(events, who, day))
        recent = len(oracle.within(events, who, day - 6, day))
        base, n = pairs.offers.base[offer[row]], float(past["events"][row])
        for name, matches, size in (
            ("log_odds", n, length),
            ("log_odds_recent", float(past["last_6"][row]), recent),
        ):
            odds = (matches + 5 * base) / (size - matches + 5 * (1 - base))
            assert columns[name][row] == pytest.approx(np.log(odds * (1 - base) / base), abs=1e-5)
        assert columns["has_match"][row] == (n > 0)
        recency = np.exp(-past["since_last"][row] / 4) if n else 0
        assert columns["recency"][row] == pytest.approx(recency, abs=1e-6)


def test_log_odds_of_a_user_without_a_past_are_those_of_all() -> None:
    assert log_odds(np.zeros(1), np.zeros(1), np.array([0.2]), 20.0)[0] == pytest.approx(0)


@pytest.mark.parametrize("places", [[0], [1, 3], []])
def test_a_part_of_the_offers_is_described_as_in_all(moment: Moment, places: list[int]) -> None:
    offers = moment.offers("brand", DAYS[0])
    part = offers.part(np.array(places, np.int64))
    assert part.table.keys.tolist() == offers.table.keys[places].tolist()
    expected = [
        {place: new for new, place in enumerate(places)}.get(each, -1) for each in offers.offer_of_row
    ]
    assert part.offer_of_row.tolist() == expected
    for name, each in part.table.distributions.items():
        whole = offers.table.distributions[name]
        for new, old in enumerate(places):
            assert each.values[each.segments == new].tolist() == whole.values[whole.segments == old].tolist()
            weights = whole.weights[whole.segments == old]
            assert each.weights[each.segments == new].tolist() == weights.tolist()


def test_an_offer_by_its_events_is_the_offer_of_the_task(moment: Moment) -> None:
    day = DAYS[0]
    offers, past = moment.offers("brand", day), moment.past(day)
    place = 2
    is_of_offer = moment.data.events["brand"] == offers.table.keys[place]
    single = single_offer(past, is_of_offer, {}, head_values(moment), "brand")
    users = moment.users([Split.TEST], day)
    user = np.arange(len(users))
    of_task = moment.pairs(past, users, offers).inputs(user, np.full(len(user), place))
    alone = moment.pairs(past, users, single).inputs(user, np.zeros(len(user), np.int64))
    np.testing.assert_allclose(alone, of_task, atol=1e-5)


def test_an_offer_that_nobody_bought_is_described_by_what_it_can_be(moment: Moment) -> None:
    past = moment.past(DAYS[0])
    nobody = np.zeros(len(moment.timeline.users), bool)
    possible = {
        "brand": np.arange(moment.data.offer_sizes["brand"]) == moment.offers("brand", DAYS[0]).table.keys[0]
    }
    offer = single_offer(past, nobody, possible, head_values(moment))
    brand = offer.table.distributions["brand"]
    assert brand.values.tolist() == [int(np.flatnonzero(possible["brand"])[0])]
    assert 0 < offer.base[0] < 1 / len(past.rows)
    users = moment.users([Split.TEST], DAYS[0])
    inputs = moment.pairs(past, users, offer).inputs(np.arange(len(users)), np.zeros(len(users), np.int64))
    assert np.isfinite(inputs).all()


def head_values(moment: Moment) -> int:
    return moment.parameters.values_per_feature


def test_new_offers_are_those_without_a_name_at_the_cut(moment: Moment) -> None:
    day, past = DAYS[1], moment.past(DAYS[1])
    generator = np.random.default_rng(0)
    # A later vocabulary that splits the rare values of the cut in two, and has no name for some events.
    rare = moment.data.events["product_id"] < moment.data.first_label
    labels = np.where(rare, generator.integers(0, 2, len(rare)) * 30 + moment.data.events["product_id"], 90)
    labels = np.where(generator.random(len(rare)) < 0.1, -1, labels).astype(np.int32)
    found = new_offers(past, "product_id", labels, 60, head_values(moment))
    assert found is not None
    train = set(users_of(moment.data, Split.TRAIN).tolist())
    events, who = moment.data.events, moment.timeline.users
    wanted = {
        int(label)
        for label, user, when in zip(labels, who, events["day"], strict=True)
        if label >= 0 and int(user) in train and when < day and label != 90
    }
    assert {-1 - key for key in found.table.keys.tolist()} == wanted
    for place, key in enumerate(found.table.keys.tolist()):
        assert ((found.offer_of_row == place) == (labels == -1 - key)).all()
    assert new_offers(past, "product_id", labels, 0, head_values(moment)) is None
    both = joined(moment.offers("product_id", day), found)
    users, first = moment.users([Split.TEST], day), len(moment.offers("product_id", day))
    for place, alone, shift in ((1, moment.offers("product_id", day), 0), (0, found, first)):
        user = np.arange(len(users))
        of_both = moment.pairs(past, users, both).inputs(user, np.full(len(user), place + shift))
        of_one = moment.pairs(past, users, alone).inputs(user, np.full(len(user), place))
        np.testing.assert_allclose(of_both, of_one, atol=1e-5)
