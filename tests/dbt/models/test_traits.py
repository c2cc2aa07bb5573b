"""Traits: what people say of themselves, what is seen, and facts that disagree side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.dbt.scenes import event, order
from tests.dbt.world import World

Trait = tuple[Any, ...]


def traits(world: World, *names: str) -> list[Trait]:
    """Value, kind, sensitivity, source, when and until when, of everybody."""
    with world.warehouse() as con:
        return con.execute(
            "select trait, value, evidence_kind, sensitivity, source, stated_at::date::varchar,"
            " valid_to::date::varchar from marts.customer_traits"
            " where len($names) = 0 or list_contains($names, trait) order by all",
            {"names": list(names)},
        ).fetchall()


def test_a_size_that_changed_ends_and_another_source_stays(
    timeline_world: World,
) -> None:
    """One list says 38, then 39; the till still says 38. What comes after `as_of` is not known."""
    assert traits(timeline_world, "shoe_size") == [
        *[("shoe_size", "38", "stated", "personal", *rest) for rest in (
            ("contacts:newsletter", "2026-05-02", "2026-05-09"),
            ("contacts:store_till", "2026-05-10", None),
        )],
        ("shoe_size", "39", "stated", "personal", "contacts:newsletter", "2026-05-09", None),
    ]  # fmt: skip


def test_a_column_of_the_shops_own_keeps_its_name_whatever_it_is(timeline_world: World) -> None:
    """Also one that is called as a column of ours; what is no plain word states nothing."""
    own = traits(timeline_world, "stage", "customer_id", "value", "lifestyle", "note", "empty")
    own = [row for row in own if row[4].startswith("contacts")]
    assert [row[:4] for row in own] == [
        ("customer_id", "C-9", "stated", "personal"),
        ("lifestyle", "hikes, a lot", "stated", "personal"),
        ("stage", "gardener", "stated", "personal"),
        ("value", "12", "stated", "personal"),
    ]
    assert traits(timeline_world, "note", "empty", "nothing") == []


def test_the_seed_says_what_is_sensitive_in_any_alphabet(timeline_world: World) -> None:
    assert [row[:4] for row in traits(timeline_world, "религия")] == [
        ("религия", "не скажу", "stated", "sensitive")
    ]


def test_a_name_of_the_shops_own_is_as_sensitive_as_its_words(timeline_world: World) -> None:
    names = ("hiv_status", "kinder_anzahl", "santé_mentale", "lifestyle", "stage")
    found = {row[0]: row[3] for row in traits(timeline_world, *names) if row[2] == "stated"}
    assert found == {
        "hiv_status": "sensitive",
        "kinder_anzahl": "sensitive",
        "santé_mentale": "sensitive",
        "lifestyle": "personal",
        "stage": "personal",
    }


def test_contact_fields_are_stated_and_a_birthday_is_month_and_day(timeline_world: World) -> None:
    found = {row[:3] + row[4:5] for row in traits(timeline_world)}
    assert {
        ("gender", "f", "stated", "contacts:newsletter"),
        ("birthday", "05-17", "stated", "contacts:newsletter"),
        ("birth_year", "1980", "stated", "contacts:newsletter"),
        ("job", "teacher", "stated", "contacts:store_till"),
        ("country", "FR", "stated", "contacts:store_till"),
        ("preferred_channel", "sms", "stated", "contacts:store_till"),
    } <= found


def test_answers_are_traits_by_their_question(timeline_world: World) -> None:
    """From the site's quizzes and from files; a later answer ends the earlier one."""
    names = ("skin_type", "stage", "what_matters_most")
    found = [row for row in traits(timeline_world, *names) if not row[4].startswith("contacts")]
    assert [(row[0], row[1], row[4], row[6]) for row in found] == [
        ("skin_type", "dry", "web:quiz", None),
        ("stage", "beginner", "web:quiz", None),
        ("what_matters_most", "Fair wages", "feedback:survey", "2026-05-10"),
        ("what_matters_most", "Low prices", "feedback:survey", None),
    ]
    assert {row[2:4] for row in found} == {("stated", "personal")}


