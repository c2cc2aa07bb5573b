"""Cohorts and what new customers cost, on a handmade shop of four years.

Belongs here: months, rates, costs and when they are paid back. Does not belong here: what led to
an order (test_attribution.py).
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from tests.dbt.marts.shop import Row, Shop

AS_OF = dt.datetime(2026, 3, 31, 12)
MODELS = [
    *("fct_web_sessions", "fct_messages", "fct_spend", "fct_orders", "fct_touchpoints"),
    *("stg_science__channel_effects", "rpt_channel_effects", "fct_attribution"),
    *("rpt_cohorts", "rpt_cohort_spend", "rpt_acquisition"),
]


def day(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text) + dt.timedelta(hours=12)


def bought(shop: Shop, customer: str, date: str, net: str, cost: str) -> None:
    """An order of a thing whose cost is known."""
    shop.order(customer, day(date), net)
    margin = str(int(net) - int(cost))
    shop.rows["int_order_lines_resolved"][-1].update(cost_shop=cost, margin_shop=margin)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    shop = Shop(tmp_path_factory.mktemp("retention"), AS_OF)
    for name in ("ada", "ben", "cleo", "dora", "emil", "finn"):
        shop.person(name, day("2023-01-01"))
    shop.order("ada", day("2023-02-01"), "100")
    shop.order("ada", day("2023-04-30"), "50")
    shop.order("ada", day("2025-03-01"), "300")
    shop.order("ben", day("2023-02-28"), "50")
    shop.order("ben", day("2023-02-28"), "10", status="cancelled", is_kept=False)
    shop.visit("cleo", day("2026-01-10"), marketing_channel="paid_search")
    bought(shop, "cleo", "2026-01-31", "30", cost="10")
    bought(shop, "cleo", "2026-03-01", "90", cost="50")
    shop.visit("dora", day("2026-01-11"), marketing_channel="paid_search")
    bought(shop, "dora", "2026-01-12", "40", cost="30")
    shop.order("emil", day("2026-01-12"), "5")
    shop.visit("emil", day("2026-01-20"), marketing_channel="email")
    shop.order("emil", day("2026-01-21"), "5")
    shop.visit("finn", day("2026-02-10"), marketing_channel="affiliate")
    bought(shop, "finn", "2026-02-11", "10", cost="9")
    shop.order("finn", day("2026-03-02"), "15")
    for cost, date, channel in (
        ("35", "2026-01-05", "paid_search"), ("5", "2026-01-06", "paid_search"),
        ("9", "2026-02-06", "display"), ("4", "2026-01-02", "email"),
        ("20", "2026-02-02", "affiliate"),
    ):  # fmt: skip
        shop.add(
            "int_spend_resolved", spend_key=shop.serial("spend-"), spend_date=day(date).date(),
            marketing_channel=channel, cost=cost, currency="GBP", cost_shop=cost,
        )  # fmt: skip
    shop.run(MODELS)
    return shop


def cohort(shop: Shop, month: str, age: int) -> Row:
    (row,) = shop.query(
        f"from marts.rpt_cohorts where cohort_month = date '{month}' and age_months = {age}"
    )
    return row


def test_a_cohort_is_those_whose_first_kept_order_was_that_month(shop: Shop) -> None:
    first = cohort(shop, "2023-02-01", 0)
    assert (first["customer_count"], first["order_count"], first["net_sales"]) == (2, 2, 150)
    assert (first["retention_rate"], first["repeat_rate"]) == (1, 0)


def test_who_came_back_and_who_had_bought_twice_by_then(shop: Shop) -> None:
    second = cohort(shop, "2023-02-01", 2)
    assert (second["active_count"], second["retention_rate"], second["repeat_rate"]) == (
        1,
        0.5,
        0.5,
    )
    assert (second["net_sales"], second["cumulative_net_sales"]) == (50, 200)
    between = cohort(shop, "2023-02-01", 1)
    assert (between["active_count"], between["net_sales"], between["repeat_rate"]) == (0, 0, 0)


def test_the_month_of_the_run_is_not_complete(shop: Shop) -> None:
    rows = shop.query(
        "from marts.rpt_cohorts where cohort_month = date '2026-01-01' order by age_months"
    )
    complete = [(row["age_months"], row["is_complete"]) for row in rows]
    assert complete == [(0, True), (1, True), (2, False)]


def test_months_24_to_29_beside_the_first_six_where_both_are_over(shop: Shop) -> None:
    rows = {str(row["cohort_month"]): row for row in shop.query("from marts.rpt_cohort_spend")}
    old, young = rows["2023-02-01"], rows["2026-01-01"]
    assert (old["first_half_year_net_sales"], old["growth_rate"]) == (200, 1.5)
    assert (young["growth_rate"], young["null_reason"]) == (None, "younger_than_6_months")


def acquired(shop: Shop, month: str, channel: str) -> Row:
    (row,) = shop.query(
        f"from marts.rpt_acquisition where acquired_month = date '{month}'"
        f" and marketing_channel = '{channel}'"
    )
    return row


def test_what_a_new_customer_cost_and_when_they_had_paid_it_back(shop: Shop) -> None:
    search = acquired(shop, "2026-01-01", "paid_search")
    assert (search["new_customer_count"], search["new_customer_cost"]) == (2, 20)
    assert (search["net_sales"], search["margin"]) == (160, 70)
    assert (search["payback_months"], search["payback_basis"]) == (2, "margin")


def test_keeping_people_stands_beside_winning_them(shop: Shop) -> None:
    letter = acquired(shop, "2026-01-01", "email")
    assert (letter["new_customer_count"], letter["kept_customer_count"]) == (0, 1)
    assert (letter["new_customer_cost"], letter["kept_customer_cost"]) == (None, 4)


def test_a_cost_that_brought_nobody_and_people_without_a_cost_have_their_rows(shop: Shop) -> None:
    display = acquired(shop, "2026-02-01", "display")
    assert (display["cost"], display["new_customer_count"]) == (Decimal(9), 0)
    assert (display["payback_months"], display["payback_basis"]) == (None, None)
    alone = acquired(shop, "2026-01-01", "unattributed")
    assert (alone["new_customer_count"], alone["cost"], alone["payback_months"]) == (1, None, None)


def test_where_one_margin_is_not_known_net_sales_of_all_orders_pay_it_back(shop: Shop) -> None:
    affiliate = acquired(shop, "2026-02-01", "affiliate")
    assert (affiliate["net_sales"], affiliate["margin"]) == (25, None)
    assert (affiliate["payback_months"], affiliate["payback_basis"]) == (1, "net_sales")
