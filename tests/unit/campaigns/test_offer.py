"""Offers of a list of products, and the attributes of a prepared data set."""

import logging
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from offerbench.campaigns.attributes import load_attributes
from offerbench.campaigns.offer import offer_of_expression, offer_of_products
from offerbench.core.errors import OfferbenchError
from tests.unit.conftest import TinyData

from .shop import FIRST, PRODUCTS, SHOP

LABELS = {"product_id": np.arange(FIRST + len(PRODUCTS), dtype=np.int32)}


def file_of(directory: Path, text: str) -> Path:
    file = directory / "products.csv"
    file.write_text(text, encoding="utf-8")
    return file


@pytest.mark.parametrize(
    "text",
    [
        "1001\n1003\n",
        "product_id\n1001\n1003\n",
        "price,product_id\n2,1003\n3, 1001\n",
        "1003\r\n\r\n1001\r\n1003",
    ],
)
def test_a_list_of_products_is_an_offer(tmp_path: Path, text: str) -> None:
    offer = offer_of_products(file_of(tmp_path, text), SHOP)
    wanted = offer_of_expression("product_id in ('1001', '1003')", SHOP)
    assert offer.matches(LABELS).tolist() == wanted.matches(LABELS).tolist()
    again = offer_of_expression(offer.expression, SHOP)
    assert again.matches(LABELS).tolist() == wanted.matches(LABELS).tolist()


def test_the_header_may_name_another_attribute(tmp_path: Path) -> None:
    offer = offer_of_products(file_of(tmp_path, 'brand\nl\'eau\n"the ""best"""\n'), SHOP)
    labels = SHOP.by_name["brand"].labels
    columns = {"brand": np.arange(FIRST + len(labels), dtype=np.int32)}
    assert np.flatnonzero(offer.matches(columns)).tolist() == [labels["l'eau"], labels['the "best"']]


def test_a_parquet_file_will_do(tmp_path: Path) -> None:
    pq.write_table(pa.table({"product_id": ["1002"]}), tmp_path / "products.parquet")
    offer = offer_of_products(tmp_path / "products.parquet", SHOP)
    assert np.flatnonzero(offer.matches(LABELS)).tolist() == [SHOP.by_name["product_id"].labels["1002"]]


def test_products_that_can_not_be_named_are_counted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "offerbench"):
        offer = offer_of_products(file_of(tmp_path, "1001\n99\n98\n"), SHOP)
    assert offer.expression == "\"product_id\" IN ('1001')"
    (line,) = caplog.messages
    assert line.endswith(
        "2 of 3 values of product_id are unknown or too rare to be named and left out, such as '99'"
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "an empty file"),
        ("product_id\n", "lists no product"),
        (
            "10010\n",
            "none of its 1 lines is a value of product_id that can be named, such as '10010'; near: '1001'",
        ),
        ("sku,price\n1001,2\n", "no column 'product_id'. Its first line has 'sku', 'price'"),
        ("product_id\n1001,4\n", "not the table it should be: CSV parse error: Row #2: Expected 1 columns"),
    ],
)
def test_a_file_that_lists_no_products_is_refused(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(OfferbenchError) as raised:
        offer_of_products(file_of(tmp_path, text), SHOP)
    assert str(raised.value).startswith(str(tmp_path / "products.csv"))
    assert words in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_missing_file_a_directory_and_bytes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(OfferbenchError, match="no such file"):
        offer_of_products(tmp_path / "none.csv", SHOP)
    with pytest.raises(OfferbenchError, match="a directory"):
        offer_of_products(tmp_path, SHOP)
    (tmp_path / "bytes.csv").write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(OfferbenchError, match="not a CSV file"):
        offer_of_products(tmp_path / "bytes.csv", SHOP)
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(OfferbenchError, match="not an intact Parquet file"):
        offer_of_products(tmp_path / "broken.parquet", SHOP)


def test_the_attributes_of_a_prepared_data_set(tiny_data: TinyData) -> None:
    """Every event is of the offer that its values name, and of no other."""
    attributes = load_attributes(tiny_data.directory)
    assert list(attributes.by_name) == tiny_data.prepare.offer_features
    assert attributes.product.name == "product_id"
    for name, attribute in attributes.by_name.items():
        assert attribute.labels == tiny_data.labels(name)
        assert attribute.size == tiny_data.data.offer_sizes[name]
    brand = next(iter(value for value in attributes.by_name["brand"].labels if value))
    offer = offer_of_expression(f"brand = '{brand}' and category2 <> ''", attributes)
    wanted = [
        event.values["brand"] == brand and event.values["category2"] != "" for event in tiny_data.targets
    ]
    assert 0 < sum(wanted) < len(wanted)
    assert offer.matches(tiny_data.data.events).tolist() == wanted
