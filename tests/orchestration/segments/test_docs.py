"""What docs/segments.md prints of people and counts is said by the segments' own files.

Belongs here: the words and the order of what is printed. Does not belong here: whether a person is
a member (tests/dbt), and the figures, which the demo's seed gives.
"""

from __future__ import annotations

import re
from datetime import datetime
from functools import cache
from typing import Any

import pytest

from ingestion.config import REPOSITORY, Settings
from orchestration.segments.files import leaves, segment_names, segment_text
from orchestration.segments.rendering import SEGMENT, Project

DOCS = (REPOSITORY / "docs/segments.md").read_text("utf-8")
LINE = re.compile(r"  ([✓✗·]) (.+?)(?: \(found: .*\))?(?:; (?:since|ends).*)?")
STEP = re.compile(r"\| `(\w+)` \| (\d) \| (.+?) \| ([\d,]+) \| ([\d,]+) \| ([\d,]+) \|")
# What is shown on the site of visitors who came in one way
SHOWN = {
    "social_ad_visitors": {"header_banner": "free_shipping"},
    "information_seekers": {"pop_under": "sign_up"},
}


@cache
def meta(segment: str) -> dict[str, Any]:
    variables = {**Settings().dbt_vars(), "segments": sorted(segment_names())}
    project = Project(variables, datetime(2026, 7, 1))
    rendered: dict[str, Any] = project.render(SEGMENT + segment, segment_text(segment))[1]
    return rendered


def words(segment: str) -> list[str]:
    rule = leaves(meta(segment)["rule"])
    return [leaf["words" if leaf["is_wanted"] else "negated"] for leaf in rule]


def explained() -> list[tuple[str, bool, list[tuple[str, str]]]]:
    """Per printed explanation its segment, whether the person is in it, and mark and words."""
    _, *parts = re.split(r"^\w{32} (is in|is not in) (\w+)\.", DOCS, flags=re.MULTILINE)
    triples = zip(parts[::3], parts[1::3], parts[2::3], strict=True)
    return [
        (
            segment,
            state == "is in",
            [
                (match[1], match[2])
                for line in text.partition("```")[0].splitlines()
                if (match := LINE.fullmatch(line))
            ],
        )
        for state, segment, text in triples
    ]


def test_three_people_are_explained_by_the_conditions_of_the_file() -> None:
    people = explained()
    assert len(people) == 3
    assert [is_in for _, is_in, _ in people] == [True, False, False]
    for segment, is_in, lines in people:
        assert [text for _, text in lines] == words(segment)
        marks = [mark for mark, _ in lines]
        assert marks == ["✓"] * len(marks) if is_in else marks.count("✗") == 1


def test_the_funnels_have_every_condition_in_written_order() -> None:
    rows = [match for line in DOCS.splitlines() if (match := STEP.fullmatch(line))]
    printed: dict[str, list[str]] = {}
    left: dict[str, int] = {}
    for segment, number, text, alone, kept, dropped in (row.groups() for row in rows):
        printed.setdefault(segment, []).append(text)
        assert int(number) == len(printed[segment])
        counts = [int(count.replace(",", "")) for count in (alone, kept, dropped)]
        assert counts[1] <= counts[0]
        assert left.get(segment, sum(counts[1:])) == sum(counts[1:])
        left[segment] = counts[1]
    assert len(printed) == 3
    assert printed == {segment: words(segment) for segment in printed}


@pytest.mark.parametrize("segment", SHOWN)
def test_visitors_who_came_in_one_way_are_shown_what_is_for_them(segment: str) -> None:
    declared = meta(segment)["segment"]
    assert declared["slots"] == SHOWN[segment]
    assert declared["channel"] == "onsite"
