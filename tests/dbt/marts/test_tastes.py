"""What people like, where they left off, how to reach them: decay, evidence, and any month end."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest

from tests.dbt.marts.shop import Shop
from tests.dbt.marts.test_replenishments import product

AS_OF = dt.datetime(2026, 6, 20, 12)
MARCH = dt.date(2026, 3, 31)
MODELS = [
    *("path:models/intermediate/interests", "customer_interests", "customer_traits", "traits"),
    *("fct_orders", "fct_order_lines", "dim_products", "occasions", "flagged_words"),
    *("fct_web_sessions", "fct_interactions", "int_interactions_messages", "fct_messages"),
    *("int_interactions_facts", "int_search_categories", "customer_preferences"),
    *("survivorship_rules", "region_names", "int_customer_claims", "bridge_customer_identifiers"),
    *("fct_customer_field_provenance", "customer_contact_details", "customer_channel_preferences"),
]
# One value of each kind at a time, so that a change is seen
ONE = {"traits_max_values": 1}


def at(month: int, day: int, hour: int = 10) -> dt.datetime:
    return dt.datetime(2026, month, day, hour)


def shop_as_of(shop: Shop, as_of: dt.datetime) -> Shop:
    """The shop with what happens to its people until June, told as of a moment."""
    shop.as_of = as_of
    for number, brand in enumerate(("Linen & Co", "Leaf", "Bean")):
        own = {"size": "SML"[number], "colour": ("red", "green", "blue")[number]}
        shop.add(
            "int_products_unioned",
            product_id=f"tee-{number}",
            product_name=f"Tee {number}",
            category="Tees",
            brand=brand,
            price=str(10 + 10 * number),
            currency="GBP",
            attributes=json.dumps(own),
            product_source="products",
        )
    product(shop, "mug", "Kitchen", "Regular", price="10", currency="GBP")
    shop.person("ann", at(1, 5))
    shop.person("nameless", at(6, 1), known=False)
    shop.event("ann", "Product Viewed", at(3, 2), product_id="tee-0")
    for day in (10, 11, 12):
        shop.event("ann", "Product Viewed", at(6, day), product_id="tee-2")
    for number, (month, answer) in enumerate([(1, "dry"), (2, "oily"), (5, "dry")]):
        shop.add(
            "int_stated_answers",
            customer_id="ann",
            trait="skin_type",
            value=answer,
            source="web:quiz",
            stated_at=at(month, 3),
            record_order=str(number),
        )
    shop.event("nameless", "Product Added", at(6, 5), product_id="mug")
    shop.event("nameless", "Product Added", at(6, 5), product_id="tee-1")
    shop.event("nameless", "Product Removed", at(6, 5, 11), product_id="tee-1")
    shop.event("nameless", "Product Viewed", at(6, 6), product_id="tee-2")
    return shop


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """As of the twentieth of June, with orders, messages and a time zone besides."""
    shop = shop_as_of(Shop(tmp_path_factory.mktemp("tastes"), AS_OF), AS_OF)
    shop.person("buyer", at(1, 5))
    shop.order("buyer", at(4, 1), net="40", ships_elsewhere=True)
    shop.order("buyer", at(4, 2), net="60", ships_elsewhere=False)
    shop.order("buyer", at(4, 3), net="0", returns="200", ships_elsewhere=False)
    shop.event("buyer", "Product Added", at(5, 28))
    shop.order("buyer", at(5, 29), net="40", ships_elsewhere=False)
    for name, zone, channel in (("buyer", "America/New_York", "sms"), ("ann", "Mars/Phobos", None)):
        shop.add(
            "int_contacts_resolved",
            contact_key=name,
            customer_id=name,
            contact_source="contacts",
            source="newsletter",
            source_record_id=name,
            timezone=zone,
            preferred_channel=channel,
            created_at=at(1, 6),
            evidence_grade="newsletter",
        )
    for day in (1, 8, 15):
        shop.message("buyer", at(6, day), clicked_at=at(6, day, 20))
    shop.message("buyer", at(6, 2), opened_at=at(6, 2))
    shop.message("buyer", at(6, 3), clicked_at=at(6, 3), unsubscribed_at=at(6, 3))
    shop.message("ann", at(6, 4), clicked_at=at(6, 4, 6))
    shop.message("ann", at(6, 5), channel="push", opened_at=at(6, 5, 6))
    shop.message("nameless", at(6, 5), opened_at=at(6, 5), machine_clicked_at=at(6, 5))
    for number in range(40):
        name = shop.person(f"other-{number:02}", at(1, 5))
        clicked = at(6, 6, 8) if number < 4 else None
        shop.message(name, at(6, 6), clicked_at=clicked)
        shop.message(name, at(6, 6), channel="push", opened_at=at(6, 6, 8) if number < 8 else None)
    shop.run(MODELS, ONE)
    return shop


def traits(shop: Shop, customer: str, *names: str, where: str = "true") -> list[tuple[Any, ...]]:
    """Trait, value and when it held, of one person."""
    rows = shop.query(
        f"select trait, value, valid_from, valid_to from marts.customer_traits"
        f" where customer_id = '{customer}' and {where} order by all"
    )
    return [tuple(row.values()) for row in rows if not names or row["trait"] in names]


def test_interests_are_of_every_thing_known_of_a_product_and_say_how_sure(shop: Shop) -> None:
    rows = shop.query(
        "select trait, value, evidence_kind, sensitivity, score::double as score, stated_at"
        " from marts.customer_traits where customer_id = 'ann' and trait like 'interest%'"
        " and valid_to is null order by trait"
    )
    three = sum(0.5 ** (days / 60) for days in (8, 9, 10))
    by_trait = {row["trait"]: row for row in rows}
    assert {trait: (row["value"], row["sensitivity"]) for trait, row in by_trait.items()} == {
        "interest_brand": ("Bean", "none"),
        "interest_category": ("Tees", "none"),
        "interest_colour": ("blue", "none"),
        "interest_configuration": ("L, blue", "personal"),
        "interest_price_band": ("upper", "none"),
        "interest_size": ("L", "personal"),
        "interest_variant": ("tee-2", "none"),
    }
    assert {row["evidence_kind"] for row in rows} == {"inferred"}
    assert by_trait["interest_brand"]["score"] == pytest.approx(three, abs=1e-4)
    assert by_trait["interest_brand"]["stated_at"] == at(6, 12)


def test_a_changed_interest_closes_its_old_row(shop: Shop) -> None:
    midnight = dt.datetime(2026, 3, 31), dt.datetime(2026, 6, 20)
    assert traits(shop, "ann", "interest_brand") == [
        ("interest_brand", "Bean", midnight[1], None),
        ("interest_brand", "Linen & Co", *midnight),
    ]


def test_what_was_said_again_has_a_row_of_its_own(shop: Shop) -> None:
    assert traits(shop, "ann", "skin_type") == [
        ("skin_type", "dry", at(1, 3), at(2, 3)),
        ("skin_type", "dry", at(5, 3), None),
        ("skin_type", "oily", at(2, 3), at(5, 3)),
    ]


def test_a_month_end_asked_later_is_what_a_run_of_that_day_said(
    shop: Shop, tmp_path_factory: pytest.TempPathFactory
) -> None:
    then = shop_as_of(Shop(tmp_path_factory.mktemp("march"), AS_OF), at(3, 31, 12))
    for table, moment in (
        ("int_web_interactions", "occurred_at"),
        ("int_interactions_web", "occurred_at"),
        ("int_stated_answers", "stated_at"),
    ):
        then.rows[table] = [row for row in then.rows[table] if row[moment] <= then.as_of]
    then.run(MODELS, ONE)
    kinds = "evidence_kind in ('stated', 'inferred') and trait not like '%configuration'"
    kinds += " and trait not like '%variant'"  # kept of the run's date alone
    then_rows = traits(then, "ann", where=f"valid_to is null and {kinds}")
    asked = traits(
        shop,
        "ann",
        where=f"{kinds} and trait <> 'timezone' and valid_from <= timestamp '2026-03-31'"
        " and (valid_to is null or valid_to > timestamp '2026-03-31')",
    )
    assert [row[:3] for row in asked] == [row[:3] for row in then_rows]
    assert ("interest_brand", "Linen & Co") in [row[:2] for row in asked]
    assert ("skin_type", "oily") in [row[:2] for row in asked]


def test_where_somebody_left_off_is_the_last_product_and_the_cart(shop: Shop) -> None:
    names = ("last_viewed_product", "cart_product")
    assert [row[:2] for row in traits(shop, "nameless", *names)] == [
        ("cart_product", "mug"),
        ("last_viewed_product", "tee-2"),
    ]
    assert traits(shop, "buyer", *names) == [], "the order answered the cart"


def test_what_people_spend_and_whether_they_send_it_elsewhere_is_seen(shop: Shop) -> None:
    """What came back whole is no price that they are willing to pay."""
    names = ("usual_order_value", "highest_price_paid", "sends_elsewhere")
    assert [row[:2] for row in traits(shop, "buyer", *names)] == [
        ("highest_price_paid", "60.00 GBP"),
        ("sends_elsewhere", "no"),
        ("usual_order_value", "40.00 GBP"),
    ]


def reach(shop: Shop, customer: str) -> list[dict[str, Any]]:
    return shop.query(
        "select channel, rank, basis, message_count, reaction_count, best_hour, best_weekday,"
        f" time_basis from marts.customer_channel_preferences where customer_id = '{customer}'"
        " order by rank"
    )


def test_stated_beats_measured_and_a_clock_is_the_persons_own(shop: Shop) -> None:
    """Twenty o'clock UTC is four in the afternoon in New York; nobody reacted to a text message."""
    assert [tuple(row.values()) for row in reach(shop, "buyer")] == [
        ("sms", 1, "stated", 0, 0, None, None, None),
        ("email", 2, "measured", 5, 3, 16, "monday", "own"),
    ]


def test_few_reactions_speak_with_the_shops_people(shop: Shop) -> None:
    """Push is better answered in this shop; a zone that there is not is the shop's."""
    assert [tuple(row.values()) for row in reach(shop, "ann")] == [
        ("push", 1, "measured", 1, 1, 9, "saturday", "shop"),
        ("email", 2, "measured", 1, 1, 9, "saturday", "shop"),
    ]
    assert reach(shop, "nameless") == [], "an opened email and a machine's click are no reaction"


def test_rates_are_drawn_toward_the_shops(shop: Shop) -> None:
    rows = shop.query(
        "select customer_id, reaction_rate::double as own, shop_rate::double as shop"
        " from marts.customer_channel_preferences where channel = 'email'"
        " and reaction_count > 0"
    )
    by_person = {row["customer_id"]: row for row in rows}
    for name, raw in (("ann", 1.0), ("buyer", 0.6)):
        assert by_person[name]["shop"] < by_person[name]["own"] < raw
    assert by_person["ann"]["shop"] == pytest.approx(8 / 47, abs=1e-6)
