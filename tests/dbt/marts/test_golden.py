"""Handmade people whose stage, score, segments and permission are known: one build, many looks.

Belongs here: expected against actual for stages, RFM, triggers at their boundaries, permission and
memberships. Does not belong here: how raw rows become the tables these people are laid into.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from decimal import Decimal

import duckdb
import pyarrow as pa
import pytest

from orchestration.home.layout import Home
from orchestration.quality.condition_sql import Expander, compiled_sql
from orchestration.quality.segment_traits import Meanings, Segment, judge
from orchestration.run.dbt import segment_names
from orchestration.science.parquet import write_tables
from orchestration.segments.files import segment_text
from orchestration.segments.trial import Trial
from tests.dbt.marts.follow_ups import PLANTED as FOLLOW_UPS
from tests.dbt.marts.follow_ups import add_follow_ups, customer_values
from tests.dbt.marts.people import AS_OF, add_everybody, ago
from tests.dbt.marts.planted import PLANTED as HERE
from tests.dbt.marts.planted import add_planted
from tests.dbt.marts.shop import HOSTS, Row, Shop
from tests.dbt.marts.wishes import PLANTED as WISHES
from tests.dbt.marts.wishes import soap_interval

PLANTED = HERE | WISHES | FOLLOW_UPS


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    built = Shop(tmp_path_factory.mktemp("golden"), AS_OF)
    add_everybody(built)
    add_planted(built)
    add_follow_ups(built)
    built.add("int_products_unioned", product_id="plate", product_name="Plate", category="Kitchen")
    scores = {"product_id": "plate", "score": 0.5, "method": "popularity"}
    scores |= {"customer_id": "level_full", "as_of_date": AS_OF.date()}
    science = {"recommendation_scores": [scores], "replenishment_intervals": [soap_interval()]}
    science["customer_value"] = customer_values()
    tables = {name: pa.Table.from_pylist(rows) for name, rows in science.items()}
    write_tables(Home(built.home), tables)
    built.build(HOSTS)
    yield built


def members(shop: Shop, segment: str) -> set[str]:
    return {row["customer_id"] for row in shop.query(f"from segments.seg_{segment}")}


def stages(shop: Shop, customer: str) -> list[tuple[str, str]]:
    rows = shop.query(
        "select stage, entry_reason from marts.fct_customer_journey_stages "
        f"where customer_id = '{customer}' order by entered_at"
    )
    return [(row["stage"], row["entry_reason"]) for row in rows]


STAGES = {
    "stage_visitor": [("awareness", "First visit, from a social ad")],
    "stage_contact": [("awareness", "First contact")],
    "stage_second_visit": [
        ("awareness", "First visit, came directly"),
        ("consideration", "Came back: 2 visits"),
    ],
    "stage_bot_visits": [("awareness", "First visit, came directly")],
    "stage_three_views": [
        ("awareness", "First visit, came directly"),
        ("consideration", "Viewed 3 products"),
    ],
    "stage_cart_first": [
        ("awareness", "First visit, came directly"),
        ("acquisition", "Put a product in the cart"),
    ],
    "stage_wishlist": [
        ("awareness", "First visit, came directly"),
        ("acquisition", "Saved a product to the wishlist"),
    ],
    "stage_till_buyer": [("purchase", "First order")],
    "stage_cart_after_order": [("purchase", "First order")],
    "stage_whole_way": [
        ("awareness", "First visit, came directly"),
        ("consideration", "Came back: 2 visits"),
        ("acquisition", "Started the checkout"),
        ("purchase", "First order"),
        ("advocacy", "4 orders"),
    ],
    "stage_reviewer": [("purchase", "First order"), ("advocacy", "2 orders and a review")],
    "stage_early_reviewer": [("purchase", "First order"), ("advocacy", "2 orders and a share")],
    "stage_referrer": [("purchase", "First order"), ("advocacy", "2 orders and a referral")],
    "stage_cancelled_only": [("awareness", "First contact")],
    "stage_nps_is_no_signal": [("purchase", "First order")],
}


@pytest.mark.parametrize("customer", STAGES)
def test_stages(shop: Shop, customer: str) -> None:
    assert stages(shop, customer) == STAGES[customer]


def test_stage_history_has_no_gap(shop: Shop) -> None:
    rows = shop.query(
        "select entered_at, exited_at, is_current from marts.fct_customer_journey_stages "
        "where customer_id = 'stage_whole_way' order by entered_at"
    )
    assert [row["exited_at"] for row in rows[:-1]] == [row["entered_at"] for row in rows[1:]]
    assert [row["is_current"] for row in rows] == [False, False, False, False, True]


CARTS = {
    "cart_exactly_1_hour": True,
    "cart_59_minutes": False,
    "cart_exactly_7_days": True,
    "cart_7_days_and_a_second": False,
    "cart_then_order": False,
    "cart_then_cancelled_order": False,
    "cart_then_completed_online": False,
    "cart_bought_elsewhere": False,
    "checkout_bought_elsewhere": False,
    "cart_in_a_checkout": False,
    "checkout_by_number": False,
    "cart_with_a_checkouts_number": True,
    "cart_completed_elsewhere": False,
    "cart_of_another_token": True,
    "cart_after_order": True,
    "cart_emptied": False,
    "cart_half_emptied": True,
    "cart_looked_at_again": False,
    "cart_of_a_stranger": True,
    "browse_exactly_1_hour": False,
}


@pytest.mark.parametrize("customer", CARTS)
def test_abandoned_cart(shop: Shop, customer: str) -> None:
    assert (customer in members(shop, "abandoned_cart")) is CARTS[customer]


BROWSES = {
    "browse_exactly_1_hour": True,
    "browse_59_minutes": False,
    "browse_exactly_7_days": True,
    "browse_7_days_and_a_second": False,
    "browse_of_a_stranger": False,
    "browse_then_cart": False,
    "browse_then_order": False,
    "browse_after_cart": True,
}


@pytest.mark.parametrize("customer", BROWSES)
def test_abandoned_browse(shop: Shop, customer: str) -> None:
    assert (customer in members(shop, "abandoned_browse")) is BROWSES[customer]


RETARGETED = {
    "browse_exactly_1_hour": True,
    "browse_59_minutes": False,
    "browse_exactly_7_days": True,
    "browse_7_days_and_a_second": False,
    "browse_of_a_stranger": False,
    "browse_then_order": False,
    "browse_after_cart": True,
    "cart_after_order": True,
    "cart_completed_elsewhere": False,
}


@pytest.mark.parametrize("customer", RETARGETED)
def test_retargeting(shop: Shop, customer: str) -> None:
    assert (customer in members(shop, "retargeting")) is RETARGETED[customer]


CASES = {
    "case_complaint_30_days": True,
    "case_complaint_31_days": False,
    "case_complaint_closed": False,
    "case_complaint_closed_later": True,
    "case_support": True,
    "case_bad_review": True,
    "case_fair_review": False,
    "case_review_without_score": False,
    "case_nps": False,
    "case_closed_and_open": True,
}


@pytest.mark.parametrize("customer", CASES)
def test_service_recovery(shop: Shop, customer: str) -> None:
    assert (customer in members(shop, "service_recovery")) is CASES[customer]


def test_service_recovery_speaks_of_the_case_that_is_open(shop: Shop) -> None:
    [row] = shop.query(
        "from segments.seg_service_recovery where customer_id = 'case_closed_and_open'"
    )
    day = ago(days=5).date()
    assert row["reason"] == f"Asked for help on {day}, and the case is open."
    assert json.loads(row["context"])["case"] == "support"


INTENTS = {
    "intent_opened_and_viewed_2": True,
    "intent_clicked_and_viewed_2": True,
    "intent_viewed_same_product_twice": False,
    "intent_viewed_before_opening": False,
    "intent_machine_opened": False,
    "intent_opened_8_days_ago": False,
    "intent_ordered_since": False,
    "intent_ordered_before": True,
}


@pytest.mark.parametrize("customer", INTENTS)
def test_high_intent(shop: Shop, customer: str) -> None:
    assert (customer in members(shop, "high_intent")) is INTENTS[customer]


ORDERS = {
    "recent_14_days": ("recent_buyers", True),
    "recent_15_days": ("recent_buyers", False),
    "recent_cancelled": ("recent_buyers", False),
    "once": ("one_time_buyers", True),
    "once_and_cancelled": ("one_time_buyers", True),
    "twice": ("one_time_buyers", False),
    "loyal_4_orders": ("loyal_customers", True),
    "loyal_3_orders": ("loyal_customers", False),
    "loyal_180_days": ("loyal_customers", True),
    "loyal_181_days": ("loyal_customers", False),
    "loyal_slow_rhythm": ("loyal_customers", True),
    "risk_181_days": ("at_risk", True),
    "risk_180_days": ("at_risk", False),
    "risk_slow_rhythm": ("at_risk", False),
    "risk_2_orders": ("at_risk", False),
    "visitor_once": ("first_time_visitors", True),
    "visitor_twice": ("first_time_visitors", False),
    "visitor_31_days": ("first_time_visitors", False),
    "visitor_bought": ("first_time_visitors", False),
    "subscriber_30_days": ("new_subscribers", True),
    "subscriber_31_days": ("new_subscribers", False),
    "subscriber_again": ("new_subscribers", False),
    "subscriber_at_checkout": ("new_subscribers", False),
}


@pytest.mark.parametrize("customer", ORDERS)
def test_segments_of_orders_and_visits(shop: Shop, customer: str) -> None:
    segment, is_member = ORDERS[customer]
    assert (customer in members(shop, segment)) is is_member


@pytest.mark.parametrize("segment", PLANTED)
def test_of_two_planted_people_one_is_short_of_a_condition(shop: Shop, segment: str) -> None:
    those_in, near_misses = (set(names.split()) for names in PLANTED[segment])
    in_segment = members(shop, segment)
    assert those_in <= in_segment
    assert not near_misses & in_segment
    people = {row["customer_id"] for row in shop.query("from marts.dim_customers")}
    assert near_misses <= people


OFFERS = {
    "category_with_promotion": ("offer_seen", "Garden", "GARDEN", "Rake"),
    "displeased_with_product": ("soap_displeased", "Bath", "BATH", "Soap-2"),
    "voucher_expiring": ("voucher_7_days", "Ten off", "voucher_7_days", None),
}


@pytest.mark.parametrize("segment", OFFERS)
def test_an_offer_is_live_for_the_product_and_not_used(shop: Shop, segment: str) -> None:
    """wishes.PLANTED has who used theirs and is no member."""
    customer, offer, code, product = OFFERS[segment]
    [row] = shop.query(f"from segments.seg_{segment} where customer_id = '{customer}'")
    context = json.loads(row["context"])
    assert (context["offer"], context["offer_code"]) == (offer, code)
    assert context.get("product") == product


def test_every_segment_uses_what_it_may(shop: Shop) -> None:
    """Also nothing of a household or of another person, since most have a plain context."""
    columns = shop.query(
        "select table_schema || '.' || table_name as name, list(column_name) as columns"
        " from information_schema.columns group by all"
    )
    tables = {row["name"]: row["columns"] for row in columns}
    compiled = compiled_sql(shop.home / "dbt/target/compiled")
    expander = Expander(compiled)
    for name in segment_names():
        segment = Segment(name, compiled[f"seg_{name}"], {"plain_context": {}})
        judged = judge(segment, tables, Meanings(), expander=expander)
        assert judged.faults == (), name
        assert any(use.part == "rows" for use in judged.uses), name


@pytest.mark.parametrize("name", segment_names())
def test_a_segment_is_the_same_without_dbt(shop: Shop, name: str) -> None:
    """Rendered by Jinja alone on the published tables: members, reasons, contexts and funnel."""
    with duckdb.connect(str(shop.home / "warehouse.duckdb"), read_only=True) as connection:
        trial = Trial(connection, {"shop_hosts": ["shop.example"]}, AS_OF, segment_names())
        trial.run(name, segment_text(name))
        for mine, built in (
            ("trial", f"segments.seg_{name}"),
            ("trial_funnel", f"(from marts.rpt_segment_funnel where segment = '{name}')"),
        ):
            left = f"(from {mine} except from {built})"
            right = f"(from {built} except from {mine})"
            assert trial.rows(f"{left} union all {right}") == []
        assert trial.rows("from trial"), "the handmade shop has a member"


WITH_ALTERNATIVES = {"vip_by_frequency", "vip_by_order_value"}  # one of several is enough
OF_THIS_RUN = ("opportunity(", "recommended(")  # worked out anew each time: since when is not known


def test_each_members_conditions_hold(shop: Shop) -> None:
    """assert_conditions_give_the_members puts them together; here one by one."""
    rows = shop.query("from marts.fct_segment_conditions")
    assert {row["segment"] for row in rows} == set(segment_names())
    for row in rows:
        if row["is_met"] != row["is_wanted"]:
            assert row["segment"] in WITH_ALTERNATIVES, row["condition"]
            continue
        assert row["ends_when"]
        if not row["condition"].startswith(OF_THIS_RUN):
            assert (row["since"] is None) == (not row["is_met"]), row["condition"]


def test_vip_is_the_top_share_of_buyers_with_enough_orders(shop: Shop) -> None:
    ranked = shop.query(
        "select customer_id, order_count, row_number() over (order by lifetime_net_sales desc, "
        "order_count desc, last_ordered_at desc, customer_id) as place, count(*) over () as buyers "
        "from marts.dim_customers where order_count > 0 and lifetime_net_sales is not null"
    )
    places = -(-ranked[0]["buyers"] * 5 // 100)
    expected = {r["customer_id"] for r in ranked if r["place"] <= places and r["order_count"] >= 3}
    assert members(shop, "vip") == expected
    assert expected, "the handmade shop has a VIP"


def test_returning_everything_makes_nobody_a_best_customer(shop: Shop) -> None:
    [row] = shop.query(
        "select * from marts.fct_customer_rfm where is_current and customer_id = 'gave_all_back'"
    )
    assert (row["frequency"], row["monetary"], row["gross_monetary"]) == (1, 0, Decimal("77183.60"))
    assert row["m_score"] == 1
    assert row["rfm_segment"] not in {"champions", "loyal", "previously_loyal"}
    assert "gave_all_back" not in members(shop, "vip")


def test_a_month_end_does_not_know_of_a_later_return(shop: Shop) -> None:
    rows = shop.query(
        "select as_of_date, monetary from marts.fct_customer_rfm "
        "where customer_id = 'returned_after_month_end' order by as_of_date"
    )
    by_date = {row["as_of_date"]: row["monetary"] for row in rows}
    assert by_date[dt.date(2026, 1, 31)] == 100
    assert by_date[dt.date(2026, 2, 28)] == 40
    assert by_date[AS_OF.date()] == 40
    assert dt.date(2025, 12, 31) not in by_date


def test_rfm_recency_counts_days_of_the_shop(shop: Shop) -> None:
    [row] = shop.query(
        "select recency_days from marts.fct_customer_rfm where is_current and customer_id = 'once'"
    )
    assert row["recency_days"] == 40


def test_no_rate_means_no_value_and_a_reason(shop: Shop) -> None:
    [row] = shop.query("from marts.customer_360 where customer_id = 'no_rate'")
    assert row["lifetime_net_sales"] is None
    assert row["lifetime_net_sales_issue"] == "missing_rate"
    assert row["rfm_segment"] is None
    assert row["order_count"] == 2
    assert "no_rate" not in members(shop, "vip")


def test_people_without_orders_are_prospects(shop: Shop) -> None:
    rows = shop.query("from marts.customer_360 where order_count = 0")
    assert {row["rfm_segment"] for row in rows} == {"prospects"}


def test_best_address_is_the_best_evidenced_that_works(shop: Shop) -> None:
    rows = shop.query(
        "select customer_id, email, first_name from marts.dim_customers "
        "where customer_id in ('two_addresses', 'dead_address', 'silent_buyer', 'signed_in') "
        "order by customer_id"
    )
    assert [(row["customer_id"], row["email"]) for row in rows] == [
        ("dead_address", "list@dead_address.example"),
        ("signed_in", "card@signed_in.example"),
        ("silent_buyer", "list@silent_buyer.example"),
        ("two_addresses", "card@two_addresses.example"),
    ]


def test_an_address_without_a_sign_of_life_is_dormant_beside_a_living_one(shop: Shop) -> None:
    """However good its evidence; a silent address that is all a person has left is not."""
    rows = shop.query(
        "select identifier_value, is_dormant from marts.bridge_customer_identifiers "
        "where customer_id in ('two_addresses', 'dead_address', 'silent_buyer', 'signed_in') "
        "and identifier_type = 'email'"
    )
    assert {row["identifier_value"]: row["is_dormant"] for row in rows} == {
        "card@two_addresses.example": False,
        "list@two_addresses.example": True,
        "card@dead_address.example": True,
        "list@dead_address.example": False,
        "card@silent_buyer.example": True,
        "list@silent_buyer.example": False,
        "card@signed_in.example": False,
        "list@signed_in.example": False,
    }


def test_permission_says_by_what_it_is_proved_when_it_was_asked_for_and_who_is_silent(
    shop: Shop,
) -> None:
    """people.add_reach; that somebody is silent forbids nothing."""
    columns = ("reason", "inactive_reason", "source", "wording_version", "proof", "requested_at")
    found = shop.query(
        "from marts.contactability where starts_with(customer_id, 'reach_')"
        " and channel = 'email' and purpose = 'marketing'"
    )
    assert {row["customer_id"]: tuple(row[name] for name in columns) for row in found} == {
        "reach_inactive": ("granted", "inactive", "newsletter", "v1", None, None),
        "reach_clicked": ("granted", None, "newsletter", "v1", None, None),
        "reach_lately": ("granted", None, "newsletter", "v1", None, None),
        "reach_asked": ("no_consent", None, None, None, None, ago(days=30)),
        "reach_dormant": (
            *("granted", "dormant_address", "newsletter", "v1", "ip and time"),
            ago(days=710),
        ),
    }
    assert all(row["is_contactable"] == (row["reason"] == "granted") for row in found)


def test_floods_and_gaps_of_a_week_are_counted(shop: Shop) -> None:
    """people.add_pressure; whoever is new or was not to be written to had no gap."""
    week = "date '2026-03-31' - 63"
    rows = shop.query(f"from marts.rpt_contact_pressure where week_ends_on = {week}")
    counts = {row["message_count"]: (row["people"], row["several_channel_count"]) for row in rows}
    silent, _ = counts.pop(0)
    assert counts == {1: (2, 0), 5: (1, 1)}
    assert {row["message_count"] for row in rows if row["is_over_limit"]} == {5}
    [expected] = shop.query(
        "select count(distinct customer_id) as people from marts.contactability"
        " inner join marts.dim_customers using (customer_id) where is_contactable"
        " and purpose = 'marketing' and channel in ('email', 'sms', 'push')"
        f" and first_seen_at::date <= {week} and customer_id not in"
        " ('pressure_one', 'pressure_flood')"
    )
    assert silent == expected["people"] > 0
    [weeks] = shop.query("select count(distinct week_ends_on) as n from marts.rpt_contact_pressure")
    assert weeks == {"n": 13}


def test_whoever_said_that_data_is_not_to_be_sold_has_a_flag(shop: Shop) -> None:
    rows = shop.query(
        "select customer_id, is_sale_refused from marts.customer_360"
        " where starts_with(customer_id, 'sale_')"
    )
    assert {row["customer_id"] for row in rows if row["is_sale_refused"]} == {
        "sale_signal",
        "sale_refused",
    }
    assert len(rows) == 6


def test_reasons_read_like_sentences(shop: Shop) -> None:
    sentence = "select reason, context from segments.seg_{} where customer_id = '{}'"
    [cart] = shop.query(sentence.format("abandoned_cart", "cart_exactly_1_hour"))
    assert cart["reason"] == "Left Blue mug in the cart on 2026-03-31."
    assert json.loads(cart["context"])["value"] == 12.5
    assert json.loads(cart["context"])["link"] == "https://shop.example/mug"
    [risk] = shop.query(sentence.format("at_risk", "risk_181_days"))
    assert risk["reason"] == "3 orders, usually every 10 days; the last one on 2025-10-01."
    [bought] = shop.query(sentence.format("recent_buyers", "recent_14_days"))
    assert bought["reason"] == "Ordered Blue mug on 2026-03-17."


def test_earlier_memberships_continue_end_and_follow_merges(shop: Shop) -> None:
    rows = shop.query(
        "select segment, customer_id, entered_at, exited_at from marts.fct_segment_memberships "
        "where customer_id in ('once', 'twice', 'long_gone') or segment = 'retired_segment' "
        "order by segment, customer_id, entered_at"
    )
    found = [(r["segment"], r["customer_id"], r["entered_at"], r["exited_at"]) for r in rows]
    first, second = AS_OF - dt.timedelta(days=30), AS_OF - dt.timedelta(days=20)
    assert ("one_time_buyers", "once", first, None) in found, "the merged id's earlier start"
    assert ("one_time_buyers", "twice", first, AS_OF) in found, "left at this run"
    assert ("one_time_buyers", "long_gone", first, second) in found, "an ended stay is kept"
    assert ("retired_segment", "twice", first, AS_OF) in found, "a segment that is no more"


def test_a_stay_says_by_which_conditions_it_began_and_what_ended_it(shop: Shop) -> None:
    stays = {
        (row["segment"], row["customer_id"], row["entered_at"]): row
        for row in shop.query("from marts.fct_segment_memberships")
    }
    began = stays["one_time_buyers", "cart_then_order", AS_OF]
    assert (began["programme"], began["is_current"]) == ("one_time_buyers", True)
    words = shop.query(
        "select words from marts.fct_segment_conditions where segment = 'one_time_buyers'"
        " and customer_id = 'cart_then_order' order by condition_rank"
    )
    assert began["entry_reason"] == "; ".join(row["words"] for row in words)
    first = AS_OF - dt.timedelta(days=30)
    assert stays["one_time_buyers", "twice", first]["exit_reason"] == "condition"
    bought = stays["abandoned_cart", "cart_then_order", ago(days=2)]
    assert (bought["exit_reason"], bought["goal"]) == ("goal_reached", "order")
    assert (bought["exited_at"], bought["left_at"]) == (ago(days=1), AS_OF)
    begun = [row for row in stays.values() if row["entered_at"] == AS_OF and row["is_current"]]
    assert begun
    assert all(row["entry_reason"] for row in begun)


def test_a_run_repeated_at_one_moment_makes_one_stay(shop: Shop) -> None:
    rows = shop.query(
        "select customer_id, entered_at, exited_at from marts.fct_segment_memberships "
        "where segment = 'recent_buyers' and customer_id in ('recent_14_days', 'cart_then_order') "
        "order by customer_id desc"
    )
    assert [(r["customer_id"], r["entered_at"], r["exited_at"]) for r in rows] == [
        ("recent_14_days", AS_OF, None),
        ("cart_then_order", AS_OF, None),
    ]


def test_orders_of_nobody_stay_in_the_totals(shop: Shop) -> None:
    [row] = shop.query(
        "select count(*) as n, sum(net_sales) as s from marts.fct_orders where customer_id is null"
    )
    assert (row["n"], row["s"]) == (5, 209)


def test_a_household_adds_up_its_people(shop: Shop) -> None:
    found = shop.query(
        "select household_id, member_count, buyer_count, lifetime_net_sales, "
        "lifetime_net_sales_issue from marts.dim_households order by household_id"
    )
    worth = shop.query(
        "select sum(lifetime_net_sales) as total from marts.dim_customers "
        "where customer_id in ('once', 'recent_14_days')"
    )[0]["total"]
    assert [tuple(row.values()) for row in found] == [
        ("home", 2, 2, None, "missing_rate"),
        ("other_home", 2, 2, worth, None),
    ]


def test_a_group_too_large_for_a_home_has_none(shop: Shop) -> None:
    assert not shop.query(
        "from marts.bridge_customer_households where customer_id = 'recent_15_days'"
    )


def test_the_most_doubtful_come_first_in_the_review(shop: Shop) -> None:
    over = shop.query(
        "select distinct customer_id, customer_score, review_rank "
        "from marts.qa_identity_over_merging order by review_rank"
    )
    assert [tuple(row.values()) for row in over] == [("twice", 6, 1), ("once", 3, 2)]
    under = shop.query(
        "select distinct customer_a, customer_b, pair_score, review_rank "
        "from marts.qa_identity_under_merging order by review_rank"
    )
    assert [tuple(row.values()) for row in under] == [
        ("once", "twice", 6, 1),
        ("no_rate", "once", 5, 2),
    ]


def test_how_it_began_and_where_somebody_left_off_are_kept(shop: Shop) -> None:
    """First touch and its source, what was looked at first and last, what went into the cart."""
    (row,) = shop.query("select * from marts.customer_360 where customer_id = 'visitor_once'")
    assert row["first_marketing_channel"] == "direct"
    assert (row["first_touch_channel"], row["first_touch_kind"]) == ("web", "product_viewed")
    assert (row["first_viewed_product_id"], row["first_viewed_at"]) == ("mug", ago(days=30))
    assert (row["last_viewed_product_id"], row["last_viewed_at"]) == ("pot", ago(days=29))
    assert (row["last_added_product_id"], row["last_added_at"]) == ("mug", ago(days=28))
    assert row["first_touch_at"] == ago(days=30)


LEVELS = {
    "never": ("segment", "never_asked", 0),
    "full": ("full", "granted", 1),
    "segment": ("segment", "granted", 1),
    "none": ("none", "denied", 1),
    "yes": ("full", "granted", 1),
    "expired": ("segment", "expired", 1),
    "changed": ("segment", "granted", 1),
    "back": ("full", "granted", 1),
    "back_unproved": ("none", "denied", 2),
    "two_channels": ("segment", "granted", 2),
    "merged": ("none", "denied", 2),
    "no_letters": ("full", "granted", 1),
    "nothing_ever": ("none", "revoked", 2),
    "came_again": ("segment", "granted", 1),
    "stopped": ("none", "manual", 2),
    "later": ("segment", "never_asked", 0),
    "without_source": ("segment", "never_asked", 0),
    "expired_and_full": ("full", "granted", 2),
    "banner_yes": ("segment", "never_asked", 0),
    "banner_no": ("none", "denied", 1),
    "by_sms": ("none", "denied", 2),
}


@pytest.mark.parametrize("name", LEVELS)
def test_the_strictest_answer_says_how_far_somebody_is_personalised(shop: Shop, name: str) -> None:
    (row,) = shop.query(f"from marts.customer_personalisation where customer_id = 'level_{name}'")
    assert (row["level"], row["reason"], row["answer_count"]) == LEVELS[name]
    answered = row["reason"] not in ("never_asked", "expired", "manual")
    assert (row["receipt_id"] is not None) == answered
    assert (row["answered_at"] is None) == (row["reason"] == "never_asked")


def test_what_was_asked_and_answered_is_counted_by_month_channel_level_and_wording(
    shop: Shop,
) -> None:
    """people.add_trend: the counts of people, by hand."""
    rows = shop.query(
        "select * from marts.rpt_permission_trend where month between '2019-01-01' and '2019-12-31'"
    )
    assert {
        (
            *(row["month"].isoformat(), row["channel"], row["purpose"], row["level"]),
            *(row["wording_version"], row["asked_count"], row["granted_count"]),
            *(row["denied_count"], row["withdrawn_count"], row["opt_in_rate"]),
        )
        for row in rows
    } == {
        ("2019-03-01", "email", "marketing", "unstated", "v1", 7, 5, 1, 1, Decimal("0.7143")),
        ("2019-03-01", "email", "marketing", "unstated", "v2", 1, 1, 0, 0, Decimal(1)),
        ("2019-03-01", "email", "personalisation", "full", "v1", 2, 2, 0, 0, Decimal(1)),
        ("2019-03-01", "email", "personalisation", "segment", "v1", 2, 1, 0, 0, Decimal("0.5")),
        ("2019-03-01", "email", "*", "unstated", "unstated", 0, 0, 0, 1, None),
        ("2019-04-01", "email", "marketing", "unstated", "v1", 1, 0, 0, 0, Decimal(0)),
    }


def test_when_somebody_was_last_asked_is_told_and_changes_no_answer(shop: Shop) -> None:
    """The last question about personalisation; LEVELS above has what the same people answered."""
    assert {
        row["customer_id"]: (row["requested_at"], row["level"], row["reason"])
        for row in shop.query(
            "from marts.customer_personalisation where requested_at is not null"
        )
    } == {
        "level_never": (ago(days=20), "segment", "never_asked"),
        "level_none": (ago(days=60), "none", "denied"),
    }  # fmt: skip


def test_who_is_anonymous_has_no_level_and_everybody_known_has_one(shop: Shop) -> None:
    assert shop.query(
        """
        select count(*) as people, count(*) filter (where level is null) as lacking
        from marts.dim_customers left join marts.customer_personalisation using (customer_id)
        where is_known <> (level is not null)
        """
    ) == [{"people": 0, "lacking": 0}]


def test_the_wide_view_has_the_level_and_the_strongest_interest(shop: Shop) -> None:
    found = {
        row["customer_id"]: (row["personalisation_level"], row["interest_category"])
        for row in shop.query("from marts.customer_360")
    }
    assert found["level_full"] == ("full", None)
    assert found["level_never"] == ("segment", None)
    assert found["level_anonymous"] == ("none", None)
    # Bought and kept: the handmade shop sells mugs alone
    assert found["level_interested"] == ("segment", "Kitchen")
    assert found["level_sent_back"] == ("segment", None)


def test_the_wide_view_has_the_best_step_with_its_reason_and_proof(shop: Shop) -> None:
    first = {"replenish": 1, "next": 2, "cross_sell": 3, "bundle": 4, "up_sell": 5}
    best: dict[str, Row] = {}
    for row in shop.query("from marts.fct_recommendations where rank = 1"):
        other = best.get(row["customer_id"])
        if other is None or first[row["kind"]] < first[other["kind"]]:
            best[row["customer_id"]] = row
    assert best
    columns = ("kind", "product_id", "reason", "method", "proof")
    for row in shop.query("from marts.customer_360"):
        step = best.get(row["customer_id"], {})
        named = ("", "_product_id", "_reason", "_method", "_proof")
        assert [row[f"next_step{each}"] for each in named] == [step.get(each) for each in columns]
        if step:
            assert row[f"{step['kind']}_product_id"] == step["product_id"]


def test_the_wide_view_has_what_is_predicted_or_why_not(shop: Shop) -> None:
    """Whoever has ordered has a chance or a reason; nobody else has either."""
    for row in shop.query("from marts.customer_360"):
        told = (row["churn_risk"] is None) != (row["churn_risk_null_reason"] is None)
        assert told == (row["rfm_segment"] != "prospects")
        named = (row["next_category"] is None) != (row["next_category_null_reason"] is None)
        assert named == (row["rfm_segment"] != "prospects")


def test_an_experiments_assignment_is_a_fact(shop: Shop) -> None:
    (row,) = shop.query("from marts.fct_experiment_assignments")
    assert (row["customer_id"], row["experiment_group"]) == ("level_full", "holdout")


def test_a_benefit_is_a_voucher_of_ones_own_or_what_ones_segment_may_have(shop: Shop) -> None:
    rows = shop.query("from marts.customer_benefits where benefit = 'voucher'")
    assert {(row["customer_id"], row["promotion_id"]) for row in rows} == {
        ("level_full", "open"),
        ("level_full", "code_of_an_earlier_time"),
        ("level_full", "thanks_unused"),
        ("level_none", "endless"),
        ("level_segment", "last_second"),
        ("voucher_7_days", "own"),
        ("voucher_8_days", "own"),
    }
    said = {row["promotion_id"]: (row["reason"], row["product_id"]) for row in rows}
    until = ago(days=-10).date()
    assert said["open"] == (f"Has a voucher of their own, until {until}.", "mug")
    assert said["endless"] == ("Has a voucher of their own.", None)
    rows = shop.query("from marts.customer_benefits where benefit = 'segment'")
    may_have = {(row["customer_id"], row["promotion_id"], row["code"]) for row in rows}
    subscribers = {(one, "subscribers", "HELLO") for one in members(shop, "new_subscribers")}
    bought_once = {(one, "once", "ONCE") for one in members(shop, "one_time_buyers")}
    best = {(one, "early_access", None) for one in members(shop, "vip")}
    assert subscribers and best
    assert ("level_interested", "once", "ONCE") in bought_once
    assert may_have == best | subscribers | bought_once - {("level_interested", "once", "ONCE")}


def test_each_model_s_days_add_up_and_the_last_touch_differs_from_itself_by_nothing(
    shop: Shop,
) -> None:
    (sales,) = shop.query("select sum(net_sales_shop) as all from marts.fct_orders where is_kept")
    rows = shop.query(
        "select model, sum(attributed_net_sales) as all, sum(difference_to_last_touch) as moved,"
        " max(abs(difference_to_last_touch)) as most from marts.rpt_attribution group by model"
    )
    assert {row["model"] for row in rows} >= {"first_touch", "last_touch", "linear", "time_decay"}
    for row in rows:
        assert (row["all"], row["moved"]) == (sales["all"], 0)
        assert row["model"] != "last_touch" or row["most"] == 0
    (firsts,) = shop.query(
        "select sum(first_orders) as orders, sum(attributed_clv) as worth"
        " from marts.rpt_attribution where model = 'linear'"
    )
    (buyers,) = shop.query(
        "select count(*) as people, sum(lifetime_net_sales) as worth"
        " from marts.dim_customers where order_count > 0"
    )
    assert firsts["orders"] == buyers["people"]
    assert abs(firsts["worth"] - buyers["worth"]) < 1


def test_as_many_come_to_a_stage_as_go_on_or_stay(shop: Shop) -> None:
    rows = shop.query("from marts.rpt_journey_flow")
    stages = ("awareness", "consideration", "acquisition", "purchase", "advocacy")
    for stage in stages:
        came = sum(row["customer_count"] for row in rows if row["to_stage"] == stage)
        left = [row for row in rows if row["from_stage"] == stage]
        assert came == sum(row["customer_count"] for row in left)
        assert sum(row["share"] for row in left) == pytest.approx(1)
    skips = {(row["from_stage"], row["to_stage"]): row["skipped_stage_count"] for row in rows}
    assert skips["awareness", "consideration"] == 0
    assert skips[None, "awareness"] == 0
    assert max(skips.values()) > 0
    assert all(row["silent_count"] == 0 for row in rows if row["to_stage"])


def test_every_message_is_in_one_rate(shop: Shop) -> None:
    (sent,) = shop.query(
        "select count(sent_at) as sent, count(clicked_at) as clicked from marts.fct_messages"
    )
    (rates,) = shop.query(
        "select sum(sent_count) as sent, sum(clicked_count) as clicked, max(open_rate) as most"
        " from marts.rpt_message_rates"
    )
    assert (rates["sent"], rates["clicked"]) == (sent["sent"], sent["clicked"])
    assert sent["clicked"] > 0


def letters(shop: Shop) -> dict[tuple[str, str], Row]:
    """people.add_letters: the month's rates by kind of message and source of the reader."""
    rows = shop.query(
        "from marts.rpt_message_rates where sent_month = date '2025-09-01' and"
        " (message_kind = 'thank_you' or subscriber_source in ('quiz', 'fair'))"
    )
    return {(row["message_kind"], row["subscriber_source"]): row for row in rows}


