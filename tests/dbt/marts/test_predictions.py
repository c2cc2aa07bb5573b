"""What marts make of the science's files and of buyers' value: predictions, tiers, reasons."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from orchestration.home.layout import Home
from orchestration.science.parquet import write_tables
from tests.dbt.marts.shop import Shop

AS_OF = dt.datetime(2026, 6, 20, 12)
TODAY = AS_OF.date()
MODELS = [
    "path:models/staging/science",
    *("fct_orders", "rfm_groups", "rfm_group_map", "fct_customer_rfm", "fct_customer_clv"),
    *("fct_customer_predictions", "rpt_clv_rfm", "rpt_prediction_backtests"),
    *("fct_web_sessions", "int_interactions_messages", "int_interactions_facts"),
    *("fct_messages", "fct_customer_rfm_engagement"),
    *("rpt_rfm_transitions", "rpt_engagement_opportunities"),
]


def predicted(customer: str, **more: Any) -> dict[str, Any]:
    """A line of the science's file, with everything proven."""
    return {
        "customer_id": customer,
        "as_of_date": TODAY,
        "churn_risk": 0.25,
        "low": 0.2,
        "high": 0.3,
        "buys_in_7d": 0.1,
        "buys_in_30d": 0.3,
        "buys_in_90d": 0.5,
        "model": "bg_nbd",
        "null_reason": None,
    } | more


def worth(customer: str, **more: Any) -> dict[str, Any]:
    """A line of the science's file on value; without spend, which would change the tiers here."""
    return {
        "customer_id": customer,
        "as_of_date": TODAY,
        "predicted_clv_365d": None,
        "predicted_clv_low": None,
        "predicted_clv_high": None,
        "margin_365d": 40.0,
        "probability_alive": 0.8,
        "expected_orders_365d": 2.0,
        "predicted_next_order_at": AS_OF,
        "null_reason": "interval_misses",
        "margin_null_reason": None,
    } | more


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """Twenty buyers who spent 10, 20 .. 200; one of them without a rate, one without a category."""
    shop = Shop(tmp_path_factory.mktemp("predictions"), AS_OF)
    for number in range(1, 21):
        customer = shop.person(f"p{number:02}", dt.datetime(2026, 1, 5))
        shop.order(customer, dt.datetime(2026, 3, number), net=str(number * 10))
    shop.person("foreign", dt.datetime(2026, 1, 5))
    shop.order("foreign", dt.datetime(2026, 3, 3), net="10", net_sales_shop=None, currency="JPY")
    shop.order("p01", dt.datetime(2026, 6, 10), net="5")
    shop.visit("p02", dt.datetime(2026, 6, 1))
    shop.visit("p03", dt.datetime(2026, 6, 1), last_cart_at=dt.datetime(2026, 6, 1, 0, 2))
    shop.visit("p04", dt.datetime(2026, 6, 1), is_bot=True)
    shop.visit("p05", dt.datetime(2026, 1, 6))
    shop.message("p06", dt.datetime(2026, 6, 1), opened_at=dt.datetime(2026, 6, 1, 1))
    shop.message("p07", dt.datetime(2026, 6, 1), clicked_at=dt.datetime(2026, 6, 1, 1))
    home = Home(Path(shop.home))
    category = {"as_of_date": TODAY, "next_category": "Kitchen", "model": "own_last"}
    write_tables(
        home,
        {
            "customer_predictions": pa.Table.from_pylist(
                [
                    *(predicted(f"p{number:02}") for number in range(1, 20)),
                    # left by a run of another day
                    predicted("p20", as_of_date=TODAY - dt.timedelta(1)),
                ]
            ),
            "customer_value": pa.Table.from_pylist(
                [
                    worth("p07"),
                    worth("p08", margin_365d=None, margin_null_reason="unknown_cost"),
                    worth("foreign"),
                ]
            ),
            "next_category": pa.Table.from_pylist(
                [
                    category | {"customer_id": f"p{number:02}", "null_reason": None}
                    for number in range(2, 21)
                ]
            ),
        },
    )
    shop.run(MODELS)
    return shop


