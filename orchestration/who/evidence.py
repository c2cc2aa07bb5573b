"""What an explanation is made of, and the evidence in it ordered so that it can be followed.

Belongs here: identifiers, the pairs they were seen in, the strongest chain through them and the
sentence about the best address; plain values and pure functions. Does not belong here: reading the
published file (explain) and deciding who is who (the identity models did).
"""

from __future__ import annotations

import heapq
import itertools
import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

from ingestion.vocabulary import IDENTIFIER_TYPES, grade_rank
from orchestration.who.predicted import Predicted
from orchestration.who.preferences import Preferences
from orchestration.who.timeline import Timeline

Row = dict[str, Any]

_NEVER = datetime.max.replace(tzinfo=UTC)


class Node(NamedTuple):
    """An identifier as a point of the evidence graph."""

    type: str
    value: str


@dataclass(frozen=True)
class Identifier:
    """One identifier of the person, as the bridge has it."""

    identifier_type: str
    identifier_value: str
    evidence_grade: str | None
    is_primary: bool
    is_dormant: bool
    first_seen_at: datetime | None
    last_seen_at: datetime | None
    observation_count: int

    @property
    def node(self) -> Node:
        """The identifier without what is known about it."""
        return Node(self.identifier_type, self.identifier_value)


@dataclass(frozen=True)
class Edge:
    """Two identifiers seen together in one record, and whether that was allowed to join them."""

    a: Node
    b: Node
    source_system: str
    source_record_id: str
    observed_at: datetime | None
    rule: str
    evidence_grade: str | None
    refusal_reason: str | None

    def other(self, node: Node) -> Node:
        """The end that is not `node`."""
        return self.b if self.a == node else self.a


@dataclass(frozen=True)
class Step:
    """A step of the chain: `node`, reached from `parent` over `edge`; a beginning has neither."""

    node: Node
    parent: Node | None
    edge: Edge | None


@dataclass(frozen=True)
class Explanation:
    """What is published about one person, and the evidence for it."""

    customer_id: str
    asked_for: str
    alias_of: str | None
    as_of: datetime | None
    person: Row
    email_reason: str
    identifiers: list[Identifier]
    fields: list[Row]
    chain: list[Step]
    refused: list[Edge]
    stages: list[Row]
    timeline: Timeline
    rfm: Row
    clv: Row
    segments: list[Row]
    permissions: list[Row]
    decisions: list[Row]
    deliveries: list[Row]
    held_back: list[Row]
    personas: list[Row] = field(default_factory=list)
    path: Row = field(default_factory=dict)  # of the first persona
    not_published: list[str] = field(default_factory=list)
    purposes: dict[str, str] = field(default_factory=dict)  # by segment
    predicted: Predicted = field(default_factory=Predicted)
    preferences: Preferences = field(default_factory=Preferences)
    is_published: bool = True

    def to_json(self) -> str:
        """The explanation as JSON; money as text, so that nothing is rounded."""
        return as_json(self)


@dataclass(frozen=True)
class Why:
    """The answer: one person or not, in a sentence, with the path between the two."""

    is_one_person: bool
    sentence: str
    customer_ids: list[str | None]
    path: list[Step]
    reasons: list[str]

    def to_json(self) -> str:
        """The answer for a program to read."""
        return as_json(self)


def as_json(answer: Any) -> str:
    """A dataclass as JSON; moments in ISO form, money as text."""
    return json.dumps(asdict(answer), default=_plain, ensure_ascii=False, indent=2)


def by_worth(identifier: Identifier) -> tuple[int, int, str, str]:
    """Best evidence first; equal evidence by type as in the design, then by value."""
    kind = identifier.identifier_type
    position = IDENTIFIER_TYPES.index(kind) if kind in IDENTIFIER_TYPES else len(IDENTIFIER_TYPES)
    return grade_rank(identifier.evidence_grade), position, kind, identifier.identifier_value


def by_evidence(edge: Edge) -> tuple[bool, int, datetime, str, Node, Node]:
    """Used pairs first, then the best grade, then the earliest record; total."""
    seen = edge.observed_at.replace(tzinfo=UTC) if edge.observed_at else _NEVER
    refused = edge.refusal_reason is not None
    return refused, grade_rank(edge.evidence_grade), seen, edge.source_record_id, edge.a, edge.b


