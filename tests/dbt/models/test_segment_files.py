"""What a segment's own file must say: without it the project does not build, and says why."""

from __future__ import annotations

import json
import re
from functools import partial
from typing import Any

import jinja2
import pytest

from ingestion import vocabulary
from ingestion.config import REPOSITORY
from orchestration.run.dbt import segment_names

FILES = ("marts_permission.sql", "segments.sql", "conditions/arguments.sql")
MACROS = REPOSITORY / "dbt_project" / "macros"
GOOD = {
    "label": "Test",
    "channel": "email",
    "purpose": "marketing",
    "message_kind": "offer",
    "priority": 5,
}


BEST = ["email", "push", "sms"]


class CompileError(Exception):
    """What dbt would stop with."""


class _Returned(Exception):  # noqa: N818 - dbt's way of returning a value
    def __init__(self, value: Any) -> None:
        self.value = value


class _Exceptions:
    @staticmethod
    def raise_compiler_error(words: str) -> None:
        raise CompileError(words)


def _var(name: str, default: Any = None) -> Any:
    return BEST if name == "best_channels" else default


def _return(value: Any) -> None:
    raise _Returned(value)


@pytest.fixture(scope="module")
def macros() -> dict[str, Any]:
    """The macros of segments as functions."""
    found: dict[str, Any] = {}
    environment = jinja2.Environment(extensions=["jinja2.ext.do"])
    environment.globals |= {"return": _return, "exceptions": _Exceptions, "var": _var}
    environment.globals["tojson"] = json.dumps
    # A template each: within one they would call each other past `return`
    texts = [
        text
        for file in FILES
        for text in re.findall(
            r"{% macro .*?endmacro -?%}", (MACROS / file).read_text("utf-8"), re.DOTALL
        )
    ]
    names = [text.split()[2].partition("(")[0] for text in texts]
    environment.globals |= {name: partial(_call, found, name) for name in names}
    for name, text in zip(names, texts, strict=True):
        found[name] = getattr(environment.from_string(text).module, name)
    return {name: partial(_call, found, name) for name in names}


def _call(found: dict[str, Any], name: str, *arguments: Any) -> Any:
    try:
        return str(found[name](*arguments))
    except _Returned as returned:
        return returned.value


