"""Google Analytics 4's BigQuery export: its events in Segment's words."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tests.exports.conftest import SAMPLES, ExportShop

SAMPLE = "ga4_events.jsonl"
EVENTS = """
select type, event, anonymous_id, user_id, occurred_at from raw_web.events order by occurred_at
"""
EXPECTED = [
    ("page", None, "123.456", None, datetime(2025, 9, 1, 8, 0, 0, 123456)),
    ("track", "Product Viewed", "123.456", None, datetime(2025, 9, 1, 8, 1)),
    ("track", "Order Completed", "123.456", "u-9", datetime(2025, 9, 1, 8, 1, 40)),
    ("track", "Products Searched", "789.000", None, datetime(2025, 9, 1, 8, 1, 50)),
]


def test_events_have_the_names_of_the_spec_and_those_of_every_visit_are_left_out(
    exports: ExportShop,
) -> None:
    exports.put(SAMPLE)
    count = exports.run("web")["web.events"]
    assert (count.loaded, count.quarantined) == (4, 0)
    assert exports.raw(EVENTS) == EXPECTED


def test_what_an_event_says(exports: ExportShop) -> None:
    exports.put(SAMPLE)
    exports.run("web")
    rows = exports.raw("select properties, context from raw_web.events order by occurred_at")
    properties = [json.loads(row[0]) for row in rows]
    assert properties[1] == {
        "product_id": "TEA-1",
        "name": "Tea set",
        "brand": "Leaf & Co",
        "category": "Tableware",
        "price": "30.0",
        "quantity": "1",
    }
    assert properties[2]["order_id"] == "#1001"
    assert properties[3] == {"query": "assam"}
    context = json.loads(rows[0][1])
    assert context["page"] == {
        "url": "https://shop.example/tea?utm_source=news",
        "referrer": "https://search.example/",
    }
    assert context["campaign"] == {"source": "news", "medium": "email", "name": "autumn"}
    assert context["device"] == {"type": "mobile"}
    assert context["consent"] == {"categoryPreferences": {"advertising": False}}
    assert "consent" not in json.loads(rows[1][1])


def test_parquet_says_the_same(exports: ExportShop) -> None:
    rows = [json.loads(line) for line in (SAMPLES / SAMPLE).read_text("utf-8").splitlines()]
    keys = dict.fromkeys(key for row in rows for key in row)
    target = exports.write("ga4/events.parquet", b"")
    pq.write_table(
        pa.Table.from_pylist([{key: row.get(key) for key in keys} for row in rows]), Path(target)
    )
    exports.run("web")
    assert exports.raw(EVENTS) == EXPECTED


def test_a_line_that_is_no_document_is_put_aside_as_it_is(exports: ExportShop) -> None:
    exports.put(SAMPLE)
    broken = '{"event_date":"20250901","event_name":"page_view","user_ps'
    text = (SAMPLES / SAMPLE).read_text("utf-8")
    exports.write("exports/again.jsonl", text + broken + "\n")
    count = exports.run("web")["web.events"]
    assert (count.loaded, count.quarantined, count.duplicate) == (4, 1, 4)
    assert exports.raw("select file, line, reason, raw_text from raw_web.quarantine") == [
        ("exports/again.jsonl", 6, "bad_json", broken)
    ]
