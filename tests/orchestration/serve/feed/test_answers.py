"""What a visitor is told, from what the file has of them: pure."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration.destinations.feed_file import Entry, VisitorRecord
from orchestration.destinations.onsite import Content
from orchestration.serve.feed.answers import NOBODY, Showing, answer

NOW = 1_780_000_000_000_000
HOUR = 3_600_000_000
CONTENT = (
    Content(segment="abandoned_cart", slots={"hero": "cart"}),
    Content(segment="vip", landing_page="club", slots={"hero": "thanks", "footer": "card"}),
    Content(segment="loyal", landing_page="loyal", slots={"footer": "points"}),
)
SHOWING = Showing(CONTENT, 72)


def entry(
    segment: str, customer_id: str = "c1", stage: str | None = "purchase", at: int = 0
) -> Entry:
    return Entry(segment, customer_id, stage, "mobile", NOW - at * HOUR)


def found(*entries: Entry, refused: frozenset[str] = frozenset(), ages: int = 1) -> VisitorRecord:
    return VisitorRecord(entries, refused, {each.segment: NOW - ages * HOUR for each in entries})


def test_all_that_is_known_and_may_be_told() -> None:
    told = answer(found(entry("vip"), entry("loyal")), (), SHOWING, NOW)
    assert told == {
        "stage": "purchase",
        "segments": ["loyal", "vip"],
        "slots": {"footer": "card", "hero": "thanks"},
        "landing_page": "club",
        "recommendations": [],
        "device_type": "mobile",
        "opt_out": {"personalisation": False, "ads": False, "sell_share": False},
        "refreshed_at": "2026-05-28T19:26:40Z",
    }


def test_the_first_segment_of_the_settings_fills_a_slot() -> None:
    told = answer(found(entry("vip"), entry("abandoned_cart"), entry("loyal")), (), SHOWING, NOW)
    assert told["slots"] == {"hero": "cart", "footer": "card"}
    assert told["landing_page"] == "club"


def test_the_stage_is_the_one_written_last() -> None:
    told = answer(
        found(entry("a", stage="purchase", at=5), entry("b", stage="advocacy")), (), SHOWING, NOW
    )
    assert told["stage"] == "advocacy"


SHOWN = [{"kind": "next", "product_id": "p1"}]


@pytest.mark.parametrize("refused", [False, True])
def test_products_are_shown_unless_personalisation_is_refused(refused: bool) -> None:
    known = replace(entry("vip"), recommendations=json.dumps(SHOWN))
    answered = answer(found(known), ["personalisation"] * refused, SHOWING, NOW)
    assert answered["recommendations"] == ([] if refused else SHOWN)


def test_products_of_a_browser_of_two_people_are_nobodys() -> None:
    both = [replace(entry("vip", who), recommendations=json.dumps(SHOWN)) for who in ("c1", "c2")]
    assert answer(found(*both), (), SHOWING, NOW)["recommendations"] == []


@pytest.mark.parametrize("where", ["file", "now"])
def test_who_refused_personalisation_is_told_the_opt_out_state_alone(where: str) -> None:
    no = frozenset({"personalisation"})
    told = answer(
        found(entry("vip"), refused=no if where == "file" else frozenset()),
        no if where == "now" else (),
        SHOWING,
        NOW,
    )
    assert told == {**NOBODY, "refreshed_at": told["refreshed_at"]} | {
        "opt_out": {"personalisation": True, "ads": False, "sell_share": False}
    }


def test_other_refusals_are_told_beside_the_rest() -> None:
    told = answer(found(entry("vip"), refused=frozenset({"ads"})), ("sell_share",), SHOWING, NOW)
    assert told["opt_out"] == {"personalisation": False, "ads": True, "sell_share": True}
    assert told["segments"] == ["vip"]


def test_a_browser_of_two_people_is_nobodys() -> None:
    told = answer(found(entry("vip"), entry("loyal", "c2")), (), SHOWING, NOW)
    assert (told["segments"], told["stage"], told["slots"]) == ([], None, {})


@pytest.mark.parametrize(("age", "segments"), [(72, ["vip"]), (73, [])])
def test_what_no_sync_refreshed_for_days_is_not_told(age: int, segments: list[str]) -> None:
    told = answer(found(entry("vip"), ages=age), (), SHOWING, NOW)
    assert told["segments"] == segments


def test_a_segment_whose_first_sync_did_not_end_is_not_told() -> None:
    told = answer(VisitorRecord((entry("vip"),), frozenset(), {}), (), SHOWING, NOW)
    assert told["segments"] == [] and told["refreshed_at"] is None


PURPOSES = st.frozensets(st.sampled_from(["personalisation", "ads", "sell_share", "odd"]))
ENTRIES = st.lists(
    st.builds(
        entry,
        st.sampled_from(["vip", "loyal", "abandoned_cart", "other"]),
        st.sampled_from(["c1", "c1", "c2"]),
        st.sampled_from([None, "purchase"]),
        st.integers(-5, 100),
    ),
    max_size=4,
)


@given(ENTRIES, PURPOSES, PURPOSES, st.integers(0, 200))
def test_every_answer_has_one_shape_and_no_id(
    entries: list[Entry], shown: frozenset[str], now: frozenset[str], ages: int
) -> None:
    told = answer(found(*entries, refused=shown, ages=ages), now, SHOWING, NOW)
    assert list(told) == list(NOBODY)
    assert told["opt_out"].keys() == NOBODY["opt_out"].keys()
    assert "c1" not in str(told) and "c2" not in str(told)
    if "personalisation" in shown | now or len({each.customer_id for each in entries}) > 1:
        assert {**told, "opt_out": 0, "refreshed_at": 0} == {
            **NOBODY,
            "opt_out": 0,
            "refreshed_at": 0,
        }
