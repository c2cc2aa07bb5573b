"""Who is shown what and why, and what nobody is shown: recommendations on a handmade shop.

Belongs here: what goes with what, kinds, exclusions and reasons. Does not belong here: scores
(tests/orchestration/science/recommendations).
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pyarrow as pa
import pytest

from orchestration.home.layout import Home
from orchestration.science.parquet import write_tables
from tests.dbt.marts.shop import Row, Shop
from tests.dbt.marts.test_replenishments import AS_OF, TODAY, ago, feedback, interval, product

MODELS = [
    *(
        "fct_orders",
        "fct_order_lines",
        "dim_products",
        "fct_order_codes",
        "dim_promotions",
        "occasions",
    ),
    *("customer_preferences", "customer_traits", "fct_web_sessions", "fct_interactions"),
    *(
        "path:models/intermediate/interests",
        "customer_interests",
        "int_interactions_messages",
        "int_interactions_facts",
    ),
    *("int_search_categories", "traits", "flagged_words"),
    *("path:models/staging/science", "path:models/marts/recommendations"),
]


# What each person said of who lives with them
HOUSEHOLDS = {
    "parents": "couple with children",
    "pair": "COUPLE",
    "flat": "six flatmates",
    "silent": "",
}


def order_of(shop: Shop, customer: str | None, at: dt.datetime, *products: str) -> None:
    """One order with a line of each product, each at 10."""
    order = shop.order(customer, at)
    first = shop.rows["int_order_lines_resolved"].pop()
    for number, product_id in enumerate(products, 1):
        line = first | {"order_line_id": f"{order['order_id']}-{number}", "line_number": number}
        shop.rows["int_order_lines_resolved"].append(
            line | {"product_id": product_id, "unit_price": "10"}
        )


def view(shop: Shop, customer: str, visit: str, at: dt.datetime, *products: str) -> None:
    for product_id in products:
        shop.event(customer, "Product Viewed", at, session_id=visit, product_id=product_id)


def score(customer: str, product_id: str, value: float, day: dt.date = TODAY) -> Row:
    return {"customer_id": customer, "product_id": product_id, "score": value} | {
        "method": "cosine", "as_of_date": day
    }  # fmt: skip


def households(shop: Shop) -> None:
    """Who said what of their household, and products for some of them."""
    product(shop, "two-seater", "Cars", "Regular", attributes='{"for_household": "Single, couple"}')
    family = '{"for_household": ["Couple with children", "family"]}'
    product(shop, "van", "Cars", "Regular", attributes=family)
    product(shop, "scooter", "Cars", "Regular")
    for customer, household in HOUSEHOLDS.items():
        shop.person(customer, ago(500))
        if household:
            shop.add(
                "int_contact_attributes", contact_key=customer, customer_id=customer,
                trait="household", value=household, contact_source="contacts",
                source="newsletter", created_at=ago(10), _dlt_load_id="1", _line=1,
            )  # fmt: skip


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    shop = Shop(tmp_path_factory.mktemp("recommendations"), AS_OF)
    price = {"price": "10", "currency": "GBP"}
    product(shop, "coffee", "Coffee", "Bean", replenish_after_days=30, **price)
    product(shop, "coffee-2", "Coffee", "Leaf", substitute_group="dark", **price)
    product(shop, "coffee-3", "Coffee", "Leaf", substitute_group="dark", **price)
    product(shop, "coffee-fine", "Coffee", "Bean", price="12", currency="GBP")
    product(shop, "coffee-royal", "Coffee", "Bean", price="50", currency="GBP")
    product(shop, "grinder", "Kitchen", "Regular", **price)
    product(shop, "kettle", "Kitchen", "Regular", in_stock=False, **price)
    product(shop, "filter", "Kitchen", "Regular", **price)
    for size in ("S", "M"):
        product(shop, f"shirt-{size}", "Clothes", "Regular", attributes=f'{{"size": "{size}"}}')
    product(shop, "bag", "Bags", "Regular", attributes='{"size": "large"}')
    for customer in ("buyer", "drinker", "critic", "many", "early"):
        shop.person(customer, ago(500))
    shop.person("visitor", ago(2), known=False)
    # Eight orders of coffee with a grinder, four with a kettle, others of neither
    for n in range(8):
        order_of(shop, "many", ago(200 + n), "coffee", "grinder")
    for n in range(4):
        order_of(shop, "many", ago(220 + n), "coffee", "kettle")
    for n in range(30):
        order_of(shop, "many", ago(230 + n), "bag")
    order_of(shop, "many", ago(300), "coffee", "filter")
    everything = [f"thing-{n}" for n in range(51)]
    for product_id in everything:
        product(shop, product_id, "Things", "Regular")
    for n in range(3):
        order_of(shop, "many", ago(301 + n), *everything)
    order_of(shop, "buyer", ago(40), "coffee")
    order_of(shop, "drinker", ago(28), "coffee")
    order_of(shop, "drinker", ago(3), "coffee-2")
    order_of(shop, "critic", ago(40), "bag")
    feedback(shop, "critic", "review", ago(30), product_id="grinder", score="1")
    order_of(shop, "early", ago(5), "coffee")
    for n in range(5):
        view(shop, "many", f"visit-{n}", ago(100 + n), "coffee", "filter")
    for n in range(9):
        view(shop, "many", f"other-{n}", ago(110 + n), "bag")
    view(shop, "visitor", "first", ago(2), "bag")
    view(shop, "visitor", "last", ago(1), "coffee")
    shop.person("browser", ago(2), known=False)
    view(shop, "browser", "both", ago(1), "coffee", "filter")
    for customer in ("buyer", "critic"):
        shop.add(
            "int_contact_attributes", contact_key=customer, customer_id=customer, trait="size",
            value="s", contact_source="contacts", source="newsletter", created_at=ago(10),
            _dlt_load_id="1", _line=1,
        )  # fmt: skip
    households(shop)
    rows = [score("buyer", each, 1.0 / (n + 1)) for n, each in enumerate(
        ("kettle", "shirt-M", "grinder", "shirt-S", "bag", "coffee")
    )]  # fmt: skip
    rows += [
        score(customer, each, 1.0 / (n + 1))
        for customer in HOUSEHOLDS
        for n, each in enumerate(("two-seater", "van", "scooter"))
    ]
    rows += [score("drinker", "coffee-3", 0.9), score("drinker", "filter", 0.1)]
    rows += [score("critic", "grinder", 0.9), score("critic", "filter", 0.1)]
    rows += [score("early", "filter", 0.1, TODAY - dt.timedelta(days=1))]
    backtests = [
        {"method": "cosine", "right_count": 70, "is_published": True, "null_reason": None},
        {"method": "popularity", "right_count": 44, "is_published": False,
         "null_reason": "other_method_is_better"},
    ]  # fmt: skip
    judged = {"people": 100, "hit_rate_10": 0.5, "origin_date": TODAY, "as_of_date": TODAY}
    tables = {
        "recommendation_scores": pa.Table.from_pylist(rows),
        "recommendation_backtests": pa.Table.from_pylist([row | judged for row in backtests]),
        "replenishment_intervals": pa.Table.from_pylist([interval("coffee", 30)]),
    }
    write_tables(Home(shop.home), tables)
    shop.run(MODELS)
    return shop


def of(shop: Shop, customer: str, kind: str) -> list[str]:
    rows = shop.query(
        f"select product_id, rank from marts.fct_recommendations where customer_id = '{customer}'"
        f" and kind = '{kind}' order by rank"
    )
    assert [row["rank"] for row in rows] == list(range(1, len(rows) + 1))
    return [row["product_id"] for row in rows]


def reason(shop: Shop, customer: str, kind: str) -> str:
    (row, *_) = shop.query(
        f"select reason from marts.fct_recommendations where customer_id = '{customer}'"
        f" and kind = '{kind}' order by rank"
    )
    return str(row["reason"])


def test_what_goes_together_has_its_support_and_lift(shop: Shop) -> None:
    rows = shop.query(
        "from marts.product_affinities where kind = 'also_bought' and product_id = 'coffee'"
        " order by affinity_rank"
    )
    assert [(row["other_product_id"], row["support"]) for row in rows] == [
        ("grinder", 8), ("kettle", 4)
    ]  # fmt: skip
    orders, with_coffee, with_grinder = 8 + 4 + 30 + 1 + 5, 8 + 4 + 1 + 3, 8
    assert rows[0]["lift"] == pytest.approx(8 * orders / with_coffee / with_grinder, abs=1e-6)
    assert rows[0]["confidence"] == pytest.approx(8 / with_coffee, abs=1e-6)


def test_orders_of_very_many_products_and_rare_pairs_say_nothing(shop: Shop) -> None:
    assert shop.query(
        "from marts.product_affinities where product_id like 'thing-%' or support < 3"
        " or lift <= 1 or (kind = 'also_bought' and other_product_id = 'filter')"
    ) == []  # fmt: skip


def test_next_leaves_out_what_is_owned_out_of_stock_and_of_another_size(shop: Shop) -> None:
    assert of(shop, "buyer", "next") == ["grinder", "shirt-S", "bag"]
    assert reason(shop, "buyer", "next") == "Often bought with Coffee, which they have."
    assert reason(shop, "drinker", "next") == "Bought by people with the same purchases."


def test_a_car_for_two_is_never_offered_to_a_couple_with_children(shop: Shop) -> None:
    assert of(shop, "parents", "next") == ["van", "scooter"]
    assert of(shop, "pair", "next") == ["two-seater", "scooter"], "said, whatever the case"
    everything = ["two-seater", "van", "scooter"]
    assert of(shop, "flat", "next") == everything, "no product is for flatmates"
    assert of(shop, "silent", "next") == everything, "who said nothing misses nothing"


def test_what_stands_in_for_something_just_bought_is_left_out(shop: Shop) -> None:
    assert of(shop, "drinker", "next") == ["filter"]


def test_what_somebody_reviewed_badly_is_left_out(shop: Shop) -> None:
    assert of(shop, "critic", "next") == ["filter"]


def test_scores_of_another_day_are_of_an_earlier_run(shop: Shop) -> None:
    assert of(shop, "early", "next") == []


def test_cross_sell_goes_with_the_last_order_and_says_so(shop: Shop) -> None:
    assert of(shop, "buyer", "cross_sell") == ["grinder"]
    assert reason(shop, "buyer", "cross_sell") == "Often bought with Coffee, bought on 2026-02-19."


def test_up_sell_is_dearer_and_within_reach(shop: Shop) -> None:
    assert of(shop, "buyer", "up_sell") == ["coffee-fine"]


def test_replenish_is_from_the_reminder_on_and_not_too_early(shop: Shop) -> None:
    assert of(shop, "drinker", "replenish") == ["coffee"]
    assert of(shop, "buyer", "replenish") == ["coffee"]
    assert of(shop, "early", "replenish") == []
    assert "Coffee, bought on" in reason(shop, "buyer", "replenish")


def test_an_anonymous_visitor_gets_theirs_from_this_visit(shop: Shop) -> None:
    assert of(shop, "visitor", "next") == ["filter"]
    assert of(shop, "browser", "next") == [], "they have seen both in this visit"
    assert (
        reason(shop, "visitor", "next") == "Often looked at with Coffee, looked at on 2026-03-30."
    )


def test_each_says_what_its_method_is_worth(shop: Shop) -> None:
    rows = shop.query("select distinct method, proof from marts.fct_recommendations")
    proofs = {row["method"]: row["proof"] for row in rows}
    assert proofs["cosine"] == (
        "Proven on this shop's past: of 100 buyers 70 then bought one of the ten products that it"
        " named, against 44 for what most people buy."
    )
    assert proofs["declared"].startswith("The interval is what the catalogue says")
    for method in ("also_bought", "also_viewed", "price"):
        assert proofs[method].endswith("not tried on the past.")


def test_a_bundle_is_two_products_that_can_both_be_had(shop: Shop) -> None:
    """Not the kettle, which is out of stock."""
    rows = shop.query(
        "select product_id, with_product_id from marts.fct_recommendations"
        " where customer_id = 'visitor' and kind = 'bundle'"
    )
    assert [tuple(row.values()) for row in rows] == [("coffee", "grinder")]


def test_a_shop_of_one_order_has_empty_tables(tmp_path: Path) -> None:
    shop = Shop(tmp_path / "home", AS_OF)
    product(shop, "coffee", "Coffee", "Bean")
    shop.person("one", ago(9))
    order_of(shop, "one", ago(3), "coffee")
    shop.run(MODELS)
    for table in ("product_affinities", "fct_recommendations", "fct_replenishments"):
        assert shop.query(f"from marts.{table}") == []
