"""The path of each persona as a picture: steps, answers, and how many people stand where.

Belongs here: reading `rpt_persona_paths`, and working out what is joined to what, once for both
ways of drawing: SVG on the page (`templates/path.svg.j2`) and Mermaid for documents. Does not
belong here: who stands where (`fct_persona_paths`), or reading a persona's file
(`ingestion.sources.personas`).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import duckdb

from ingestion.duckdb import has_table
from orchestration.report.figures import rows
from orchestration.words import amounts, codes

REACTS, DOES_NOT, THEN, AFTERWARDS = "reacts", "does not", "then", ""
# Measures of the drawing in its own units; a letter of the smaller text is 6.6 wide.
LETTERS, LINE, PADDING, GAP = 27, 17, 10, 44
STEP_LEFT, STEP_WIDTH, ANSWER_LEFT, ANSWER_WIDTH, WIDTH = 64, 206, 348, 206, 564
LANE = 12


@dataclass(frozen=True)
class Step:
    """A step of a path, as `rpt_persona_paths` has it; step 0 has neither action nor answers.

    `people`: who stand there now; `waiting`: those of them who still have days to react.
    """

    step: int
    action: str | None
    channel: str | None
    after_days: int | None
    if_reacts: str | None
    if_reacts_step: int | None
    if_not: str | None
    if_not_step: int | None
    people: int
    waiting: int


@dataclass(frozen=True)
class Node:
    """A box: `begin`, `step`, `answer` or `end`; `row` is the step it stands beside."""

    key: str
    kind: str
    row: int
    words: str
    note: str = ""


@dataclass(frozen=True)
class Edge:
    """An arrow between two boxes by their keys, and what is written at it."""

    start: str
    end: str
    words: str


@dataclass(frozen=True)
class Graph:
    """What is joined to what on one persona's path."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]


@dataclass(frozen=True)
class Box:
    """A box with its place, and its text line by line with the height of each."""

    kind: str
    left: int
    top: int
    width: int
    height: int
    lines: tuple[tuple[int, str, bool], ...]


@dataclass(frozen=True)
class Arrow:
    """A line by its points, and its words with the place where they begin."""

    points: str
    words: str
    left: int
    top: int


@dataclass(frozen=True)
class Drawing:
    """A path ready to be drawn; `words` say the same to those who cannot see it."""

    persona: str
    width: int
    height: int
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    words: str
    mermaid: str


def read_paths(connection: duckdb.DuckDBPyConnection) -> list[Drawing]:
    """The drawing of each persona with a path, by name; none in a file of an earlier version."""
    if not has_table(connection, "marts", "rpt_persona_paths"):
        return []
    counts = rows(
        connection,
        """
        select persona, step, action, channel, after_days, if_reacts, if_reacts_step, if_not,
            if_not_step, customer_count, waiting_count
        from marts.rpt_persona_paths order by persona, persona_id, step
        """,
    )
    return drawings(counts)


def drawings(counts: Iterable[Sequence[Any]]) -> list[Drawing]:
    """The drawing of each persona.

    Args:
        counts: rows of persona and the fields of `Step`, by persona and step.
    """
    return [
        draw(persona, [Step(*row[1:]) for row in steps])
        for persona, steps in groupby(counts, key=lambda row: str(row[0]))
    ]


def draw(persona: str, steps: Sequence[Step]) -> Drawing:
    """The path in both forms.

    Args:
        persona: its name.
        steps: step 0 and those of the path, in order.
    """
    joined = graph(steps)
    boxes = _boxes(joined)
    arrows = tuple(_arrows(joined, boxes))
    bottom = max(box.top + box.height for box in boxes.values())
    words = "; ".join(_in_words(joined))
    return Drawing(persona, WIDTH, bottom + 2, (*boxes.values(),), arrows, words, mermaid(joined))


def graph(steps: Sequence[Step]) -> Graph:
    """What is joined to what: an answer that is no step stands beside its own, before the next."""
    last = steps[-1].step
    nodes: list[Node] = []
    edges: list[Edge] = []
    for step in steps:
        nodes.append(_node(step))
        for words, action, target in _answers(step):
            if action is None or target is not None:
                edges.append(Edge(f"s{step.step}", _key(target or step.step + 1, last), words))
                continue
            beside = f"s{step.step}_{'if' if words == REACTS else 'not'}"
            nodes.append(Node(beside, "answer", step.step, action))
            edges.append(Edge(f"s{step.step}", beside, words))
            edges.append(Edge(beside, _key(step.step + 1, last), AFTERWARDS))
    nodes.append(Node("done", "end", last + 1, "End of the path"))
    return Graph(tuple(nodes), tuple(edges))


def _node(step: Step) -> Node:
    if not step.step:
        return Node("s0", "begin", 0, f"{_counted(step.people)} to begin")
    return Node(f"s{step.step}", "step", step.step, f"{step.step}. {step.action}", _note(step))


def _answers(step: Step) -> tuple[tuple[str, str | None, int | None], ...]:
    """What follows: the words at the arrow, what is done then, and the step which that is."""
    if step.if_reacts is None and step.if_not is None:
        return ((THEN, None, None),)
    return (
        (REACTS, step.if_reacts, step.if_reacts_step),
        (DOES_NOT, step.if_not, step.if_not_step),
    )


def mermaid(joined: Graph) -> str:
    """The path as a Mermaid flowchart, for a document that draws them."""
    shapes = {"begin": ("([", "])"), "step": ("[", "]"), "answer": ("(", ")"), "end": ("([", "])")}
    lines = ["flowchart TD"]
    for node in joined.nodes:
        opening, closing = shapes[node.kind]
        text = "<br>".join(_escaped(part) for part in (node.words, node.note) if part)
        lines.append(f'    {node.key}{opening}"{text}"{closing}')
    for edge in joined.edges:
        label = f"|{edge.words}|" if edge.words else ""
        lines.append(f"    {edge.start} -->{label} {edge.end}")
    return "\n".join(lines)


