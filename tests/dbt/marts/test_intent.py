"""Signals that may announce an order: what counts, until when, and what the science makes of it."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ingestion.config import Shop as Settings
from orchestration.home.layout import Home
from orchestration.science.intent.files import FILES, write_intent
from orchestration.science.parquet import write_tables
from tests.dbt.marts.shop import Shop

AS_OF = dt.datetime(2026, 6, 20, 12)
TODAY = AS_OF.date()
MODELS = [
    "path:models/staging/science",
    *(
        "fct_orders",
        "fct_order_lines",
        "fct_web_sessions",
        "dim_products",
        "fct_customer_journey_stages",
    ),
    *("int_interactions_messages", "int_interactions_facts", "fct_interactions"),
    *("occasions", "int_search_categories", "path:models/intermediate/intent", "shop_rhythm"),
    *("fct_customer_intent", "rpt_prediction_backtests"),
]


def at(day: int, hour: int = 10) -> dt.datetime:
    return dt.datetime(2026, 6, day, hour)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """Visitors who look, come back, search, click, put in the cart, and buy in between."""
    shop = Shop(tmp_path_factory.mktemp("intent"), AS_OF)
    for name in ("looker", "buyer", "clicker", "long_ago", "searcher"):
        shop.person(name, dt.datetime(2026, 1, 5))
    shop.person("nameless", dt.datetime(2026, 6, 1), known=False)
    shop.event("looker", "Product Viewed", at(10))
    shop.event("looker", "Product Viewed", at(17))
    shop.event("nameless", "Product Added", at(19))
    shop.event("buyer", "Product Added", at(18, 9))
    shop.order("buyer", at(18, 10))
    shop.event("buyer", "Product Viewed", at(18, 11))
    shop.event("buyer", "Product Added", at(12))
    shop.message("clicker", at(15), clicked_at=at(16), opened_at=at(16))
    shop.message("looker", at(15), machine_clicked_at=at(15))
    shop.event("long_ago", "Product Added", dt.datetime(2026, 4, 20, 10))
    shop.interaction(
        "searcher", "products_searched", at(19), key="s1", detail='{"query":"blue mug"}'
    )
    shop.add("int_products_unioned", product_id="mug", product_name="Blue mug", category="Kitchen")
    shop.run(MODELS)
    return shop


def current(shop: Shop) -> dict[str, dict[str, Any]]:
    """Rows of the run's date by person."""
    rows = shop.query("select * from marts.fct_customer_intent where is_current")
    return {row["customer_id"]: row for row in rows}


def test_whoever_shows_signals_has_a_row_anonymous_people_too(shop: Shop) -> None:
    assert sorted(current(shop)) == ["buyer", "clicker", "looker", "nameless", "searcher"]


def test_the_evidence_stands_whether_or_not_there_is_a_number(shop: Shop) -> None:
    rows = current(shop)
    assert {row["intent"] for row in rows.values()} == {None}
    assert {row["null_reason"] for row in rows.values()} == {"no_fitted_model"}
    evidence = {
        name: (row["signal"], row["signal_product_id"], row["signal_category"], row["signal_at"])
        for name, row in rows.items()
    }
    assert evidence == {
        "looker": ("returned_to", "mug", "Kitchen", at(17)),
        "nameless": ("carted", "mug", "Kitchen", at(19)),
        "buyer": ("viewed", "mug", "Kitchen", at(18, 11)),
        "clicker": ("clicked", None, None, at(16)),
        "searcher": ("searched", None, "Kitchen", at(19)),
    }
    reason = "Came back to a product on 2026-06-17; no order since."
    assert rows["looker"]["reason"] == reason


def test_an_order_answers_what_came_before_it(shop: Shop) -> None:
    """Also of the same day; what came after it on that day counts."""
    row = current(shop)["buyer"]
    assert (row["cart_count"], row["product_view_count"]) == (0, 1)
    earlier = shop.query(
        "select cart_count from marts.fct_customer_intent"
        " where customer_id = 'buyer' and as_of_date = date '2026-06-12'"
    )
    assert earlier == [{"cart_count": 1}]


def test_a_machines_click_and_an_open_are_no_signals(shop: Shop) -> None:
    assert current(shop)["looker"]["click_count"] == 0
    assert current(shop)["clicker"]["click_count"] == 1


def test_signals_halve_and_end(shop: Shop) -> None:
    """Three days later a view is worth 0.5 ** (3 / 7), ten days later 0.5 ** (10 / 7)."""
    (row,) = shop.query(
        "select viewed_weight, returned_to_weight from intermediate.int_intent_features"
        " where customer_id = 'looker' and as_of_date = date '2026-06-20'"
    )
    assert float(row["viewed_weight"]) == pytest.approx(0.5 ** (3 / 7) + 0.5 ** (10 / 7), abs=1e-8)
    assert float(row["returned_to_weight"]) == pytest.approx(0.5 ** (3 / 7), abs=1e-8)
    dates = shop.query(
        "select as_of_date from marts.fct_customer_intent where customer_id = 'long_ago' order by 1"
    )
    assert [row["as_of_date"] for row in dates] == [dt.date(2026, 4, 20), dt.date(2026, 4, 30)]


def test_a_shop_of_six_people_gets_a_reason_and_no_number(shop: Shop) -> None:
    home = Home(Path(shop.home))
    verdict = write_intent(home, AS_OF, Settings())
    assert verdict == {
        "people": 6,
        "intent": "withheld: too_few_signals",
        "next_stage": "withheld: too_few_signals",
    }
    shop.run(["path:models/staging/science", "fct_customer_intent", "rpt_prediction_backtests"])
    rows = shop.query("select * from marts.fct_customer_intent")
    assert {(row["intent"], row["null_reason"]) for row in rows} == {(None, "too_few_signals")}
    tests = shop.query("select * from marts.rpt_prediction_backtests")
    assert {row["target"]: row["null_reason"] for row in tests} == {
        "intent": "too_few_signals",
        "next_stage": "too_few_signals",
    }
    first = [(home.science / f"{name}.parquet").read_bytes() for name in FILES]
    write_intent(home, AS_OF, Settings())
    assert [(home.science / f"{name}.parquet").read_bytes() for name in FILES] == first


def test_a_chance_of_the_day_stands_with_its_calibration(shop: Shop) -> None:
    home = Home(Path(shop.home))
    write_intent(home, AS_OF, Settings())
    table = pq.read_table(home.science / "customer_intent.parquet")
    proven = {"intent": 0.25, "alike_share": 0.2, "alike_people": 40.0, "null_reason": None}
    lines = [row | proven for row in table.to_pylist()]
    stale = [row | {"computed_on": TODAY - dt.timedelta(1)} for row in lines[:1]]
    written = pa.Table.from_pylist(stale + lines[1:], schema=table.schema)
    write_tables(home, {"customer_intent": written})
    shop.run(["path:models/staging/science", "fct_customer_intent"])
    rows = shop.query("select * from marts.fct_customer_intent order by customer_id, as_of_date")
    assert {(row["intent"], row["alike_share"], row["alike_people"]) for row in rows} == {
        (0.25, 0.2, 40),
        (None, None, None),
    }
    assert [row["null_reason"] for row in rows].count("no_fitted_model") == 1
    scored = [row["customer_id"] for row in rows if row["intent"] is not None]
    assert scored.count("buyer") > 1, "a score over time is one of each day"
