"""Offers by expression: what holds for which event, and what is refused with which words."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offerbench.campaigns.offer import offer_of_expression
from offerbench.core.errors import OfferbenchError
from tests.oracle.expressions import RARE, holds, written

from .shop import BRANDS, FIRST, PRICES, PRODUCTS, SHOP

VALUES = {"product_id": PRODUCTS, "brand": BRANDS, "price_cluster": PRICES}
EVENTS = [
    {"product_id": PRODUCTS[row % 8], "brand": brand, "price_cluster": price}
    for row, (brand, price) in enumerate((b, p) for b in (*BRANDS, RARE) for p in (*PRICES, RARE))
]


def label(name: str, value: object, row: int) -> int:
    return row % FIRST if value is RARE else SHOP.by_name[name].labels[str(value)]


COLUMNS = {
    name: np.array([label(name, event[name], row) for row, event in enumerate(EVENTS)], np.int32)
    for name in VALUES
}
NUMBERS = st.sampled_from([-1.0, 0, 0.99, 2, 2.0, 2.2, 2.5, 1e2, 101.0])
KNOWN_NUMBERS = st.sampled_from([-1, 0.99, 2, 2.0, 2.5, 1e2])
NUMERIC = st.sampled_from(["price_cluster", "product_id"])


@st.composite
def leaves(draw: st.DrawFn) -> tuple[object, ...]:
    kind = draw(st.sampled_from(["=", "in", "null", "<", "<=", ">", ">=", "between"]))
    if kind == "between":
        return (kind, draw(NUMERIC), draw(NUMBERS), draw(NUMBERS))
    if kind in ("<", "<=", ">", ">="):
        return (kind, draw(NUMERIC), draw(NUMBERS))
    if kind == "null":
        return (kind, draw(st.sampled_from(["brand", "price_cluster"])))
    name = draw(st.sampled_from(list(VALUES)))
    values = st.sampled_from(VALUES[name])
    if name == "price_cluster":
        values = values | KNOWN_NUMBERS
    if kind == "in":
        return (kind, name, draw(st.lists(values, min_size=1, max_size=3)))
    return (kind, name, draw(values))


CONDITIONS = st.recursive(
    leaves(),
    lambda part: (
        st.tuples(st.just("not"), part)
        | st.tuples(st.sampled_from(["and", "or"]), st.lists(part, min_size=2, max_size=3))
    ),
    max_leaves=8,
)


@given(CONDITIONS, st.sampled_from("'\""))
def test_it_holds_for_the_events_that_the_plain_evaluator_says(
    condition: tuple[object, ...], quote: str
) -> None:
    offer = offer_of_expression(written(condition, quote), SHOP)
    expected = [holds(condition, event) is True for event in EVENTS]
    assert offer.matches(COLUMNS).tolist() == expected


@given(CONDITIONS)
def test_possible_labels_are_those_of_all_events_that_can_be(condition: tuple[object, ...]) -> None:
    """Every event of the offer has only possible labels, and a conjunction's events have them all."""
    offer = offer_of_expression(written(condition), SHOP)
    matches = offer.matches(COLUMNS)
    for name, attribute in SHOP.by_name.items():
        possible = offer.possible_labels(attribute)
        assert possible[COLUMNS[name][matches]].all()