def test_what_was_bought_looked_at_and_used_is_observed_with_its_share(
    timeline_world: World,
) -> None:
    """Cancelled and test orders are no purchases, a robot's views nobody's."""
    with timeline_world.warehouse() as con:
        found = con.execute(
            "select trait, value, score::varchar from marts.customer_traits"
            " where evidence_kind = 'observed' and score is not null order by all"
        ).fetchall()
    assert found == [
        ("bought_brand", "Regular", "1.0000"),
        ("bought_category", "Drinks", "1.0000"),
        ("bought_city", "Leeds", "1.0000"),
        ("bought_colour", "green", "1.0000"),
        ("bought_hour", "11", "0.5000"),
        ("bought_hour", "12", "0.2500"),
        ("bought_hour", "13", "0.2500"),
        ("bought_size", "250 g", "1.0000"),
        ("bought_weekday", "tuesday", "0.2500"),
        ("bought_weekday", "wednesday", "0.7500"),
        ("country", "GB", "1.0000"),
        ("device_kind", "desktop", "1.0000"),
        ("searched_category", "Kitchen", "1.0000"),
        ("sends_elsewhere", "no", "0.5000"),
        ("sends_elsewhere", "yes", "0.5000"),
        ("store", "north", "1.0000"),
        ("viewed_category", "Drinks", "0.5000"),
        ("viewed_category", "Kitchen", "0.5000"),
        ("visited_city", "York", "1.0000"),
        ("visited_hour", "10", "1.0000"),
        ("visited_weekday", "friday", "0.3333"),
        ("visited_weekday", "sunday", "0.3333"),
        ("visited_weekday", "tuesday", "0.3333"),
    ]


def test_where_and_when_somebody_shops_and_what_they_prefer_stand_in_the_wide_view(
    timeline_world: World,
) -> None:
    """Stated before observed, the last statement first; the hour is of the shop's clock."""
    with timeline_world.warehouse() as con:
        found = con.execute(
            "select preferred_channel, size, size_evidence_kind, fit, fit_evidence_kind, colour,"
            " colour_evidence_kind, shopping_hour, shopping_weekday, shopping_city"
            " from marts.customer_360 join marts.dim_customers using (customer_id)"
            " where dim_customers.email = 'ann@time.example'"
        ).fetchall()
    stated, seen = "stated", "observed"
    assert found == [
        ("email", "M", stated, "slim", stated, "green", seen, 11, "wednesday", "Leeds")
    ]


def test_interests_preferences_and_behaviour_stand_in_one_row(timeline_world: World) -> None:
    with timeline_world.warehouse() as con:
        found = con.execute(
            "select interest_category, interest_topic, preferred_channel, size, colour,"
            " visit_count, product_view_count, clicked_count, order_count"
            " from marts.customer_360 where email = 'ann@time.example'"
        ).fetchall()
    assert found == [("Drinks", "tea", "email", "M", "green", 3, 2, 1, 4)]


def test_products_in_somebodys_size_and_fit_for_an_occasion_are_one_query(
    timeline_world: World,
) -> None:
    """The query of docs/segments.md."""
    text = (Path(__file__).parents[3] / "docs" / "segments.md").read_text("utf-8")
    blocks = [block.split("```")[0] for block in text.split("```sql")[1:]]
    [query] = [block for block in blocks if "ref('dim_products')" in block]
    for name in ("customer_preferences", "dim_products"):
        query = query.replace(f"{{{{ ref('{name}') }}}}", f"marts.{name}")
    with timeline_world.warehouse() as con:
        assert [row[1:] for row in con.execute(query).fetchall()] == [("coat-1",)]


def test_what_somebody_asked_support_or_said_they_prefer_is_a_signal_with_its_time(
    timeline_world: World,
) -> None:
    with timeline_world.warehouse() as con:
        found = con.execute(
            "select support_count, last_support_at::varchar, last_preference_at::varchar,"
            " last_complaint_at, preferred_channel from marts.customer_360"
            " where support_count > 0"
        ).fetchall()
    asked, preferred = "2026-05-08 11:00:00", "2026-05-11 11:00:00"
    assert found == [(1, asked, preferred, None, "email")]


def test_a_profile_holds_what_is_stated_observed_and_inferred(timeline_world: World) -> None:
    """Age, gender, habits in buying and browsing, interests, tastes, lifestyle, values, needs."""
    found = {(row[0], row[2]) for row in traits(timeline_world)}
    assert {
        *(("birth_year", "stated"), ("gender", "stated")),
        *(("bought_category", "observed"), ("viewed_category", "observed")),
        *(("interest_category", "inferred"), ("interest_topic", "inferred")),
        *(("bought_colour", "observed"), ("lifestyle", "stated")),
        *(("what_matters_most", "stated"), ("skin_type", "stated")),
    } <= found
    assert {kind for _, kind in found} == {"stated", "observed", "inferred"}


def test_an_interest_halves_with_the_days_since_each_signal(timeline_world: World) -> None:
    """One view 31 days ago, a line 27 and three 26 days ago, worth 5 each; half after 60 days. A
    search for a blue mug is half a view of what the shop has of them; one that found nothing none.
    """
    kitchen = 0.5 ** (29 / 60) + 0.5 * 0.5 ** (31 / 60)
    drinks = sum(worth * 0.5 ** (days / 60) for worth, days in ((1, 31), (5, 27), (15, 26)))
    with timeline_world.warehouse() as con:
        found = con.execute(
            "select interest_kind, interest, score::double, interest_rank, signal_count,"
            " last_signal_at::varchar from marts.customer_interests"
            " where interest_kind in ('category', 'topic') order by all"
        ).fetchall()
        as_traits = con.execute(
            "select trait, value, evidence_kind, sensitivity, score::double"
            " from marts.customer_traits where source = 'customer_interests'"
            " and trait in ('interest_category', 'interest_topic') and valid_to is null"
            " order by all"
        ).fetchall()
    assert found == [
        ("category", "Drinks", round(drinks, 4), 1, 5, "2026-05-06 12:00:00"),
        ("category", "Kitchen", round(kitchen, 4), 2, 2, "2026-05-03 09:00:00"),
        ("topic", "tea", round(0.5 ** (20 / 60), 4), 1, 1, "2026-05-12 09:00:00"),
    ]
    assert as_traits == [
        (f"interest_{kind}", interest, "inferred", "none", score)
        for kind, interest, score, *_ in found
    ]


