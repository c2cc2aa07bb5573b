"""A segment may use what its level allows, no sensitive trait, and no household below full."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ingestion.config import REPOSITORY
from orchestration.home.layout import Home
from orchestration.quality.segment_traits import (
    COMMENT,
    TABLE,
    Judged,
    Meanings,
    Segment,
    add_segment_traits,
    check_segment_traits,
    judge,
    judge_segments,
)
from orchestration.run.dbt import target_path

TABLES = {
    "marts.dim_customers": ("customer_id", "first_name", "order_count", "country_code"),
    "marts.customer_traits": ("customer_id", "trait", "value", "sensitivity"),
    "marts.fct_orders": ("customer_id", "order_id", "occasion"),
    "marts.fct_interactions": ("customer_id", "kind", "detail"),
    "marts.dim_promotions": ("promotion_id", "code"),
    "marts.bridge_customer_identifiers": ("customer_id", "identifier_value"),
    "marts.bridge_customer_households": ("customer_id", "household_id"),
    "marts.dim_households": ("household_id", "people_count"),
    "marts.recent_interactions": ("customer_id", "event_name", "page_url"),
    "marts.fct_web_sessions": ("customer_id", "landing_page_url", "referrer"),
    "marts.fct_order_tags": ("customer_id", "order_id", "tag"),
    "marts.customer_360": ("customer_id", "segments"),
    "marts.fct_segment_memberships": ("customer_id", "segment", "exited_at"),
    "marts.fct_identity_edges": ("identifier_a_value", "identifier_b_value"),
    "segments.seg_vip": ("customer_id", "reason", "context"),
    "marts.customer_channel_preferences": ("customer_id", "channel", "best_hour"),
    "marts.customer_interests": ("customer_id", "interest_kind", "interest"),
    "marts.fct_customer_intent": (
        *("customer_id", "is_current", "intent", "signal_category", "reason", "next_stage"),
    ),
    "marts.new_table": ("customer_id", "religion", "weight"),
}
PEOPLE = "from marts.dim_customers as p"


def judged(context: str, source: str = PEOPLE, ctes: str = "", **meta: Any) -> Judged:
    made = f"json_object('field', {context})"
    sql = f"{ctes} select p.customer_id, 'words' as reason, {made} as context {source}"
    return judge(Segment("test", sql, meta), TABLES, Meanings())


def faults(*arguments: Any, **meta: Any) -> str:
    return " ".join(sentence for sentence, _ in judged(*arguments, **meta).faults)


def traits(each: Judged, part: str = "context") -> dict[str, str]:
    return {use.trait: use.sensitivity for use in each.uses if use.part == part}


def test_a_sensitive_trait_through_two_ctes_and_a_new_name_is_refused() -> None:
    said = faults(
        "chosen.label",
        f"{PEOPLE} left join chosen on p.customer_id = chosen.customer_id",
        "with beliefs as (select customer_id, value as mild from marts.customer_traits"
        " where trait = 'religion'),"
        " chosen as (select customer_id, upper(mild) as label from beliefs)",
    )
    assert "The segment test uses the sensitive trait religion in its context" in said
    assert "marts.customer_traits.value by way of beliefs, chosen" in said


@pytest.mark.parametrize(
    ("trait", "source"),
    [
        *((f"interest_{kind}", "customer_traits") for kind in ("brand", "price_band", "size")),
        ("last_viewed_product", "customer_traits"),
        ("usual_order_value", "customer_traits"),
        ("best_hour", "customer_channel_preferences"),
        ("interest", "customer_interests"),
    ],
)
def test_below_level_full_no_taste_goes_out(trait: str, source: str) -> None:
    """What is inferred or seen of a person may choose who is in a segment, and not be told."""
    is_tall = source == "customer_traits"
    chosen = f"where p.trait = '{trait}'" if is_tall else ""
    asked = ("p.value" if is_tall else f"p.{trait}", f"from marts.{source} as p {chosen}")
    for level in ("none", "segment"):
        assert "which needs level full" in faults(*asked, level=level)
    assert faults(*asked, level="full") == ""


@pytest.mark.parametrize("column", ["intent", "signal_category", "reason", "next_stage"])
def test_below_level_full_no_intent_goes_out(column: str) -> None:
    source = "from marts.fct_customer_intent as p where p.is_current"
    for level in ("none", "segment"):
        assert "which needs level full" in faults(f"p.{column}", source, level=level)
    assert faults(f"p.{column}", source, level="full") == ""


@pytest.mark.parametrize("column", ["religion", "weight"])
def test_a_column_is_as_sensitive_as_the_trait_of_its_name(column: str) -> None:
    assert f"sensitive trait {column}" in faults(f"p.{column}", "from marts.new_table as p")


def test_a_sensitive_trait_is_refused_where_it_decides_who_is_in_it() -> None:
    said = faults("'HELLO'", "from marts.new_table as p where p.religion is not null")
    assert "uses the sensitive trait religion in its rows" in said


def test_a_harmless_use_hides_no_sensitive_one_of_the_same_table() -> None:
    source = (
        "from marts.customer_traits as p cross join marts.customer_traits as q"
        " where p.sensitivity = 'none'"
    )
    assert "in its rows (marts.customer_traits" in faults("p.value", source)


@pytest.mark.parametrize(
    ("condition", "allowed"),
    [
        ("p.trait = 'hobby'", True),
        ("p.trait in ('hobby', 'shoe_size')", True),
        ("p.trait in ('hobby', 'weight')", False),
        ("p.sensitivity = 'none'", True),
        ("p.sensitivity in ('none', 'personal')", True),
        ("p.sensitivity in ('none', 'sensitive')", False),
        ("p.trait = 'our_own_word'", True),  # unknown traits are personal
        ("p.trait <> 'religion'", False),
        ("true", False),
        ("p.trait = 'buys_gifts_for'", False),
        ("p.trait = 'buys_gifts_for' and p.value = 'birthday'", True),
    ],
)
def test_a_table_of_any_trait_has_to_be_asked_for_one(condition: str, allowed: bool) -> None:
    source = f"from marts.customer_traits as p where {condition}"
    assert bool(faults("p.value", source)) is not allowed


@pytest.mark.parametrize(
    ("join", "allowed"), [("inner", True), ("left", True), ("right", False), ("full", False)]
)
def test_a_condition_of_a_join_counts_where_it_leaves_out_rows(join: str, allowed: bool) -> None:
    source = (
        f"{PEOPLE} {join} join marts.customer_traits as t"
        " on p.customer_id = t.customer_id and t.trait = 'store'"
    )
    assert bool(faults("t.value", source)) is not allowed


@pytest.mark.parametrize(
    ("value", "kept", "allowed"),
    [
        ("value", "trait = 'store'", True),
        ("max(value) over (partition by customer_id, trait)", "trait = 'store'", True),
        ("lag(value) over (partition by customer_id order by trait)", "trait = 'store'", False),
        ("string_agg(value) over (partition by customer_id)", "sensitivity = 'none'", False),
        ("bool_or(trait = 'faith') over (partition by customer_id)", "trait = 'store'", False),
    ],
)
def test_a_window_looks_beside_what_a_condition_outside_leaves(
    value: str, kept: str, allowed: bool
) -> None:
    ctes = f"with p as (select *, {value} as v from marts.customer_traits)"
    assert bool(faults("p.v", f"from p where {kept}", ctes)) is not allowed


@pytest.mark.parametrize(
    "name",
    ["pregnant", "hiv_status", "schwanger", "konfession", "allergien", "kinder_anzahl", "Religion"],
)
def test_a_free_trait_is_as_sensitive_as_the_words_of_its_name(name: str) -> None:
    source = f"from marts.customer_traits as p where p.trait = '{name}'"
    assert f"sensitive trait {name}" in faults("p.value", source)


def test_what_may_hold_anything_is_refused_with_what_to_do() -> None:
    found = judged("p.detail", "from marts.fct_interactions as p")
    ((said, todo),) = [fault for fault in found.faults if "context" in fault[0]]
    assert "what may be any trait" in said
    assert "where trait = 'hobby'" in todo


@pytest.mark.parametrize(
    ("value", "source", "allowed"),
    [
        ("p.page_url", "recent_interactions as p", False),
        ("p.page_url", "recent_interactions as p where p.page_url like '%q=preg%'", False),
        ("p.page_url", "recent_interactions as p where event_name = 'Page Viewed'", False),
        ("p.page_url", "recent_interactions as p where event_name = 'Product Viewed'", True),
        ("p.landing_page_url", "fct_web_sessions as p", False),
        ("p.referrer", "fct_web_sessions as p", False),
        ("p.tag", "fct_order_tags as p", False),
        ("'x'", "fct_order_tags as p where p.tag = 'halal'", False),
        ("e.identifier_b_value", "fct_orders as p cross join marts.fct_identity_edges as e", False),
    ],
)
def test_what_holds_words_of_people_is_guarded_like_a_search(
    value: str, source: str, allowed: bool
) -> None:
    said = faults(value, f"from marts.{source}")
    assert ("what may be any trait" not in said) is allowed


@pytest.mark.parametrize(
    "source",
    [
        "segments.seg_vip as p",
        "marts.fct_segment_memberships as p where p.exited_at is null",
        "marts.customer_360 as p where p.segments like '%household%'",
    ],
)
def test_a_segment_made_of_another_may_be_made_of_a_household(source: str) -> None:
    assert "household ties" in faults("'x'", f"from {source}", plain_context={})
    assert not faults("'x'", f"from {source}", level="full")


def test_an_occasion_is_as_sensitive_as_its_seed_says() -> None:
    assert "buys_gifts_for" in faults("p.occasion", "from marts.fct_orders as p")
    assert not faults("p.occasion", "from marts.fct_orders as p where p.occasion = 'birthday'")


@pytest.mark.parametrize(
    ("context", "source", "needed"),
    [
        ("'WELCOME10'", PEOPLE, "none"),
        ("o.code", f"{PEOPLE} cross join marts.dim_promotions as o", "none"),
        ("count(*) over ()", PEOPLE, "segment"),
        ("avg(p.order_count) over ()", PEOPLE, "segment"),
        ("p.order_count", PEOPLE, "full"),
        ("p.country_code", PEOPLE, "full"),
        (
            "o.code",
            f"{PEOPLE} inner join marts.dim_promotions as o on o.promotion_id = p.country_code",
            "full",
        ),
    ],
)
def test_a_context_needs_the_level_of_what_it_is_made_of(
    context: str, source: str, needed: str
) -> None:
    levels = ("none", "segment", "full")
    for level in levels:
        said = faults(context, source, level=level)
        assert bool(said) is (levels.index(level) < levels.index(needed)), level
        if said:
            assert f"says level {level}" in said
            assert f"needs level {needed}" in said


def test_what_goes_out_as_the_reason_is_judged_like_the_context() -> None:
    sql = f"select p.customer_id, 'Dear ' || p.first_name as reason, 'x' as context {PEOPLE}"
    found = judge(Segment("test", sql, {"level": "segment"}), TABLES, Meanings())
    assert "its reason uses first_name" in found.faults[0][0]


HOUSEHOLDS = (
    f"{PEOPLE} inner join marts.bridge_customer_households as b on p.customer_id = b.customer_id"
    " inner join marts.dim_households as h on b.household_id = h.household_id"
)


@pytest.mark.parametrize(
    ("meta", "allowed"),
    [
        ({"level": "full"}, True),
        ({}, True),
        ({"plain_context": {}}, False),
        ({"level": "segment"}, False),
        ({"level": "none"}, False),
    ],
)
@pytest.mark.parametrize("context", ["h.people_count", "'HELLO'"])
def test_below_level_full_nothing_uses_a_household(
    context: str, meta: dict[str, Any], allowed: bool
) -> None:
    assert ("household ties" not in faults(context, HOUSEHOLDS, **meta)) is allowed


IDENTIFIERS = (
    "marts.bridge_customer_identifiers as a on p.customer_id = a.customer_id"
    " inner join marts.bridge_customer_identifiers as b on a.identifier_value = b.identifier_value"
    " inner join marts.dim_customers as q on b.customer_id = q.customer_id"
)


@pytest.mark.parametrize(
    ("meta", "allowed"),
    [({"level": "full"}, True), ({"plain_context": {}}, False), ({"level": "segment"}, False)],
)
@pytest.mark.parametrize(
    "tie", ["marts.dim_customers as q on p.country_code = q.country_code", IDENTIFIERS]
)
def test_a_row_that_may_be_anothers_is_a_tie_like_a_household(
    tie: str, meta: dict[str, Any], allowed: bool
) -> None:
    said = faults("q.first_name", f"{PEOPLE} inner join {tie}", **meta)
    assert ("may be another's" not in said) is allowed


def test_a_row_of_the_same_customer_id_is_the_persons() -> None:
    source = f"{PEOPLE} inner join marts.fct_orders as q on p.customer_id = q.customer_id"
    assert not faults("q.order_id", source, plain_context={})


SEVERAL_WAYS = """
with visits as (select * from marts.fct_web_sessions),
firsts as (select customer_id, min(referrer) as referrer from visits group by customer_id),
lasts as (
    select customer_id, max(referrer) as referrer from visits
    where landing_page_url = 'a' group by customer_id
)
select p.customer_id, firsts.referrer || lasts.referrer as reason, '{}' as context
from marts.dim_customers as p
left join firsts on p.customer_id = firsts.customer_id
left join lasts on p.customer_id = lasts.customer_id
"""


def test_uses_are_the_same_in_every_process() -> None:
    """Sets of texts have another order in each, and what is published must not."""
    program = (
        "from orchestration.quality.segment_traits import Meanings, Segment, judge\n"
        f"print(judge(Segment('test', {SEVERAL_WAYS!r}, {{}}), {TABLES!r}, Meanings()).uses)"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", program],
            capture_output=True,
            text=True,
            check=True,
            cwd=REPOSITORY,
            env={**os.environ, "PYTHONHASHSEED": str(seed)},
        ).stdout
        for seed in range(6)
    }
    (uses,) = said
    assert "by way of visits, firsts" in uses
    assert "by way of visits, lasts" in uses


def test_uses_are_named_with_their_sensitivity() -> None:
    found = judged("p.first_name || p.country_code")
    assert traits(found) == {"first_name": "personal", "country": "none"}


@pytest.mark.parametrize(
    ("context", "fields"),
    [
        ("json_object('a', p.first_name, 'b', json_object('c', 1))", ("a", "b", "c")),
        ("cast({'a': p.first_name, 'b': 2} as json)", ("a", "b")),
        ("'{}'", ()),
        ("p.first_name", None),
        ("'{\"' || p.first_name || '\": 1}'", None),
        ("json_object(p.first_name, 1)", None),
    ],
)
def test_the_fields_of_a_context_have_names_that_can_be_read(
    context: str, fields: tuple[str, ...] | None
) -> None:
    sql = (
        f"with made as (select p.customer_id, {context} as context {PEOPLE})"
        " select customer_id, 'words' as reason, made.context from made"
    )
    found = judge(Segment("test", sql, {}), TABLES, Meanings())
    assert bool(found.faults) is (fields is None)
    assert found.fields == (fields or ())


@pytest.mark.parametrize("sql", ["select p.customer_id, to_json(p) as context from {p}", None])
def test_what_is_not_known_is_refused(sql: str | None) -> None:
    text = sql and sql.format(p="marts.dim_customers as p")
    (result,) = check_segment_traits([judge(Segment("test", text, {}), TABLES, Meanings())])
    assert result.stops
    assert not result.subject  # nobody can release it
    assert "The segment test uses" in f"{result.sentence}".replace("What the", "The")


def test_a_build_is_judged_by_the_sql_that_built_it(tmp_path: Path) -> None:
    home = Home(tmp_path).create()
    target = target_path(home)
    folder = target / "compiled/regulars/models/segments"
    folder.mkdir(parents=True)
    with duckdb.connect(str(home.warehouse)) as warehouse:
        warehouse.execute("create schema marts")
        warehouse.execute("create table marts.dim_customers (customer_id text, order_count int)")
        # It hides the engine's own of this name
        warehouse.execute(
            "create macro upper(x) as (select max(order_count) from marts.dim_customers)"
        )
    nodes = {
        f"model.regulars.seg_{name}": {
            "resource_type": "model",
            "schema": "segments",
            "name": f"seg_{name}",
            "config": {"meta": {"segment": {"level": level}}},
        }
        for name, level in {
            "plain": "none",
            "bold": "none",
            "hidden": "none",
            "lost": "full",
        }.items()
    }
    (target / "manifest.json").write_text(json.dumps({"nodes": nodes}), "utf-8")
    for name, context in {"plain": "'x'", "bold": "order_count", "hidden": "UPPER('x')"}.items():
        (folder / f"seg_{name}.sql").write_text(
            f"select customer_id, 'w' as reason, json_object('n', {context}) as context"
            " from marts.dim_customers",
            "utf-8",
        )
    found = {each.segment: each for each in judge_segments(home)}
    assert {name: bool(each.faults) for name, each in found.items()} == {
        "plain": False,
        "bold": True,
        "hidden": True,
        "lost": True,
    }
    with duckdb.connect() as candidate:
        add_segment_traits(candidate, found.values())
        rows = candidate.execute(f"select segment, part, trait, level from {TABLE}").fetchall()
        assert rows == [("bold", "context", "order_count", "full")]
        described = candidate.execute(f"describe {TABLE}").fetchall()
        assert [column[0] for column in described] == list(COMMENT[1])


def test_the_seed_names_models_that_there_are() -> None:
    models = {path.stem for path in (REPOSITORY / "dbt_project/models").rglob("*.sql")}
    named = {table for table, _ in Meanings()._columns}
    assert named - models == {"*"}