def _escaped(text: str) -> str:
    marks = {"#": "#35;", "&": "#amp;", '"': "#quot;", "<": "#lt;", ">": "#gt;"}
    return "".join(marks.get(letter, letter) for letter in text)


def _key(step: int, last: int) -> str:
    return f"s{step}" if step <= last else "done"


def _counted(people: int) -> str:
    return "1 person" if people == 1 else f"{people:,} people"


def _note(step: Step) -> str:
    parts = []
    if step.channel:
        parts.append(codes.CHANNELS.get(step.channel, step.channel))
    if step.after_days:
        parts.append("after " + amounts.counted(step.after_days, "days"))
    here = _counted(step.people) + " here"
    if step.waiting:
        here += f", {amounts.count(step.waiting)} with days to react"
    return " · ".join([*parts, here])


def _in_words(joined: Graph) -> Iterator[str]:
    """Each box with what follows it, as one sentence's parts."""
    by_key = {node.key: node for node in joined.nodes}
    for node in joined.nodes:
        onward = [
            f"{edge.words or 'then'}: {by_key[edge.end].words}"
            for edge in joined.edges
            if edge.start == node.key
        ]
        yield " ".join([node.words, f"({node.note})" if node.note else "", ", ".join(onward)])


def wrapped(text: str, letters: int = LETTERS) -> list[str]:
    """The text in lines of so many letters; a wide letter counts twice, a long word is cut."""
    lines, line, room = [], "", letters
    for word in text.split():
        for piece in _pieces(word, letters):
            width = _wide(piece)
            if line and width + 1 > room:
                lines.append(line)
                line, room = piece, letters - width
            else:
                line = f"{line} {piece}" if line else piece
                room -= width + 1
    return [*lines, line] if line else lines


def _pieces(word: str, letters: int) -> Iterator[str]:
    piece = ""
    for letter in word:
        if piece and _wide(piece + letter) > letters:
            yield piece
            piece = ""
        piece += letter
    yield piece


def _wide(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def _boxes(joined: Graph) -> dict[str, Box]:
    """Where each box stands: steps one below another, their answers to the right."""
    boxes: dict[str, Box] = {}
    top = 2
    for _, beside in groupby(joined.nodes, key=lambda node: node.row):
        lowest = top
        answer_top = top
        for node in beside:
            is_answer = node.kind == "answer"
            box = _box(node, answer_top if is_answer else top)
            boxes[node.key] = box
            lowest = max(lowest, box.top + box.height)
            if is_answer:
                answer_top = box.top + box.height + GAP // 2
        top = lowest + GAP
    return boxes


def _box(node: Node, top: int) -> Box:
    lines = [(text, True) for text in wrapped(node.words)]
    lines += [(text, False) for text in wrapped(node.note, LETTERS + 3)]
    left, width = (ANSWER_LEFT, ANSWER_WIDTH) if node.kind == "answer" else (STEP_LEFT, STEP_WIDTH)
    placed = tuple(
        (top + PADDING + LINE * number - 4, text, strong)
        for number, (text, strong) in enumerate(lines, 1)
    )
    return Box(node.kind, left, top, width, 2 * PADDING + LINE * len(lines), placed)


def _arrows(joined: Graph, boxes: dict[str, Box]) -> Iterator[Arrow]:
    """Each edge as a line; two that lead the same way are one with both words."""
    order = [node.key for node in joined.nodes if node.kind != "answer"]
    labels: dict[tuple[str, str], list[str]] = {}
    for edge in joined.edges:
        labels.setdefault((edge.start, edge.end), []).append(edge.words)
    lanes = 0
    for (start, end), words in labels.items():
        label = " or ".join(filter(None, words))
        here, there = boxes[start], boxes[end]
        if there.kind == "answer":
            yield _across(here, there, label)
        elif here.kind == "answer":
            yield _back(here, there, label)
        elif order.index(end) == order.index(start) + 1:
            yield _down(here, there, label)
        else:
            yield _aside(here, there, label, STEP_LEFT - 14 - LANE * (lanes % 4))
            lanes += 1


def _across(here: Box, there: Box, label: str) -> Arrow:
    """From a step to its answer on the right."""
    right, height = here.left + here.width, there.top + there.height // 2
    leaves, turn = min(height, here.top + here.height - 6), there.left - 24
    points = f"{right},{leaves} {turn},{leaves} {turn},{height} {there.left},{height}"
    return Arrow(points, label, right + 4, leaves - 5)


def _back(here: Box, there: Box, label: str) -> Arrow:
    """From the right of an answer, past those below it, to the top of the step that follows."""
    right, middle = here.left + here.width, here.top + here.height // 2
    turn, above, enters = right + 8, there.top - 12, there.left + there.width - 24
    points = (
        f"{right},{middle} {turn},{middle} {turn},{above} {enters},{above} {enters},{there.top}"
    )
    return Arrow(points, label, enters + 8, above - 5)


def _down(here: Box, there: Box, label: str) -> Arrow:
    """To the next box below."""
    middle, bottom = here.left + here.width // 2, here.top + here.height
    return Arrow(f"{middle},{bottom} {middle},{there.top}", label, middle + 8, bottom + 26)


def _aside(here: Box, there: Box, label: str, lane: int) -> Arrow:
    """To a step elsewhere, by a lane on the left."""
    leaves, enters = here.top + here.height - 10, there.top + 10
    points = f"{here.left},{leaves} {lane},{leaves} {lane},{enters} {there.left},{enters}"
    return Arrow(points, label, 2, leaves + 16)