def test_who_buys_gifts_says_for_what_and_never_for_whom(timeline_world: World) -> None:
    assert traits(timeline_world, "buys_gifts", "buys_gifts_for") == [
        ("buys_gifts", "yes", "stated", "none", "orders", "2026-05-06", None),
        ("buys_gifts_for", "mothers_day", "stated", "personal", "orders", "2026-05-06", None),
    ]
    assert "Poppins" not in str(traits(timeline_world))


def test_the_shops_calendar_says_what_was_bought_for_its_days(timeline_world: World) -> None:
    with timeline_world.warehouse() as con:
        found = con.execute(
            "select occasion, country_code, status, days_until_start, order_count,"
            " gift_order_count, gift_customer_count from marts.dim_occasions order by all"
        ).fetchall()
    assert found == [
        ("christmas", None, "coming", 172, 0, 0, 0),
        ("mothers_day", "FR", "current", None, 0, 0, 0),
        ("mothers_day", "GB", "past", None, 3, 1, 1),
    ]


def test_a_persona_is_a_card_of_what_its_file_says(timeline_world: World) -> None:
    with timeline_world.warehouse() as con:
        found = con.execute(
            "select persona, needs, fears, cares_about, tastes, path::json ->> '$[0].do'"
            " from marts.dim_personas"
        ).fetchall()
    needs = "an idea in time, wrapping"
    assert found == [("Giver", needs, "late delivery", "thoughtful", None, "gift guide")]


@pytest.fixture(scope="module")
def tokyo(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Three people who only order, in another zone, currency and alphabet."""
    made = World(Path(tmp_path_factory.mktemp("tokyo")), "2026-05-20 00:00:00")
    gift = [{"name": "gift", "value": "true"}, {"name": "occasion", "value": "母の日"}]
    made.add(
        "raw_orders.orders",
        [
            order(
                "1", "10 16:00:00", email="hana@example.jp", currency="JPY", note_attributes=gift
            ),
            order("2", "11 16:00:00", email="ren@example.jp", currency="JPY"),
            order("3", "12 16:00:00", phone="+81312345678", currency="JPY"),
        ],
    )
    zone = '{"shop_timezone": "Asia/Tokyo", "shop_currency": "JPY", "default_country": "JP"}'
    chosen = (
        *("--select", "+fct_interactions", "+customer_preferences", "--exclude", "path:tests"),
        *("--exclude-resource-type", "test", "--exclude-resource-type", "unit_test"),
    )
    made.build(*chosen, variables=zone)
    with made.warehouse() as con:
        lines = con.execute(
            "select kind, currency, count(*) from marts.fct_interactions group by all"
        ).fetchall()
    assert lines == [("order_placed", "JPY", 3)]
    made.new_load()
    made.add(
        "raw_contacts.contacts",
        [{"email": "hana@example.jp", "source": "newsletter", "created_at": "2026-05-01 00:00:00",
          "attributes": {"靴のサイズ": "24.5", "宗教": "仏教"}}],
    )  # fmt: skip
    searched = {"properties": {"query": "青いマグ"}}
    made.add("raw_web.events", [event(1, "12 09:00", "pc", None, "Products Searched", **searched)])
    made.build(*chosen, variables=zone)
    return made


def test_a_small_shop_elsewhere_is_told_in_its_own_words(tokyo: World) -> None:
    stated = [row[:4] for row in traits(tokyo) if row[2] == "stated"]
    assert stated == [
        ("buys_gifts", "yes", "stated", "none"),
        ("buys_gifts_for", "mothers_day", "stated", "personal"),
        ("宗教", "仏教", "stated", "sensitive"),
        ("靴のサイズ", "24.5", "stated", "personal"),
    ]
    with tokyo.warehouse() as con:
        hours = con.execute(
            "select distinct shopping_hour from marts.customer_preferences order by all"
        ).fetchall()
        assert hours == [(1,), (18,)], "four in the afternoon UTC is one in the night there"
        kinds = con.execute(
            "select kind, detail->>'query', count(*) from marts.fct_interactions group by all"
        ).fetchall()
    assert ("products_searched", "青いマグ", 1) in kinds
    assert ("order_placed", None, 3) in kinds