def test_a_good_file_says_enough(macros: dict[str, Any]) -> None:
    assert not macros["check_segment"]("test", GOOD).strip()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"channel": None}, "says no channel; use one or more of email, sms, push, ads, onsite"),
        ({"channel": None, "channels": []}, "says no channel"),
        ({"channel": "fax"}, "has the channel 'fax'; use email"),
        ({"channels": ["email", "pigeon"]}, "has the channel 'pigeon'"),
        ({"purpose": None}, "needs a purpose; use marketing"),
        ({"purpose": "fun"}, "needs a purpose"),
        ({"message_kind": None}, "needs a message_kind; use transactional"),
        ({"is_exclusion": "yes"}, "has an is_exclusion that is neither True nor False"),
        ({"is_exclusion": True}, "is an exclusion, which is for ads alone; use the channel ads"),
        ({"message_kind": "shout"}, "needs a message_kind"),
        ({"level": "everything"}, "has the level 'everything'; use none, segment, full"),
        (
            {"purpose": "transactional"},
            "has the purpose transactional, which permits the kinds transactional, service,"
            " thank_you, and the message_kind offer",
        ),
        (
            {"message_kind": "transactional"},
            "has the message_kind transactional, which is for the purpose transactional alone",
        ),
        ({"purpose": "ads", "message_kind": "service"}, "for the purpose transactional alone"),
        ({"landing_pge": "club"}, 'has the word "landing_pge"; did you mean landing_page?'),
        ({"slot": {"hero": "thanks"}}, 'has the word "slot"; did you mean slots?'),
        ({"landing_page": 5}, 'has the landing_page "5"; write the site\'s own words'),
        ({"landing_page": "<b>"}, "has the landing_page"),
        ({"landing_page": ""}, "has the landing_page"),
        ({"slots": "hero"}, "has slots that are no mapping; write {'hero': 'thanks'}"),
        ({"slots": ["hero"]}, "has slots that are no mapping"),
        ({"slots": {"hero": 5}}, 'has the slot "hero" with "5"; write the site\'s own words'),
        ({"slots": {"he ro": "thanks"}}, 'has the slot "he ro" with "thanks"'),
        ({"slots": {"hero": "t" * 65}}, 'has the slot "hero"'),
    ],
)
def test_what_is_missing_or_unknown_is_named_with_what_there_is(
    macros: dict[str, Any], changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(CompileError) as caught:
        macros["check_segment"]("test", {**GOOD, **changes})
    assert str(caught.value).startswith("The segment test ")
    assert said in str(caught.value)


def test_a_segment_says_what_the_site_shows_and_words_of_the_shops_own(
    macros: dict[str, Any],
) -> None:
    content = {"landing_page": "club-1", "slots": {"header_banner": "first.order"}}
    assert not macros["check_segment"]("test", GOOD | content | {"owner": "Ann"}).strip()
    assert not macros["check_segment"]("test", GOOD | {"landing_page": None, "slots": {}}).strip()


@pytest.mark.parametrize("purpose", vocabulary.PURPOSES)
@pytest.mark.parametrize("kind", vocabulary.MESSAGE_KINDS)
def test_a_contract_permits_receipts_service_and_thanks_alone(
    macros: dict[str, Any], purpose: str, kind: str
) -> None:
    may = kind in vocabulary.OF_A_CONTRACT
    is_good = may if purpose == "transactional" else kind not in vocabulary.ONLY_OF_A_CONTRACT
    meta = {**GOOD, "purpose": purpose, "message_kind": kind}
    if is_good:
        assert not macros["check_segment"]("test", meta).strip()
        return
    with pytest.raises(CompileError, match="transactional"):
        macros["check_segment"]("test", meta)


def test_best_is_the_shops_own_order_of_messages(
    macros: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert macros["segment_channels"]({"channels": "best"}) == ["email", "push", "sms"]
    assert not macros["check_segment"]("test", {**GOOD, "channels": "best"}).strip()
    monkeypatch.setitem(globals(), "BEST", ["email", "ads"])
    with pytest.raises(CompileError, match="best_channels has 'ads'; use email, sms, push"):
        macros["check_segment"]("test", {**GOOD, "channels": "best"})
    with pytest.raises(CompileError, match="has the channel 'worst'"):
        macros["check_segment"]("test", {**GOOD, "channels": "worst"})


def test_everything_wrong_is_said_at_once(macros: dict[str, Any]) -> None:
    with pytest.raises(CompileError) as caught:
        macros["check_segment"]("test", {"label": "Test"})
    for each in ("says no channel", "needs a purpose", "needs a message_kind"):
        assert each in str(caught.value)


@pytest.mark.parametrize("words", ["soon", "4", "four hours", "4 weeks", "-1 days"])
def test_a_length_of_time_that_is_none_is_named(macros: dict[str, Any], words: str) -> None:
    with pytest.raises(CompileError, match="has the time"):
        macros["minutes_of"]("test", words)


def test_a_file_that_nobody_named_stops_the_build(macros: dict[str, Any]) -> None:
    class Node:
        resource_type = "model"

        def __init__(self, name: str) -> None:
            self.name = name

    class Graph:
        nodes = {"a": Node("seg_vip"), "b": Node("seg_nobody_named")}  # noqa: RUF012

    with pytest.raises(CompileError, match="seg_nobody_named is not named in the var"):
        macros["check_segment_names"](Graph)


def test_no_two_of_our_segments_have_one_priority() -> None:
    folder = REPOSITORY / "dbt_project/models/segments"
    priorities = [
        re.findall(r"'priority': (\d+)", (folder / f"seg_{name}.sql").read_text())
        for name in segment_names()
    ]
    assert all(len(each) == 1 for each in priorities)
    assert len({number for [number] in priorities}) == len(segment_names())
