"""A shop of orders alone, each of them odd: every mart is built, sensible or NULL with its reason.

Belongs here: what models make of a shop that has hardly anything. Does not belong here: what the
science makes of it (tests/orchestration/science/test_odd_shops.py), or an empty shop
(test_whole_project.py).
"""

from __future__ import annotations

import datetime as dt

import pytest

from tests.dbt.marts.shop import Shop

AS_OF = dt.datetime(2026, 6, 20, 12)
DAY = dt.datetime(2026, 6, 5, 9)
pytestmark = pytest.mark.faults


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """Four buyers of one product within a month: no visit, no message, no consent, no cost.

    `most` has nearly all sales, and the product got another name and category in between; `back`
    sent all of it back; `free` paid nothing; `yen` paid in a currency without a rate.
    """
    shop = Shop(tmp_path_factory.mktemp("odd"), AS_OF)
    for customer in ("most", "back", "free", "yen"):
        shop.person(customer, DAY)
    for number in range(3):
        shop.order("most", DAY + dt.timedelta(number), net="900")
    for line in shop.rows["int_order_lines_resolved"][1:]:
        line |= {"product_name": "Red mug", "category": "Table"}
    shop.order("back", DAY, net="0", returns="30", status="returned")
    shop.order("free", DAY, net="0", is_kept=False)
    shop.order("yen", DAY, net="1000", net_sales_shop=None, currency="JPY")
    shop.rows["int_orders_resolved"][-1] |= {
        "gross_sales_shop": None,
        "discounts_shop": None,
        "returns_shop": None,
        "total_sales_shop": None,
        "conversion_issue": "missing_rate",
    }
    shop.build()
    return shop


def unfit(shop: Shop) -> list[str]:
    """The published columns that hold a figure which is infinite or no number."""
    columns = shop.query(
        "select schema_name, table_name, column_name from duckdb_columns()"
        " where schema_name in ('marts', 'segments', 'activity')"
        " and data_type in ('DOUBLE', 'FLOAT')"
    )
    assert columns
    return [
        f"{table}.{column}"
        for schema, table, column in (tuple(row.values()) for row in columns)
        if shop.query(f'select 1 from {schema}.{table} where not isfinite("{column}") limit 1')
    ]


def test_no_figure_is_infinite(shop: Shop) -> None:
    assert unfit(shop) == []


def test_each_buyer_has_a_figure_or_its_reason(shop: Shop) -> None:
    values = {
        row["customer_id"]: (row["historic_clv"], row["null_reason"], row["margin_null_reason"])
        for row in shop.query("select * from marts.fct_customer_clv where is_current")
    }
    unknown = ("no_fitted_model", "no_fitted_model")
    assert values == {
        "most": (2700, *unknown),
        "back": (0, *unknown),
        "yen": (None, "missing_rate", "missing_rate"),
    }
    groups = {
        row["customer_id"]: row["rfm_segment"]
        for row in shop.query("select * from marts.fct_customer_rfm where is_current")
    }
    assert groups["yen"] is None
    assert groups["back"] not in {"champions", "loyal", "previously_loyal"}


def test_nothing_is_guessed_of_whom_nothing_is_known(shop: Shop) -> None:
    for row in shop.query("select * from marts.fct_customer_predictions"):
        assert row["null_reason"], row
        assert (row["churn_risk"], row["buys_in_90d"], row["next_category"]) == (None, None, None)
    assert shop.query("select * from marts.fct_customer_intent") == []
    assert shop.query("select * from marts.product_affinities") == []
    assert shop.query("select * from marts.fct_recommendations") == []
