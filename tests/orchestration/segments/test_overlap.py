"""Which segments want the same people, and who goes first.

Belongs here: rivals of handmade segments, and how they are laid out. Does not belong here: the
day's decision (tests/orchestration/activation).
"""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest

from orchestration.commands.delivery import render_plans
from orchestration.commands.rivals import render_conflicts, render_rivals
from orchestration.home.layout import Home
from orchestration.segments.overlap import Contact, Rival, published_rivals, rivals_of
from orchestration.words.plain_text import PlainConsole

CONTACTS = {
    contact.segment: contact
    for contact in (
        Contact("cart", ("email", "push"), "marketing", 12),
        Contact("browse", ("email",), "marketing", 14),
        Contact("texts", ("sms",), "marketing", 12),
        Contact("letters", ("email",), "marketing", 12),
        Contact("thanks", ("email",), "service", 12),
        Contact("banner", ("onsite",), "marketing", 12),
        Contact("poster", ("onsite",), "marketing", 5),
        Contact("everywhere", ("email", "onsite"), "marketing", 90),
    )
}
SHARED = {name: people for people, name in enumerate(sorted(CONTACTS))}


def rivals(segment: str) -> dict[str, Rival]:
    others = {name: people + 1 for name, people in SHARED.items()}
    return {each.segment: each for each in rivals_of(CONTACTS[segment], CONTACTS, others)}


def test_of_one_class_the_lower_priority_goes_first_and_of_equals_the_first_by_name() -> None:
    assert {name: each.first for name, each in rivals("cart").items()} == {
        "browse": "cart",
        "everywhere": "cart",
        "letters": "cart",
        "texts": "cart",
    }
    assert rivals("browse")["letters"].first == "letters"


def test_equal_priority_is_a_conflict_on_a_channel_that_both_have() -> None:
    conflicts = {name for name, each in rivals("cart").items() if each.is_conflict}
    assert conflicts == {"letters"}
    assert rivals("cart")["letters"].channels == ("email",)
    assert rivals("cart")["texts"].channels == ()


def test_what_is_on_the_site_takes_no_letters_place_and_service_no_offers() -> None:
    assert set(rivals("banner")) == {"poster", "everywhere"}
    assert rivals("banner")["poster"].first == "poster"
    assert set(rivals("everywhere")) == {"banner", "poster", "cart", "browse", "texts", "letters"}
    assert rivals("thanks") == {}


def test_whoever_shares_nobody_is_no_rival_and_most_people_come_first() -> None:
    most_first = rivals_of(
        CONTACTS["cart"], CONTACTS, {"browse": 0, "letters": 2, "texts": 7, "gone": 3}
    )
    assert [(each.segment, each.people) for each in most_first] == [("texts", 7), ("letters", 2)]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A published file with two segments that share three people."""
    home = Home(tmp_path)
    with duckdb.connect(str(home.published)) as connection:
        connection.execute(
            "create schema ops; create schema marts;"
            "create table ops.build as select timestamp '2026-06-15' as as_of;"
            "create table marts.dim_segments as select * from (values"
            " ('cart', '[\"email\"]', 'marketing', 'reminder', 12),"
            " ('thanks', '[\"email\"]', 'marketing', 'offer', 12),"
            " ('alone', '[\"email\"]', 'transactional', 'thank_you', 8))"
            " as s(segment, channels, purpose, message_kind, priority);"
            "create table marts.rpt_segment_overlap as select * from (values"
            " ('cart', 'thanks', 3), ('thanks', 'cart', 3), ('alone', 'cart', 1),"
            " ('cart', 'alone', 1), ('cart', 'gone', 9))"
            " as o(segment, other_segment, shared_count)"
        )
    return home


def test_rivals_are_those_of_the_published_file(home: Home) -> None:
    published = published_rivals(home, ["cart", "cart", "alone", "gone"])
    assert published == {
        "cart": (Rival("thanks", 3, 12, ("email",), "cart", is_conflict=True),),
        "alone": (),
    }


def test_a_file_of_an_earlier_version_has_no_rivals(home: Home) -> None:
    with duckdb.connect(str(home.published)) as connection:
        connection.execute("drop table marts.rpt_segment_overlap")
    assert published_rivals(home, ["cart"]) == {}


def test_rivals_and_conflicts_are_laid_out(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    published = published_rivals(home, ["cart", "thanks", "alone"])
    out = PlainConsole(width=200)
    render_rivals("cart", published["cart"], out)
    render_rivals("alone", published["alone"], out)
    render_conflicts(published, out)
    text = capsys.readouterr().out
    assert "cart, by name alone" in text
    assert "No other segment wants the same people on the same day." in text
    assert text.count("cart and thanks have the same priority 12 on email and want 3 people") == 1


def test_of_many_rivals_the_largest_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    many = [Rival(f"other_{n}", 99 - n, 50, ("email",), "cart", False) for n in range(17)]
    render_rivals("cart", many, PlainConsole(width=200))
    text = capsys.readouterr().out
    assert "other_14" in text
    assert "other_15" not in text
    assert "The first 15 of 17; `regulars plan cart --json` has them all." in text


def test_no_plan_is_an_empty_list_in_json(capsys: pytest.CaptureFixture[str]) -> None:
    render_plans([], {}, PlainConsole(width=200), as_json=True)
    assert json.loads(capsys.readouterr().out) == []