def rows(shop: Shop, where: str) -> list[dict[str, Any]]:
    """Predictions of some people."""
    return shop.query(f"select * from marts.fct_customer_predictions where {where}")


def test_a_prediction_of_the_day_stands_with_its_model(shop: Shop) -> None:
    (row,) = rows(shop, "customer_id = 'p07' and is_current")
    assert (row["low"], row["churn_risk"], row["high"]) == (0.2, 0.25, 0.3)
    assert (row["buys_in_7d"], row["buys_in_30d"], row["buys_in_90d"]) == (0.1, 0.3, 0.5)
    assert (row["model"], row["null_reason"]) == ("bg_nbd", None)
    assert (row["next_category"], row["next_category_model"]) == ("Kitchen", "own_last")


@pytest.mark.parametrize(
    ("customer", "reason"), [("p20", "no_fitted_model"), ("foreign", "missing_rate")]
)
def test_whoever_has_none_has_a_reason(shop: Shop, customer: str, reason: str) -> None:
    (row,) = rows(shop, f"customer_id = '{customer}' and is_current")
    assert row["churn_risk"] is None
    assert row["null_reason"] == reason


def test_a_margin_stands_beside_the_spend_or_has_its_own_reason(shop: Shop) -> None:
    values = {
        (row["customer_id"], row["as_of_date"]): (
            row["predicted_clv_365d"],
            row["null_reason"],
            row["margin_365d"],
            row["margin_null_reason"],
        )
        for row in shop.query("select * from marts.fct_customer_clv")
    }
    assert values["p07", TODAY] == (None, "interval_misses", 40, None)
    assert values["p08", TODAY] == (None, "interval_misses", None, "unknown_cost")
    assert values["p09", TODAY] == (None, "no_fitted_model", None, "no_fitted_model")
    assert values["foreign", TODAY] == (None, "missing_rate", None, "missing_rate")
    assert values["p07", dt.date(2026, 3, 31)] == (None, "past_date", None, "past_date")


def test_whoever_bought_nothing_with_a_category_has_that_reason(shop: Shop) -> None:
    (row,) = rows(shop, "customer_id = 'p01' and is_current")
    assert (row["next_category"], row["next_category_null_reason"]) == (None, "no_category")


def test_a_month_end_has_the_tier_of_then_and_no_prediction(shop: Shop) -> None:
    (row,) = rows(shop, "customer_id = 'p20' and as_of_date = date '2026-03-31'")
    assert (row["clv_tier"], row["clv_tier_basis"]) == ("top", "historic")
    assert (row["churn_risk"], row["null_reason"]) == (None, "past_date")
    assert not rows(shop, "as_of_date < date '2026-03-01'")


def test_tiers_are_cut_at_half_a_fifth_and_a_twentieth(shop: Shop) -> None:
    tiers = {row["customer_id"]: row["clv_tier"] for row in rows(shop, "is_current")}
    assert [c for c, tier in tiers.items() if tier == "top"] == ["p20"]
    assert sorted(c for c, tier in tiers.items() if tier == "high") == ["p17", "p18", "p19"]
    assert sum(tier == "middle" for tier in tiers.values()) == 6
    assert sum(tier == "low" for tier in tiers.values()) == 10
    assert tiers["foreign"] is None


def test_tiers_are_crossed_with_groups_and_lose_nobody(shop: Shop) -> None:
    crossed = shop.query("select * from marts.rpt_clv_rfm where is_current")
    assert sum(row["customer_count"] for row in crossed) == 21
    assert sum(row["historic_clv"] or 0 for row in crossed) == 2105
    top = [row for row in crossed if row["clv_tier"] == "top"]
    assert [(row["customer_count"], row["historic_clv"]) for row in top] == [(1, 200)]
    unknown = [row for row in crossed if row["clv_tier"] == "unknown"]
    assert [row["customer_count"] for row in unknown] == [1]


