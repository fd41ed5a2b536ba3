"""What every section of params.yaml refuses, and its values by dotted keys."""

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from offerbench.core.section import AmountOrShare, Count, CountOrShare, Name, Section, count_of, leaves


class Small(Section):
    """A section."""

    share: float
    """Of something."""


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ({"share": 0.5, "shares": 1}, "extra_forbidden"),
        ({}, "missing"),
        ({"share": "0.5"}, "float_type"),  # no silent conversion
        ({"share": float("nan")}, "finite_number"),
        ({"share": float("inf")}, "finite_number"),
    ],
)
def test_a_section_refuses(content: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Small.model_validate(content)
    assert [error["type"] for error in refused.value.errors()] == [problem]


def test_a_section_can_not_be_changed_and_keeps_its_docstrings() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Small(share=0.5).share = 1.0
    assert Small.model_json_schema()["properties"]["share"]["description"] == "Of something."


@pytest.mark.parametrize("name", ["", "Price", "a b", 'a"b', "1st", "a;b", "a\n", "a" * 64, "größe", "../a"])
def test_a_name_is_a_plain_word(name: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Name).validate_python(name)


def test_a_name_may_be_long_and_have_digits() -> None:
    assert TypeAdapter(Name).validate_python("a" * 60 + "_42") == "a" * 60 + "_42"


@pytest.mark.parametrize(("count", "fits"), [(0, False), (1, True), (2**31 - 1, True), (2**31, False)])
def test_a_count_fits_32_bits(count: int, fits: bool) -> None:
    if fits:
        assert TypeAdapter(Count).validate_python(count) == count
    else:
        with pytest.raises(ValidationError):
            TypeAdapter(Count).validate_python(count)


@pytest.mark.parametrize("value", [True, None, "1", -1, 2**31, 0.0, 1.0, 1.5, -0.5, float("nan"), [1]])
def test_no_count_and_no_share(value: Any) -> None:
    for kind in (CountOrShare, AmountOrShare):
        with pytest.raises(ValidationError, match="or a share above 0 and below 1"):
            TypeAdapter(kind).validate_python(value)


def test_an_amount_may_be_none_at_all_a_count_not() -> None:
    assert TypeAdapter(AmountOrShare).validate_python(0) == 0
    with pytest.raises(ValidationError, match="1 or more"):
        TypeAdapter(CountOrShare).validate_python(0)


@pytest.mark.parametrize(
    ("amount", "whole", "expected"),
    [
        (400, 7, 400),
        (0, 7, 0),
        (0.29, 100, 29),
        (0.1, 30, 3),
        (0.999, 10, 9),
        (1e-4, 105_840, 10),
        (0.5, 0, 0),
    ],
)
def test_a_share_is_rounded_down_as_it_is_written(amount: int | float, whole: int, expected: int) -> None:
    assert count_of(amount, whole) == expected


def test_leaves_are_values_by_dotted_keys() -> None:
    content = {"a": {"b": 1, "c": {"d": [2, 3]}, "empty": {}}, "e": None}
    assert dict(leaves(content)) == {"a.b": 1, "a.c.d": [2, 3], "a.empty": {}, "e": None}
