"""Each condition's right answers, on DuckDB: who it holds for, at its boundaries.

Belongs here: one table of calls and their people. Does not belong here: whole segments
(tests/dbt/marts/test_golden.py), wrong arguments (test_arguments.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from orchestration.segments.rendering import CONDITIONS, DBT_PROJECT, condition_names
from tests.orchestration.segments.published import TABLES, Published, ago


@pytest.fixture(scope="module")
def shop() -> Iterator[Published]:
    """People whose names say what they did."""
    shop = Published()
    shop.person("nobody")
    shop.person("stranger", is_known=False)
    shop.buyer("once_60", 60)
    shop.buyer("once_61", 61)
    shop.buyer("twice_10", 40, 10)
    shop.buyer("thrice_200", 500, 300, 200, net=80)
    shop.buyer("four_5", 300, 100, 50, 5, net=500)
    shop.buyer("in_store", 3, sales_channel="store", store_id="north")
    shop.buyer("gift_20", 20, is_gift=True, discount_code="HELLO")
    shop.visit("nobody", ago(days=40), 1, marketing_channel="paid_social")
    shop.visit("nobody", ago(days=30), 2, marketing_channel="email")
    shop.visit("stranger", ago(days=2), 1, marketing_channel="direct")
    shop.step("nobody", "Product Viewed", ago(hours=30))
    shop.step("stranger", "Product Viewed", ago(hours=30))
    shop.step("stranger", "Product Added", ago(hours=20))
    shop.step("once_60", "Product Added", ago(hours=2))
    shop.step("once_60", "Product Removed", ago(hours=1.5))
    shop.step("once_61", "Product Viewed", ago(hours=5))
    shop.step("once_61", "Product Viewed", ago(hours=4), product_key="pot")
    shop.step("twice_10", "Product Viewed", ago(hours=5))
    shop.step("twice_10", "Product Viewed", ago(hours=4), product_key="pot")
    for customer, at in (("once_61", ago(days=2)), ("twice_10", ago(hours=4.5))):
        shop.add("fct_messages", customer_id=customer, channel="email", clicked_at=at)
    for customer, days, source in (("nobody", 30, "form"), ("once_60", 31, "till")):
        shop.add(
            "fct_sign_ups",
            customer_id=customer,
            sign_up_key=customer,
            source=source,
            is_first=True,
            signed_up_at=ago(days=days),
        )
    for customer, channel, is_contactable in (
        ("once_60", "email", True),
        ("once_61", "email", False),
        ("once_61", "sms", True),
    ):
        shop.add(
            "contactability",
            customer_id=customer,
            channel=channel,
            purpose="marketing",
            is_contactable=is_contactable,
        )
    for customer, days, count in (("once_60", 30, 1), ("once_61", 31, 1), ("twice_10", 1, 0)):
        shop.add(
            "customer_engagement",
            customer_id=customer,
            open_case_count=count,
            last_open_case_kind="complaint",
            last_open_case_at=ago(days=days),
        )
    shop.connection.execute("insert into segments.seg_vip values ('four_5'), ('once_60')")
    yield shop


BUYERS = {"once_60", "once_61", "twice_10", "thrice_200", "four_5", "in_store", "gift_20"}
EVERYBODY = BUYERS | {"nobody", "stranger"}
ANSWERS = {
    "ordered()": BUYERS,
    "ordered(at_least=2)": {"twice_10", "thrice_200", "four_5"},
    "ordered(at_least='at_risk_min_orders')": {"thrice_200", "four_5"},
    "ordered(exactly=1)": {"once_60", "once_61", "in_store", "gift_20"},
    "ordered(at_most=2)": {"once_60", "once_61", "twice_10", "in_store", "gift_20"},
    "ordered(at_least=2, at_most=3)": {"twice_10", "thrice_200"},
    "ordered(at_least=2, within_days=50)": {"twice_10", "four_5"},
    "ordered(at_least=2, within_days=49)": {"twice_10"},
    "ordered(sales_channel='store')": {"in_store"},
    "ordered(store='north')": {"in_store"},
    "ordered(gift=true)": {"gift_20"},
    "ordered(gift=false)": BUYERS - {"gift_20"},
    "ordered(with_code=true)": {"gift_20"},
    "last_order(within_days=60)": BUYERS - {"once_61", "thrice_200"},
    "last_order(older_than_days=60)": {"once_61", "thrice_200"},
    "last_order(older_than_days=60, within_days=199)": {"once_61"},
    "last_order(within_days='recent_buyer_days')": {"twice_10", "four_5", "in_store"},
    "first_order(within_days=60)": {"once_60", "twice_10", "in_store", "gift_20"},
    "first_order(older_than_days=300)": {"thrice_200"},
    "overdue()": {"thrice_200"},
    "among_best(share=0.1)": {"four_5"},
    "among_best(share=0.2, by='orders')": {"four_5", "thrice_200"},
    "among_best(share=0.2, by='average_order_value')": {"four_5", "thrice_200"},
    "among_best(share=0.1, by='margin')": {"four_5"},
    "visited(exactly=1)": {"stranger"},
    "visited(at_least=2)": {"nobody"},
    "visited(within_days=30)": {"nobody", "stranger"},
    "visited(marketing_channel=['paid_social', 'direct'])": {"nobody", "stranger"},
    "last_visit(older_than_days=3)": {"nobody"},
    "last_visit(within_days=29)": {"stranger"},
    "abandoned(what='browse')": {"nobody", "once_61", "twice_10"},
    "abandoned(what='browse', after_hours=24)": {"nobody"},
    "abandoned(what='cart')": {"stranger"},
    "abandoned(what='cart', after_hours=24)": set(),
    "abandoned(what='browse_or_cart')": EVERYBODY
    & {"nobody", "stranger", "once_60", "once_61", "twice_10"},
    "viewed_after_email()": {"once_61"},
    "viewed_after_email(at_least=1)": {"once_61", "twice_10"},
    "signed_up(within_days=30)": {"nobody"},
    "signed_up(source=['till', 'form'])": {"nobody", "once_60"},
    "signed_up(source='till')": {"once_60"},
    "contactable(channel='email')": {"once_60"},
    "contactable(channel='sms')": {"once_61"},
    "contactable(channel='email', purpose='ads')": set(),
    "open_case()": {"once_60"},
    "open_case(within_days=31)": {"once_60", "once_61"},
    "is_known()": EVERYBODY - {"stranger"},
    "in_segment('vip')": {"four_5", "once_60"},
}


@pytest.mark.parametrize("call", ANSWERS)
def test_a_condition_holds_for_whom_it_says(shop: Published, call: str) -> None:
    assert shop.members(f"all=[{call}]") == ANSWERS[call]
    assert shop.members(f"none=[{call}]") == EVERYBODY - ANSWERS[call]


def test_every_condition_has_answers_and_a_line_in_the_docs() -> None:
    answered = {call.partition("(")[0] for call in ANSWERS}
    docs = (DBT_PROJECT.parent / "docs/segments.md").read_text("utf-8")
    assert answered == set(condition_names())
    assert {name for name in condition_names() if f"`{name}(" not in docs} == set()


def test_conditions_read_published_tables_of_the_list_alone() -> None:
    """Also that none is listed that nothing reads, and that no condition asks a source."""
    texts = {
        path.name: path.read_text("utf-8")
        for path in CONDITIONS.glob("*.sql")
        if path.name not in ("rule.sql", "results.sql", "contexts.sql")
    }
    results = (CONDITIONS / "results.sql").read_text("utf-8")
    listed = set(re.findall(r"'(\w+)'", results.partition("endmacro")[0]))
    read = {name for text in texts.values() for name in re.findall(r"ref\('(\w+)'\)", text)}
    assert read | {"shop_rhythm"} == listed  # by way of threshold()
    assert listed == set(TABLES)
    published = {path.stem for path in (DBT_PROJECT / "models/marts").rglob("*.sql")}
    assert listed <= published
    assert not [
        name for name, text in texts.items() if "source(" in text or "var('segments" in text
    ]


NESTED = {
    "any=[ordered(exactly=1), last_order(within_days=10)]": BUYERS - {"thrice_200"},
    "all=[any_of(overdue(), all_of(ordered(), none_of(last_order(within_days=60))))]": {
        "thrice_200",
        "once_61",
    },
    "all=[none_of(ordered(), is_known())]": {"stranger"},
    "all=[ordered(exactly=1)], none=[in_segment('vip'), last_order(within_days=10)]": {
        "once_61",
        "gift_20",
    },
    "all=[any_of([overdue(), ordered(at_least=4)])]": {"thrice_200", "four_5"},
}


@pytest.mark.parametrize("call", NESTED)
def test_conditions_nest(shop: Published, call: str) -> None:
    assert shop.members(call) == NESTED[call]


def test_one_call_is_one_condition_however_it_is_written(shop: Published) -> None:
    conditions = shop.run(
        "any=[ordered(at_least=1), ordered(),"
        " signed_up(source=['b', 'a']), signed_up(source=['a', 'b', 'a'])]"
    )
    assert [leaf["key"] for leaf in conditions] == [
        "ordered(at_least=1)",
        "ordered()",
        'signed_up(source=["a", "b"])',
        'signed_up(source=["a", "b"])',
    ]


def test_the_reason_is_made_of_the_conditions_that_hold(shop: Published) -> None:
    shop.run("all=[ordered()], any=[overdue(), ordered(at_least=4)]")
    reasons = {row["customer_id"]: row["reason"] for row in shop.trial.rows("from trial")}
    assert reasons == {
        "thrice_200": "At least 1 order; the next order is overdue.",
        "four_5": "At least 1 order; at least 4 orders.",
    }


def test_a_condition_says_since_when_and_what_ends_it(shop: Published) -> None:
    conditions = shop.run("all=[ordered(at_least=2, within_days=50)]")
    [answer] = shop.trial.answers("four_5", conditions)
    assert (answer["holds"], answer["value"], answer["threshold"]) == (True, "2", "at least 2")
    assert (answer["since"], answer["source"]) == (ago(days=5), "fct_orders")
    assert answer["ends_when"] == "2026-06-16, when too few orders are of those days"
    [other] = shop.trial.answers("once_60", conditions)
    assert (other["holds"], other.get("value")) == (False, None)


def test_the_funnel_counts_alone_and_in_order(shop: Published) -> None:
    shop.run("all=[ordered(), ordered(exactly=1)], none=[in_segment('vip')]")
    rows = shop.trial.rows("from trial_funnel order by condition_rank")
    assert [
        (row["kept_alone_count"], row["kept_in_order_count"], row["dropped_in_order_count"])
        for row in rows
    ] == [
        (7, 7, 2),
        (4, 4, 3),
        (7, 3, 1),
    ]