def test_who_moved_where_counts_every_buyer_once_a_month(shop: Shop) -> None:
    moves = shop.query("select * from marts.rpt_rfm_transitions")
    people = {
        row["as_of_date"]: row["n"]
        for row in shop.query(
            "select as_of_date, count(*) as n from marts.fct_customer_rfm group by as_of_date"
        )
    }
    for date, count in people.items():
        assert sum(row["customer_count"] for row in moves if row["to_date"] == date) == count
    march = [row for row in moves if row["to_date"] == dt.date(2026, 3, 31)]
    assert {row["from_segment"] for row in march} == {"prospects"}
    now = [row for row in moves if row["is_current"]]
    assert {row["from_date"] for row in now} == {dt.date(2026, 5, 31)}
    (first,) = shop.query(
        "select earlier.rfm_segment as before, later.rfm_segment as after"
        " from marts.fct_customer_rfm as earlier join marts.fct_customer_rfm as later"
        " using (customer_id) where customer_id = 'p01'"
        " and earlier.as_of_date = date '2026-05-31' and later.is_current"
    )
    assert first["before"] != first["after"]
    assert any(
        (row["from_segment"], row["to_segment"]) == (first["before"], first["after"]) for row in now
    )


def test_engagement_is_visits_carts_and_clicks_and_never_opens(shop: Shop) -> None:
    levels = {
        row["customer_id"]: row["engagement"]
        for row in shop.query("select * from marts.fct_customer_rfm_engagement")
    }
    assert [levels[f"p0{n}"] for n in range(2, 8)] == [
        *("visited", "carted", "quiet", "quiet", "quiet", "visited"),
    ]
    cells = shop.query("select * from marts.rpt_engagement_opportunities")
    assert sum(row["customer_count"] for row in cells) == 21
    assert sum(row["opening_customer_count"] for row in cells) == 1
    quiet = {row["opportunity"] for row in cells if row["engagement"] == "quiet"}
    assert quiet <= {"reach_out", None}


def test_a_shop_may_fix_its_own_cuts_and_have_fewer_scores(shop: Shop) -> None:
    shop.run(["fct_customer_rfm"], {"rfm_buckets": 3, "rfm_fixed_cuts": {"m": [50, 150]}})
    current = {
        row["customer_id"]: row
        for row in shop.query("select * from marts.fct_customer_rfm where is_current")
    }
    assert [current[f"p{n:02}"]["m_score"] for n in (2, 5, 6, 15, 16)] == [1, 1, 2, 2, 3]
    # The lowest score is the lowest step of the map, the highest the highest.
    assert (current["p02"]["rfm_score"], current["p02"]["rfm_segment"]) == ("111", "dormant")
    assert (current["p20"]["rfm_score"], current["p20"]["rfm_segment"]) == ("313", "active")


def test_a_shop_may_move_cells_to_other_groups(shop: Shop) -> None:
    with shop.writer() as connection:
        connection.execute(
            "update seeds.rfm_group_map set rfm_segment = 'dormant'"
            " where rfm_segment = 'almost_lost'"
        )
    shop.run(["fct_customer_rfm"])
    groups = shop.query(
        "select distinct rfm_segment from marts.fct_customer_rfm"
        " where r_score = 2 and f_score + m_score <= 4"
    )
    assert groups == [{"rfm_segment": "dormant"}]


def test_a_shop_may_name_groups_as_it_likes(shop: Shop) -> None:
    """Whoever was an opportunity stays one under the shop's own names."""
    before = shop.query(
        "select customer_id, opportunity from marts.fct_customer_rfm_engagement order by 1"
    )
    with shop.writer() as connection:
        for seed in ("rfm_group_map", "rfm_groups"):
            connection.execute(f"update seeds.{seed} set rfm_segment = 'our_' || rfm_segment")
    shop.run(["fct_customer_rfm", "fct_customer_rfm_engagement", "rpt_engagement_opportunities"])
    for table in ("fct_customer_rfm", "rpt_engagement_opportunities"):
        names = {
            row["rfm_segment"]
            for row in shop.query(f"select distinct rfm_segment from marts.{table}")
        }
        assert names - {None, "unknown"}
        assert all(name.startswith("our_") for name in names - {None, "unknown"})
    assert before == shop.query(
        "select customer_id, opportunity from marts.fct_customer_rfm_engagement order by 1"
    )
    assert {row["opportunity"] for row in before} >= {"win_back", "reach_out"}
