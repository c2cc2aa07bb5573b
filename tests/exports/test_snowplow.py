"""Snowplow's enriched events, with a header and without: its events in Segment's words."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from ingestion.config import Settings, Shop
from ingestion.files.recognised.registry import EXPORTS
from tests.exports.conftest import SAMPLES, ExportShop

SAMPLE = "snowplow_enriched.tsv"
EVENTS = """
select type, event, anonymous_id, user_id, occurred_at::time::varchar from raw_web.events
order by occurred_at
"""
EXPECTED = [
    ("page", None, "d-1", None, "08:00:00.123"),
    ("track", "Product Viewed", "d-1", None, "08:02:00.123"),
    ("track", "Product Added", "d-1", None, "08:03:00.123"),
    ("track", "Checkout Started", "d-1", None, "08:04:00.123"),
    ("track", "Checkout Step Viewed", "d-1", None, "08:05:00.123"),
    ("track", "Order Completed", "d-1", "u-9", "08:06:00.123"),
    ("track", "video play", "d-1", None, "08:07:00.123"),
    ("track", "Product Added", "d-1", None, "08:08:00.123"),
    ("track", "Products Searched", "d-1", None, "08:09:00.123"),
    # Without a cookie of the shop's own it is the collector's
    ("track", "Product Added", "n-2", None, "08:10:00.123"),
    ("track", "Order Completed", "d-2", None, "08:11:00.123"),
    ("track", "consent_preferences", "d-2", None, "08:13:00.123"),
    ("screen", None, "m-3", None, "08:14:00.123"),
    # Whose time nobody derived: the device's own, an hour ahead as its clock is
    ("page", None, "d-1", None, "09:15:00.123"),
]


def _documents(exports: ExportShop, column: str) -> dict[str, Any]:
    """A column's documents by the minute of their event."""
    found = exports.raw(f"select strftime(received_at, '%M'), {column} from raw_web.events")
    return {minute: json.loads(text) if text else None for minute, text in found}


def test_events_have_the_names_of_the_spec_and_what_says_nothing_is_left_out(
    exports: ExportShop,
) -> None:
    """No pings, no items of an order, nothing of what was typed into a form."""
    exports.put(SAMPLE)
    count = exports.run("web")["web.events"]
    assert (count.loaded, count.quarantined) == (14, 0)
    assert exports.raw(EVENTS) == EXPECTED


def test_a_file_with_a_header_says_the_same_and_so_does_another_order(exports: ExportShop) -> None:
    names = EXPORTS["snowplow_enriched"].places
    lines = (SAMPLES / SAMPLE).read_text("utf-8").splitlines()
    # Read as CSV, a value that holds a quote has to be quoted
    rows = [line.split("\t")[::-1] for line in lines]
    quoted = ["\t".join('"' + value.replace('"', '""') + '"' for value in row) for row in rows]
    exports.write("web/events.tsv", "\n".join(["\t".join(names[::-1]), *quoted]))
    assert exports.run("web")["web.events"].loaded == 14
    assert exports.raw(EVENTS) == EXPECTED


def test_products_carts_orders_and_searches_are_read_from_their_schemas(
    exports: ExportShop,
) -> None:
    exports.put(SAMPLE)
    exports.run("web")
    said = _documents(exports, "properties")
    tea = {
        "product_id": "TEA-1",
        "name": "Tea set",
        "brand": "Leaf & Co",
        "category": "Tableware",
        "variant": "green",
        "price": "30.5",
    }
    assert said["02"] == tea
    assert said["03"] == tea | {"cart_id": "c-77"}, "the first product stands for the event"
    assert said["04"] == {"cart_id": "c-77"}
    assert said["06"] == tea | {"order_id": "#1001"}
    assert said["07"] is None
    assert said["09"] == {"query": "assam tea", "results": "4"}
    assert said["10"] == {
        "product_id": "CUP-2",
        "sku": "CUP-2",
        "name": "Cup",
        "category": "Tableware",
        "price": "8",
        "quantity": "2",
    }
    assert said["11"] == {"order_id": "#1002"}


def test_where_it_came_from_is_kept_and_no_address_of_a_computer(exports: ExportShop) -> None:
    exports.put(SAMPLE)
    exports.run("web")
    said = _documents(exports, "context")
    assert said["00"] == {
        "page": {
            "url": "https://shop.example/tea?utm_source=news",
            "referrer": "https://search.example/",
        },
        "campaign": {"source": "news", "medium": "email", "name": "autumn"},
        "userAgent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/142.0",
        "device": {"type": "desktop"},
        "location": {"country": "GB", "city": "Leeds"},
    }
    assert said["06"]["traits"] == {"email": "ann@example.com"}
    assert said["14"]["touchpoint"] == "app"
    assert said["13"]["consent"] == {"categoryPreferences": {"advertising": False}}
    assert [minute for minute, each in said.items() if "consent" in each] == ["13"]
    whole = str(exports.raw("from raw_web.events"))
    assert [word for word in ("203.0.113", "53.8", "LS1", "bo@example") if word in whole] == []


def test_a_line_that_was_cut_off_is_put_aside_with_its_number(exports: ExportShop) -> None:
    text = (SAMPLES / SAMPLE).read_text("utf-8")
    exports.write("web/events.tsv", text + "shop\tweb\t2025-09-01 08:20:00.000\n")
    count = exports.run("web")["web.events"]
    assert (count.loaded, count.quarantined) == (14, 1)
    assert exports.raw("select line, reason from raw_web.quarantine") == [(18, "bad_csv_line")]


def test_times_are_utc_whatever_the_shops_zone_is(exports: ExportShop) -> None:
    exports.settings = Settings(shop=Shop(timezone="America/New_York"))
    exports.put(SAMPLE)
    exports.run("web")
    assert exports.raw("select min(occurred_at) from raw_web.events") == [
        (datetime(2025, 9, 1, 8, 0, 0, 123000),)
    ]