def test_each_kind_of_message_has_its_open_click_and_order_rate(shop: Shop) -> None:
    rates = {
        key: (row["open_rate"], row["click_rate"], row["order_rate"])
        for key, row in letters(shop).items()
    }
    assert rates == {
        ("promo", "quiz"): (1, 0, 0),
        ("promo", "fair"): (1, 1, 0),
        ("thank_you", "quiz"): (1, 1, 0),
        ("thank_you", "fair"): (0, 0, 0),
        ("thank_you", "unknown"): (1, 1, 1),
    }
    (thanked,) = (row for row in letters(shop).values() if row["order_count"])
    assert (thanked["order_count"], thanked["net_sales"]) == (1, 9000)


def test_readers_of_each_source_have_their_click_to_open_rate(shop: Shop) -> None:
    """What a machine opened is in no rate."""
    rows = letters(shop)
    assert rows["promo", "quiz"]["click_to_open_rate"] == 0
    assert rows["promo", "fair"]["click_to_open_rate"] == 1
    machine = rows["thank_you", "fair"]
    assert (machine["machine_opened_count"], machine["click_to_open_rate"]) == (1, None)


def test_what_people_did_since_they_were_drawn_and_before(shop: Shop) -> None:
    rows = shop.query("from marts.fct_experiment_outcomes where kind = 'holdout'")
    drawn = {row["customer_id"]: row for row in rows}
    assert "forgotten" not in drawn and "once" not in drawn
    whale = drawn["whale"]
    assert (whale["is_treated"], whale["orders"], whale["orders_before"]) == (True, 1, 1)
    assert (whale["net_sales"], whale["net_sales_before"], whale["visits"]) == (9000, 9000, 1)
    assert (whale["measured_until"], whale["planned_share"]) == (AS_OF, 1)
    assert not drawn["level_full"]["is_treated"]
    (elsewhere,) = shop.query("from marts.fct_experiment_outcomes where kind = 'experiment'")
    assert (elsewhere["experiment"], elsewhere["is_treated"]) == ("spring", False)
    assert elsewhere["measured_until"] == elsewhere["assigned_at"] + dt.timedelta(days=28)


def test_without_a_prediction_the_base_has_no_equity_and_says_why(shop: Shop) -> None:
    rows = shop.query("from marts.rpt_customer_equity")
    assert len(rows) > 1
    assert {(row["equity_value"], row["null_reason"]) for row in rows} == {
        (None, "no_fitted_model")
    }
    (what_if,) = shop.query("from marts.rpt_retention_what_if")
    assert (what_if["added_margin"], what_if["null_reason"]) == (None, "too_few_people")