def test_possible_labels_of_a_conjunction() -> None:
    offer = offer_of_expression("brand IN ('69', 'l''eau') AND price_cluster > 2", SHOP)
    named = {
        name: [value for value, label in attribute.labels.items() if offer.possible_labels(attribute)[label]]
        for name, attribute in SHOP.by_name.items()
    }
    assert named == {
        "product_id": list(PRODUCTS),
        "brand": ["l'eau", "69"],
        "price_cluster": ["", "2.50", "100.00"],  # what has no price may be of it, as far as is known
    }


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("brand = '69'", 'brand == "69"'),
        ("brand = '69'", "BRAND = 69"),
        ("brand <> '69'", "NOT brand = '69'"),
        ("brand != '69'", "brand not in ('69')"),
        ("brand is null", "brand = ''"),
        ("brand is not null", "brand <> ''"),
        ("price_cluster between 0.99 and 2.5", "price_cluster >= 0.99 and price_cluster <= 2.5"),
        ("price_cluster not between 0.99 and 2.5", "price_cluster < 0.99 or price_cluster > 2.5"),
        ("not price_cluster > 2", "price_cluster <= 2"),  # rare prices are in neither
        ("price_cluster = 2", "price_cluster = '2.00'"),
        ("price_cluster < -0.5", "price_cluster = '-1.00'"),
        (
            "brand = '69' or brand = '' and price_cluster = 2",
            "brand = '69' or (brand = '' and price_cluster = 2)",
        ),
        ("((brand = '69'))", "\"brand\" = '69'"),
    ],
)
def test_two_ways_to_say_the_same(text: str, same: str) -> None:
    one, other = (offer_of_expression(expression, SHOP).matches(COLUMNS) for expression in (text, same))
    assert one.tolist() == other.tolist()
    assert 0 < one.sum() < len(EVENTS)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "brnad = '69'",
            "no attribute 'brnad'; near: 'brand'. The attributes of offers are product_id, brand,",
        ),
        ("brand = 'own lable'", "brand: no value 'own lable'; near: 'own label'. A value that is too rare"),
        ("brand = 'OWN LABEL'", "no value 'OWN LABEL'; near: 'own label'"),
        ("brand in ('69', 'qqq')", "brand: no value 'qqq'. A value that is too rare"),
        ("brand = 'two\nlines'", "brand: no value 'two\\nlines'"),
        ("product_id is null", "product_id: no event lacks this attribute"),
        ("price_cluster = 3", "price_cluster: no value '3'"),
        ("brand > 3", "brand: its values are text and can't be compared by size"),
        ("price_cluster > '2'", "price_cluster: compare it with a number, without quotes, got '2'"),
        ("price_cluster > brand", "price_cluster: compare it with a number, without quotes, got brand"),
        ("price_cluster > 1e999", "1e999: not a number that can be compared with"),
        ("brand = own", "own: put quotes around a value: 'own'"),
        ("'69' = brand", "'69': an attribute must stand there"),
        ("lower(brand) = '69'", "LOWER(brand): an attribute must stand there"),
        ("t.brand = '69'", "t.brand: an attribute must stand there"),
        ("brand like '6%'", "brand LIKE '6%': not allowed in an offer's expression"),
        ("brand in (select 1)", "brand IN (SELECT 1): not allowed"),
        ("brand in ()", "the list of IN is empty"),
        ("brand in unnest(['69'])", "not allowed"),
        ("brand = upper('x')", "UPPER('x'): not allowed"),
        ("brand = ?", "?: not allowed"),
        ("brand = 'a' || 'b'", "not allowed"),
        ('brand = t."69"', "not allowed"),
        ("price_cluster between symmetric 1 and 2", "not allowed"),
        ("price_cluster = 1 + 1", "1 + 1: not allowed"),
        ("price_cluster > 1 + 1", "1 + 1: not allowed"),
        ("brand is true", "brand IS TRUE: not allowed"),
        ("true", "TRUE: not allowed"),
        ("brand", "brand: not allowed"),
        ("1", "1: not allowed"),
        ("brand = '69'; drop table users", "not an expression"),
        ("select brand from offers", "not an expression"),
        ("brand = '69' and", "not an expression"),
        ("brand = 'open", "not an expression"),
        ("brand = '69' limit 3", "not an expression"),
        ("", "the offer's expression is empty"),
        ("   ", "the offer's expression is empty"),
        ("-- brand = '69'", "the offer's expression is empty"),
        ("(" * 500 + "brand = '69'" + ")" * 500, "nested too deeply"),
        ("not " * 500 + "brand = '69'", "nested too deeply"),
    ],
)
def test_what_is_refused_is_said_in_one_line(text: str, words: str) -> None:
    with pytest.raises(OfferbenchError) as raised:
        offer_of_expression(text, SHOP)
    assert words in str(raised.value)
    assert "\n" not in str(raised.value)
    assert len(str(raised.value)) < 400


@given(st.text(max_size=40) | st.text("brand='69()<>,.;-andornt\"in ", max_size=40))
def test_any_text_is_an_offer_or_refused(text: str) -> None:
    try:
        offer = offer_of_expression(text, SHOP)
    except OfferbenchError:
        return
    assert offer.attributes <= set(VALUES)


def test_a_long_chain_is_not_too_deep() -> None:
    text = " OR ".join(f"product_id = '{PRODUCTS[row % 4]}'" for row in range(3000))
    wanted = offer_of_expression(f"product_id IN {PRODUCTS[:4]}", SHOP)
    assert (offer_of_expression(text, SHOP).matches(COLUMNS) == wanted.matches(COLUMNS)).all()
