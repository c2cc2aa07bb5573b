"""The long run of a handmade shop: cohorts, what people cost, what they are worth, how content.

Belongs here: months, rates, costs and when they are paid back, what the base is worth, what more
retention would bring, stores. Does not belong here: what led to an order (test_attribution.py).
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pyarrow as pa
import pytest

from orchestration.home.layout import Home
from orchestration.science.parquet import write_tables
from tests.dbt.marts.shop import Row, Shop

AS_OF = dt.datetime(2026, 3, 31, 12)
MODELS = [
    *("fct_web_sessions", "fct_messages", "fct_spend", "fct_orders", "fct_touchpoints"),
    *("stg_science__channel_effects", "rpt_channel_effects", "fct_attribution"),
    *("rpt_cohorts", "rpt_cohort_spend", "rpt_acquisition"),
    *(
        "rfm_groups",
        "rfm_group_map",
        "fct_customer_rfm",
        "stg_science__customer_value",
        "fct_customer_clv",
    ),
    *("rpt_customer_equity", "rpt_retention_what_if"),
    *("bridge_customer_identifiers", "rpt_satisfaction", "rpt_stores"),
]
# What the science expects of each at the run: people of a cell are worth its mean
PREDICTED = {
    "cleo": 120, "finn": 60, "hugo": 90, "gwen": 50, "dora": 40, "emil": 60, "iris": 80,
    "ben": 5, "ada": 10, "karl": 10, "lena": 5,
}  # fmt: skip
ONCE, TWICE = (
    [f"{kind}_{number}" for number in range(count)] for kind, count in (("once", 60), ("twice", 40))
)


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
    add_years(shop)
    add_stores(shop)
    add_satisfaction(shop)
    shop.run(MODELS)
    return shop


def add_years(shop: Shop) -> None:
    """A hundred buyers of 2024, of whom forty came back; who is new, won back and waiting."""
    for name in ("gwen", "hugo", "iris", *ONCE, *TWICE):
        shop.person(name, day("2024-01-01"))
    for name in (*ONCE, *TWICE):
        bought(shop, name, "2024-06-10", "30", cost="20")
    for name in TWICE:
        bought(shop, name, "2025-06-10", "60", cost="30")
    for name, date in (
        ("gwen", "2026-03-20"), ("hugo", "2024-01-15"), ("hugo", "2026-03-15"),
        ("iris", "2025-12-20"), ("iris", "2026-02-20"),
    ):  # fmt: skip
        shop.order(name, day(date), "10")
    values = PREDICTED | dict.fromkeys(ONCE, 5) | dict.fromkeys(TWICE, 20)
    columns = ("predicted_clv_low", "predicted_clv_high", "margin_365d", "margin_null_reason")
    columns += ("probability_alive", "expected_orders_365d", "predicted_next_order_at")
    unsaid = dict.fromkeys(columns, None)
    rows = [
        {"customer_id": name, "as_of_date": AS_OF.date(), "predicted_clv_365d": value}
        | unsaid
        | {"null_reason": None}
        for name, value in values.items()
    ]
    write_tables(Home(shop.home), {"customer_value": pa.Table.from_pylist(rows)})


def add_stores(shop: Shop) -> None:
    """Before the cohorts that are looked at: two stores, a till without a name."""
    for name in ("jane", "karl", "lena"):
        shop.person(name, day("2023-01-01"))
    store = {"sales_channel": "store"}
    for name, net, fields in (
        ("jane", "10", store | {"store_id": "north"}), ("jane", "5", store | {"store_id": "south"}),
        ("karl", "20", {"sales_channel": "online", "store_id": "north"}),
        ("karl", "8", {"sales_channel": "online"}), ("lena", "3", store),
        (None, "7", store | {"store_id": "north"}),
        ("lena", "1", store | {"store_id": "south", "status": "cancelled", "is_kept": False}),
    ):  # fmt: skip
        shop.order(name, day("2023-01-10"), net, **fields)
    yen = {"store_id": "south", "net_sales_shop": None, "currency": "JPY"}
    shop.order("jane", day("2022-12-10"), "2", **store, **yen)
    shop.order("karl", day("2023-01-11"), "6", returns="4", sales_channel="online")


def add_satisfaction(shop: Shop) -> None:
    for kind, date, score in (
        ("review", "2023-02-10", "5"), ("review", "2023-02-11", "2"),
        ("review", "2023-02-12", None), ("complaint", "2023-02-12", None),
        ("nps", "2023-02-10", "10"), ("nps", "2023-02-10", "9"), ("nps", "2023-02-10", "8"),
        ("nps", "2023-02-10", "6"), ("review", "2026-04-10", "1"),
    ):  # fmt: skip
        shop.add(
            "int_feedback_resolved", feedback_key=shop.serial("feedback-"), customer_id="ada",
            kind=kind, score=score, occurred_at=day(date), source="feedback",
        )  # fmt: skip
    shop.identifier("ada", "loyalty_id", "member-1", day("2023-01-05"))
    shop.identifier("ben", "loyalty_id", "member-2", day("2023-04-05"))
    shop.identifier("ben", "loyalty_id", "member-3", day("2023-05-05"))


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


def equity(shop: Shop, date: str) -> Row:
    (row,) = shop.query(f"from marts.rpt_customer_equity where as_of_date = date '{date}'")
    return row


def test_what_the_whole_base_is_expected_to_bring_at_the_end_of_each_month(shop: Shop) -> None:
    """Of the run's date what is predicted; of the month before by the same prices. Jane, of whom an
    amount has no rate, counts as others do who bought as long ago and as often: 10."""
    today, before = equity(shop, "2026-03-31"), equity(shop, "2026-02-28")
    predicted = shop.query("select sum(predicted_clv_365d) as value from marts.fct_customer_clv")
    assert today["equity_value"] == predicted[0]["value"] + 10 == 1640
    assert (before["equity_value"], today["from_value"], today["change_value"]) == (1455, 1455, 185)
    assert (today["is_current"], before["is_current"]) == (True, False)


def test_what_moved_the_base_adds_up_to_the_change(shop: Shop) -> None:
    row = equity(shop, "2026-03-31")
    moved = {
        kind: (row[f"{kind}_count"], row[f"{kind}_value"])
        for kind in ("new", "kept", "won_back", "lost", "waiting")
    }
    assert moved["new"] == (1, 50)
    assert moved["kept"] == (2, 80)
    assert moved["won_back"] == (1, 85)
    assert moved["lost"] == (1, -10)
    assert moved["waiting"] == (107, -20)
    assert sum(value for _, value in moved.values()) == row["change_value"]


def test_a_date_of_people_like_nobody_today_has_no_equity_and_a_reason(shop: Shop) -> None:
    row = equity(shop, "2025-06-30")
    assert (row["equity_value"], row["null_reason"]) == (None, "nobody_alike_today")
    assert (row["change_value"], row["new_value"], row["buyer_count"]) == (None, None, 106)


def test_what_five_points_more_of_retention_bring_in_profit(shop: Shop) -> None:
    """Forty of a hundred came back, for 60 with a margin of 30 each: five more, in a year 150."""
    (row,) = shop.query("from marts.rpt_retention_what_if")
    assert (row["base_count"], row["kept_count"], row["retention_rate"]) == (100, 40, 0.4)
    assert (row["added_people"], row["added_net_sales"], row["added_margin"]) == (5, 300, 150)
    assert (row["lifetime_margin"], row["raised_lifetime_margin"]) == (50, Decimal("54.5455"))
    assert row["lifetime_growth_rate"] == pytest.approx(0.6 / 0.55 - 1)
    # The cost of what Ada bought that year is not known
    assert (row["added_margin_share"], row["null_reason"]) == (None, None)


def month(shop: Shop, first: str) -> Row:
    (row,) = shop.query(f"from marts.rpt_satisfaction where month = date '{first}'")
    return row


def test_satisfaction_of_a_month_stands_beside_its_revenue(shop: Shop) -> None:
    february = month(shop, "2023-02-01")
    assert (february["order_count"], february["net_sales"]) == (2, 150)
    assert (february["review_count"], february["mean_review_score"]) == (3, 3.5)
    assert (february["bad_review_count"], february["nps_answer_count"]) == (1, 4)
    assert february["nps_score"] == 25


def test_complaints_and_returns_have_their_rates(shop: Shop) -> None:
    """By orders, and by what net sales were before them; 0 in a month without."""
    january, february, april = (month(shop, f"2023-{number:02}-01") for number in (1, 2, 4))
    assert (february["complaint_count"], february["complaint_rate"]) == (1, 0.5)
    assert (april["complaint_count"], april["complaint_rate"]) == (0, 0)
    assert (january["returned_order_count"], january["returns"]) == (1, 4)
    assert january["return_rate"] == pytest.approx(4 / (59 + 4))
    assert (february["returns"], february["return_rate"]) == (0, 0)


def test_a_month_without_answers_has_no_score_and_what_comes_later_is_in_none(shop: Shop) -> None:
    april = month(shop, "2023-04-01")
    assert (april["review_count"], april["mean_review_score"]) == (0, None)
    assert (april["nps_answer_count"], april["nps_score"]) == (0, None)
    assert month(shop, "2022-12-01")["net_sales"] is None
    assert shop.query("select max(month) as last from marts.rpt_satisfaction") == [
        {"last": dt.date(2026, 3, 1)}
    ]


def test_the_loyalty_programme_has_a_subscription_rate(shop: Shop) -> None:
    """Ada joined before she bought, Ben after; nobody twice."""
    rates = [month(shop, f"2023-{number:02}-01") for number in (1, 2, 4)]
    assert [(row["member_count"], row["buyer_count"]) for row in rates] == [(0, 3), (1, 5), (2, 5)]
    assert rates[2]["loyalty_rate"] == 0.4


def test_each_store_has_its_sales_and_who_buys_in_several_or_online_as_well(shop: Shop) -> None:
    rows = {
        (row["sales_channel"], row["store_id"]): (
            row["order_count"], row["unknown_buyer_order_count"], row["buyer_count"],
            row["several_stores_count"], row["online_too_count"], row["net_sales"],
            row["unconverted_count"],
        )
        for row in shop.query("from marts.rpt_stores where sales_channel <> 'web'")
    }  # fmt: skip
    assert rows == {
        ("store", "north"): (3, 1, 2, 1, 1, 37, 0),
        ("store", "south"): (2, 0, 1, 1, 0, None, 1),
        ("store", None): (1, 0, 1, 0, 0, 3, 0),
        ("online", None): (2, 0, 1, 0, None, 14, 0),
    }
