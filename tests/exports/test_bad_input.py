"""Exports as they are spoilt on their way: encodings, spreadsheets, doubled columns, odd values."""

from __future__ import annotations

import gzip
from typing import Any

import pytest
import zstandard

from tests.exports.conftest import SAMPLES, ExportShop

pytestmark = pytest.mark.faults

SAMPLE = "shopify_orders_export.csv"
LINES = (
    "select order_id, product_name, line_amount, email from raw_orders.order_lines order by _line"
)


def _text() -> str:
    return (SAMPLES / SAMPLE).read_text("utf-8")


def _read(shop: ExportShop, place: str, content: str | bytes) -> list[tuple[Any, ...]]:
    shop.write(place, content)
    count = shop.run("orders")["orders.order_lines"]
    assert (count.loaded, count.quarantined) == (11, 0)
    return shop.raw(LINES)


@pytest.fixture
def plain(tmp_path_factory: pytest.TempPathFactory, exports: ExportShop) -> list[tuple[Any, ...]]:
    """The lines of the export as it was written."""
    shop = ExportShop(tmp_path_factory.mktemp("plain"), exports.settings)
    return _read(shop, "a.csv", _text())


@pytest.mark.parametrize(
    ("place", "content"),
    [
        ("a.csv", _text().encode("utf-8-sig")),
        ("a.csv", _text().replace("\n", "\r\n").encode()),
        ("a.csv", "sep=,\n" + _text()),
        ("a.csv.gz", gzip.compress(_text().encode())),
        ("a.csv.zst", zstandard.compress(_text().encode())),
    ],
    ids=["byte order mark", "Windows lines", "sep line", "gzip", "zstd"],
)
def test_the_same_export_in_another_form_says_the_same(
    exports: ExportShop, plain: list[tuple[Any, ...]], place: str, content: str | bytes
) -> None:
    assert _read(exports, place, content) == plain


def test_excels_unicode_text_says_the_same(
    exports: ExportShop, plain: list[tuple[Any, ...]]
) -> None:
    text = _text().replace('"Mug, blue"', "Mug; blue").replace(",", "\t").replace("Mug;", "Mug,")
    assert _read(exports, "a.csv", text.encode("utf-16")) == plain


def test_latin_1_is_read_and_counted(exports: ExportShop) -> None:
    text = _text().replace("Tea set", "Théière")
    exports.write("a.csv", text.encode("latin-1"))
    count = exports.run("orders")["orders.order_lines"]
    assert count.quarantined == 0
    assert count.remarks() == ["1 row was not UTF-8 and was read as Windows-1252"]
    assert ("Théière",) in exports.raw("select product_name from raw_orders.order_lines")


def test_a_column_that_stands_twice_counts_once(
    exports: ExportShop, plain: list[tuple[Any, ...]]
) -> None:
    header, *rows = _text().splitlines()
    doubled = "\n".join([f"Email,{header}", *(f",{row}" for row in rows)])
    assert _read(exports, "a.csv", doubled) == plain


def test_money_behind_a_sign_is_money(exports: ExportShop, plain: list[tuple[Any, ...]]) -> None:
    text = _text().replace(",30.00,,TEA-1", ",£30.00,,TEA-1").replace(",90.00,", ",£90.00,")
    assert text.count("£") == 2
    assert _read(exports, "a.csv", text) == plain


def test_a_price_that_is_none_costs_its_own_row_only(exports: ExportShop) -> None:
    exports.write("a.csv", _text().replace(",50.00,,POT-1", ",fifty,,POT-1"))
    count = exports.run("orders")["orders.order_lines"]
    assert (count.loaded, count.quarantined) == (10, 1)
    assert exports.raw("select line, reason, field from raw_orders.quarantine") == [
        (4, "missing_value", "unit_price")
    ]


def test_a_date_of_zeros_cancels_nothing_and_one_that_is_none_holds_its_row_back(
    exports: ExportShop,
) -> None:
    cancelled = "2025-09-03 12:00:00 +0100"
    exports.write("a.csv", _text().replace(cancelled, "0000-00-00 00:00:00"))
    exports.write("b.csv", _text().replace(cancelled, "yesterday").replace("#100", "#200")
                  .replace("55500000010", "55500000020"))  # fmt: skip
    count = exports.run("orders")["orders.order_lines"]
    assert count.quarantined == 1
    assert exports.raw(
        "select cancelled_at from raw_orders.order_lines where order_id = '5550000001003'"
    ) == [(None,)]
    assert exports.raw("select file, reason, field from raw_orders.quarantine") == [
        ("b.csv", "wrong_type", "cancelled_at")
    ]


def test_a_line_that_is_cut_short_is_put_aside_with_its_line(exports: ExportShop) -> None:
    lines = _text().splitlines()
    exports.write("a.csv", "\n".join([*lines[:-1], lines[-1][:80]]))
    exports.run("orders")
    assert exports.raw("select line, reason from raw_orders.quarantine") == [
        (len(lines), "bad_csv_line")
    ]


def test_an_order_without_a_subtotal_has_no_discount(exports: ExportShop) -> None:
    exports.write("a.csv", _text().replace(",90.00,4.95,", ",,4.95,"))
    exports.run("orders")
    assert (
        exports.raw(
            "select sum(discount) from raw_orders.order_lines where order_id = '5550000001001'"
        )[0][0]
        == 0
    )
