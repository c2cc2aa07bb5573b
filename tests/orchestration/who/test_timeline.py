"""Folding a person's interactions into lines."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration.who.timeline import lines

NOON = datetime.fromisoformat("2026-05-01 12:00:00")
COLUMNS = (
    "channel kind product_id order_id message_kind campaign_id flow_id"
    " value currency store_id detail"
)


def row(kind: str, minutes: int = 0, **more: Any) -> dict[str, Any]:
    """An interaction on the site, so many minutes after noon."""
    empty = dict.fromkeys(COLUMNS.split())
    base = {"kind": kind, "channel": "web", "occurred_at": NOON + timedelta(minutes=minutes)}
    return {**empty, **base, **more}


def told(*rows: dict[str, Any], **products: str) -> list[str]:
    """The words of the lines of rows that are given oldest first."""
    return [line.words for line in lines(rows[::-1], products)]


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([row("visit", detail='{"source": "email", "pages": 1}')], "visited (email, 1 page)"),
        ([row("visit"), row("visit", 50)], "visited 2 times"),
        ([row("product_viewed", product_id="p9")], "looked at p9"),
        ([row("product_viewed", detail='{"sku": "S1", "name": "Tea"}')], "looked at Tea"),
        ([row("product_viewed")], "looked at"),
        ([row("product_viewed", product_id="p1")] * 3, "looked at Blue mug"),
        ([row("products_searched", detail='{"query": "mug"}')], "searched “mug”"),
        ([row("products_searched", detail='{"query": null}')], "products searched"),
        ([row("checkout_started")], "checkout started"),
        ([row("nps", detail='{"score": 9}')], "nps"),
        (
            [row("order_placed", value=Decimal("1234.5"), currency="EUR")],
            "ordered for 1,234.50 EUR",
        ),
        ([row("order_returned", value=None)], "sent goods back"),
        ([row("message_sent", message_kind="thank_you")], "thank you: sent"),
        (
            [row("message_sent"), row("message_opened_by_machine")],
            "message: sent, opened by machine",
        ),
    ],
)
def test_a_line_says_what_happened(rows: list[dict[str, Any]], words: str) -> None:
    assert told(*rows, p1="Blue mug") == [words]


def test_days_channels_orders_and_messages_stay_apart() -> None:
    found = told(
        row("product_viewed", product_id="a"),
        row("order_placed", 1, order_id="1", value=Decimal(5), currency="GBP"),
        row("order_placed", 2, order_id="2", value=Decimal(6), currency="GBP"),
        row("message_sent", 3, channel="email", campaign_id="x"),
        row("message_sent", 4, channel="email", campaign_id="y"),
        row("product_viewed", 60 * 24, product_id="b"),
    )
    assert found == [
        "looked at b",
        "message (y): sent",
        "message (x): sent",
        "ordered for 6.00 GBP",
        "ordered for 5.00 GBP",
        "looked at a",
    ]


_ROWS = st.builds(
    row,
    st.sampled_from(
        ["visit", "product_viewed", "order_placed", "message_sent", "ötherEvent", "nps"]
    ),
    st.integers(0, 5000),
    product_id=st.none() | st.text(max_size=5),
    detail=st.none() | st.dictionaries(st.text(max_size=3), st.text(max_size=3)).map(json.dumps),
)


@given(st.lists(_ROWS, max_size=30))
def test_any_rows_become_no_more_lines_and_none_is_empty(rows: list[dict[str, Any]]) -> None:
    newest = sorted(rows, key=lambda each: each["occurred_at"], reverse=True)
    found = lines(newest, {})
    assert len(found) <= len(rows)
    assert bool(found) is bool(rows)
    assert all(line.words.strip() for line in found)
    assert found == sorted(found, key=lambda line: line.occurred_at, reverse=True)