def chain(nodes: Sequence[Node], edges: Sequence[Edge], start: Node | None) -> list[Step]:
    """The strongest evidence that ties `nodes` together, from `start` outwards.

    A spanning tree grown by best grade, then earliest record: each identifier is reached over the
    best pair that joins it to what was reached before. Pairs may pass through a record that is no
    identifier of a person (an order); one that leads nowhere is left out. An identifier without
    any pair begins a chain of its own.
    """
    neighbours: dict[Node, list[tuple[int, Edge]]] = defaultdict(list)
    for position, edge in enumerate(sorted(edges, key=by_evidence)):
        if edge.a == edge.b:
            continue
        neighbours[edge.a].append((position, edge))
        neighbours[edge.b].append((position, edge))
    steps: dict[Node, Step] = {}
    for root in ([start] if start else []) + list(nodes):
        if root not in steps:
            steps[root] = Step(root, None, None)
            _grow(root, neighbours, steps)
    return _without_dead_ends(list(steps.values()), set(nodes))


def path_to(end: Node, steps: Sequence[Step]) -> list[Step]:
    """The steps of a chain from its beginning to `end`; empty if it is not in it."""
    by_node = {step.node: step for step in steps}
    path: list[Step] = []
    step = by_node.get(end)
    while step is not None:
        path.append(step)
        step = by_node[step.parent] if step.parent else None
    return path[::-1]


def nearest_path(starts: Sequence[Node], ends: Sequence[Node], edges: Sequence[Edge]) -> list[Step]:
    """The path with the fewest refused edges, then steps, then the best evidence (Dijkstra)."""
    neighbours: dict[Node, list[Edge]] = defaultdict(list)
    for edge in edges:
        neighbours[edge.a].append(edge)
        neighbours[edge.b].append(edge)
    wanted, reached = set(ends), dict[Node, Step]()
    order = itertools.count()  # equal costs: whatever was met first, in the order of the edges
    waiting = [((0, 0, 0), next(order), Step(start, None, None)) for start in starts]
    heapq.heapify(waiting)
    while waiting:
        (refused, length, rank), _, step = heapq.heappop(waiting)
        if step.node in reached:
            continue
        reached[step.node] = step
        if step.node in wanted:
            return path_to(step.node, list(reached.values()))
        for edge in neighbours[step.node]:
            far = edge.other(step.node)
            cost = (
                refused + (edge.refusal_reason is not None),
                length + 1,
                rank + grade_rank(edge.evidence_grade),
            )
            heapq.heappush(waiting, (cost, next(order), Step(far, step.node, edge)))
    return []


def _grow(
    root: Node, neighbours: dict[Node, list[tuple[int, Edge]]], steps: dict[Node, Step]
) -> None:
    """Add everything that can be reached from `root`, always over the best pair at hand (Prim)."""
    waiting = [(position, root, edge) for position, edge in neighbours[root]]
    heapq.heapify(waiting)
    while waiting:
        _, near, edge = heapq.heappop(waiting)
        far = edge.other(near)
        if far in steps:
            continue
        steps[far] = Step(far, near, edge)
        for position, onward in neighbours[far]:
            heapq.heappush(waiting, (position, far, onward))


def _without_dead_ends(steps: list[Step], wanted: set[Node]) -> list[Step]:
    """The steps that lead, directly or further on, to an identifier that was asked for."""
    kept: set[Node] = set()
    needed: list[Step] = []
    for step in reversed(steps):
        if step.node in wanted or step.node in kept:
            needed.append(step)
            if step.parent:
                kept.add(step.parent)
    return needed[::-1]


def email_reason(email: str | None, identifiers: Sequence[Identifier]) -> str:
    """Why this address is the person's best one, in one sentence."""
    addresses = [each for each in identifiers if each.identifier_type == "email"]
    chosen = next((each for each in addresses if each.identifier_value == email), None)
    if not email or chosen is None:
        return "No email address is known." if not addresses else "No address is usable."
    seen = f"seen {chosen.observation_count} time(s)"
    if chosen.last_seen_at:
        seen += f", last on {chosen.last_seen_at:%Y-%m-%d}"
    others = [each for each in addresses if each is not chosen]
    if not others:
        return f"The only address; evidence {chosen.evidence_grade}, {seen}."
    better = [o for o in others if grade_rank(o.evidence_grade) < grade_rank(chosen.evidence_grade)]
    equal = [o for o in others if grade_rank(o.evidence_grade) == grade_rank(chosen.evidence_grade)]
    if better:
        against = (
            f"{len(better)} of {len(others)} other address(es) has better, but is undeliverable"
        )
    elif not equal:
        against = f"better than for the {len(others)} other address(es)"
    elif all(other.is_dormant for other in equal):
        against = f"as good as for {len(equal)} other(s), which lie dormant"
    else:
        against = f"as good as for {len(equal)} of {len(others)} other(s), and seen last"
    return f"Evidence {chosen.evidence_grade}, {against}; {seen}."


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime | date) else str(value)
