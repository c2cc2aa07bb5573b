"""A persona's path as a picture: what is joined to what, and that nothing of it lies on another."""

from __future__ import annotations

import re

import pytest

from orchestration.report.build import drawing
from orchestration.report.paths import Step, draw, graph, mermaid, wrapped

LONG = 'what is used up soon, with <b>marks</b> & "quotes" # and more than a line of words'
STEPS = [
    Step(0, None, None, None, None, None, None, None, 1, 0),
    Step(1, "welcome", "email", 0, "gift guide", None, "welcome again", None, 34, 20),
    Step(2, LONG, "sms", 28, "welcome", 1, None, None, 1, 0),
    Step(3, "季節の手紙", None, 3, None, None, "a call", None, 0, 0),
]


def test_answers_lead_to_their_step_or_are_done_before_the_next() -> None:
    edges = {(edge.start, edge.end, edge.words) for edge in graph(STEPS).edges}
    assert edges == {
        ("s0", "s1", "then"),
        ("s1", "s1_if", "reacts"), ("s1_if", "s2", ""),
        ("s1", "s1_not", "does not"), ("s1_not", "s2", ""),
        ("s2", "s1", "reacts"), ("s2", "s3", "does not"),
        ("s3", "done", "reacts"), ("s3", "s3_not", "does not"), ("s3_not", "done", ""),
    }  # fmt: skip


def test_a_path_of_no_answers_goes_straight_to_its_end() -> None:
    steps = [STEPS[0], Step(1, "letter", None, 0, None, None, None, None, 2, 0)]
    assert [(edge.start, edge.end) for edge in graph(steps).edges] == [("s0", "s1"), ("s1", "done")]


def test_mermaid_has_each_box_and_no_mark_of_its_own_language() -> None:
    lines = mermaid(graph(STEPS)).split("\n")
    assert lines[0] == "flowchart TD"
    boxes = [line for line in lines if "-->" not in line][1:]
    assert len(boxes) == len(graph(STEPS).nodes)
    for line in boxes:
        assert re.fullmatch(r'    \w+(\(\[|\[|\()"[^"<>]*(<br>[^"<>]*)?"(\]\)|\]|\))', line), line
    assert "    s1 -->|reacts| s1_if" in lines
    assert '    s0(["1 person to begin"])' in lines


def test_no_box_lies_on_another_and_all_stand_within_the_picture() -> None:
    drawn = draw("Giver", STEPS)
    for number, box in enumerate(drawn.boxes):
        assert box.left + box.width <= drawn.width
        assert box.top + box.height <= drawn.height
        for other in drawn.boxes[number + 1 :]:
            apart = (
                box.left + box.width <= other.left
                or other.left + other.width <= box.left
                or box.top + box.height <= other.top
                or other.top + other.height <= box.top
            )
            assert apart, (box, other)


@pytest.mark.parametrize("words", [LONG, "季節の手紙を送る" * 5, "x" * 100, "", "a"])
def test_lines_are_short_and_lose_nothing(words: str) -> None:
    lines = wrapped(words, 20)
    assert all(len(line) <= 20 for line in lines)
    assert "".join(lines).replace(" ", "") == words.replace(" ", "")


def test_the_picture_is_escaped_and_says_itself_in_words() -> None:
    page = drawing("GBP").get_template("path.svg.j2").render(drawing=draw("<i>G</i>", STEPS))
    assert "<b>" not in page
    assert "<i>" not in page
    assert page.count("<rect") == len(graph(STEPS).nodes)
    assert "34 people here, 20 with days to react" in re.sub(r"\s+", " ", page)
