"""When somebody is reminded, of what, and when not of the same: replenishments on a handmade shop.

Belongs here: the tables that rest on the intervals. Does not belong here: finding an interval
(tests/orchestration/science/replenishment).
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pyarrow as pa
import pytest

from orchestration.home.layout import Home
from orchestration.science.parquet import write_tables
from tests.dbt.marts.shop import Row, Shop

AS_OF = dt.datetime(2026, 3, 31, 12)
TODAY = AS_OF.date()
MODELS = [
    *(
        "fct_orders",
        "fct_order_lines",
        "dim_products",
        "fct_order_codes",
        "dim_promotions",
        "occasions",
    ),
    *("stg_science__replenishment_intervals", "rpt_replenishment_intervals"),
    "fct_replenishments",
]
LIPSTICK, OTHER, TEA = "lipstick", "lipstick-2", "tea"


def ago(days: float) -> dt.datetime:
    return AS_OF - dt.timedelta(days=days)


def product(shop: Shop, product_id: str, category: str, brand: str, **more: object) -> None:
    shop.add(
        "int_products_unioned",
        product_id=product_id,
        product_name=product_id.title(),
        category=category,
        brand=brand,
        **more,
    )


def bought(shop: Shop, customer: str, product_id: str, at: dt.datetime, **line: object) -> None:
    shop.order(customer, at)
    shop.rows["int_order_lines_resolved"][-1].update(product_id=product_id, **line)


def feedback(shop: Shop, customer: str, kind: str, at: dt.datetime, **more: object) -> None:
    shop.add(
        "int_feedback_resolved",
        feedback_key=shop.serial("feedback-"),
        customer_id=customer,
        kind=kind,
        occurred_at=at,
        source="feedback",
        **more,
    )


def interval(product_id: str, days: int, day: dt.date = TODAY) -> Row:
    said = {"product_id": product_id, "as_of_date": day, "interval_days": days}
    nothing = dict.fromkeys(
        ("repeat_buyer_count", "comeback_count", "found_right_count", "declared_right_count"), 0
    )
    return said | nothing | {
        "basis": "declared", "found_days": None, "category_days": None,
        "declared_days": float(days), "null_reason": "too_few_repeat_buyers",
    }  # fmt: skip


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    shop = Shop(tmp_path_factory.mktemp("replenishments"), AS_OF)
    product(shop, LIPSTICK, "Lips", "Rouge")
    product(shop, OTHER, "Lips", "Verte", in_stock=True)
    product(shop, "lipstick-3", "Lips", "Bleue", in_stock=False)
    product(shop, TEA, "Tea", "Leaf", substitute_group="green tea")
    product(shop, "tea-2", "Tea", "Leaf", substitute_group="green tea")
    product(shop, "mug", "Kitchen", "Regular")
    for customer in (
        "plain",
        "reviewed",
        "pleased-again",
        "complained",
        "complained-later",
        "sent-back",
        "switched",
    ):
        shop.person(customer, ago(500))
    for customer in ("plain", "reviewed", "pleased-again", "complained"):
        bought(shop, customer, LIPSTICK, ago(335))
    feedback(shop, "reviewed", "review", ago(300), product_id=LIPSTICK, score="2")
    feedback(shop, "plain", "review", ago(300), product_id=LIPSTICK, score="3")
    feedback(shop, "pleased-again", "review", ago(300), product_id=LIPSTICK, score="1")
    bought(shop, "pleased-again", LIPSTICK, ago(200))
    feedback(shop, "complained", "complaint", ago(320))
    bought(shop, "complained", "mug", ago(10))
    bought(shop, "complained-later", LIPSTICK, ago(335))
    bought(shop, "complained-later", "mug", ago(10))
    feedback(shop, "complained-later", "complaint", ago(5))
    bought(shop, "sent-back", LIPSTICK, ago(100), returned_quantity="1")
    bought(shop, "switched", TEA, ago(30))
    bought(shop, "switched", "tea-2", ago(20))
    bought(shop, "plain", "mug", ago(5))
    offer = {"promotion_source": "promotions", "status": "live", "voucher_count": 0} | {
        "redeemed_count": 0, "starts_at": ago(3), "category": "Lips"
    }  # fmt: skip
    for name, percent, more in (
        ("spring", "25", {}), ("small", "5", {}), ("over", "50", {"ends_at": ago(1)}),
        ("theirs", "60", {"for_segment": "vip"}), ("tea", "70", {"category": "Tea"}),
    ):  # fmt: skip
        row = offer | {"promotion_code_id": name, "promotion_id": name, "percent_off": percent}
        shop.add("int_promotion_codes", **(row | more))
    rows = [interval(LIPSTICK, 365), interval(TEA, 30), interval("tea-2", 45)]
    write_tables(Home(shop.home), {"replenishment_intervals": pa.Table.from_pylist(rows)})
    shop.run(MODELS)
    return shop


def of(shop: Shop, customer: str) -> list[Row]:
    return shop.query(
        f"from marts.fct_replenishments where customer_id = '{customer}' order by product_id"
    )


def test_what_lasts_twelve_months_is_reminded_of_after_eleven(shop: Shop) -> None:
    (row,) = of(shop, "plain")
    assert (row["product_id"], row["interval_days"], row["basis"]) == (LIPSTICK, 365, "declared")
    assert row["due_at"] == ago(335) + dt.timedelta(days=365)
    assert row["remind_at"] == ago(335) + dt.timedelta(days=365 - 31)
    assert row["remind_at"] <= AS_OF < row["due_at"]
    assert (row["is_displeased"], row["displeased_by"], row["other_product_id"]) == (
        False, None, None
    )  # fmt: skip


def test_a_bad_review_leads_to_another_brand_and_the_offer_that_fits(shop: Shop) -> None:
    (row,) = of(shop, "reviewed")
    assert (row["is_displeased"], row["displeased_by"]) == (True, "bad_review")
    assert (row["other_product_id"], row["other_promotion_id"]) == (OTHER, "spring")


def test_who_bought_it_again_after_a_bad_review_is_pleased(shop: Shop) -> None:
    (row,) = of(shop, "pleased-again")
    assert (row["is_displeased"], row["purchase_count"]) == (False, 2)
    assert row["last_bought_at"] == ago(200)


def test_a_complaint_without_a_product_is_about_the_latest_order(shop: Shop) -> None:
    assert [row["displeased_by"] for row in of(shop, "complained")] == ["complaint"]
    assert [row["displeased_by"] for row in of(shop, "complained-later")] == [None]


def test_what_was_sent_back_displeased(shop: Shop) -> None:
    assert [row["displeased_by"] for row in of(shop, "sent-back")] == ["returned"]


def test_of_substitutes_the_one_bought_last_counts(shop: Shop) -> None:
    assert [(row["product_id"], row["purchase_count"]) for row in of(shop, "switched")] == [
        ("tea-2", 2)
    ]


def test_intervals_of_another_day_are_of_an_earlier_run(tmp_path: Path) -> None:
    shop = Shop(tmp_path / "home", AS_OF)
    product(shop, TEA, "Tea", "Leaf")
    shop.person("plain", ago(500))
    bought(shop, "plain", TEA, ago(30))
    old = interval(TEA, 30, TODAY - dt.timedelta(days=1))
    shop.home.mkdir(parents=True)
    write_tables(Home(shop.home), {"replenishment_intervals": pa.Table.from_pylist([old])})
    shop.run(MODELS)
    assert of(shop, "plain") == []
