"""Why two identifiers are one person, or why they are not.

Belongs here: finding both, the edges around them, and the path from one to the other. Does
not belong here: laying it out (view.py) or deciding who is who (the identity models did). The
pairs are rows of `marts.fct_identity_edges`, which is the same trace as a table.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from ingestion.settings_file import load_settings
from orchestration.home.layout import Home
from orchestration.published.reader import open_published
from orchestration.who.evidence import Edge, Node, Why, chain, nearest_path, path_to
from orchestration.who.explain import (
    MAX_IDENTIFIERS,
    NotFoundError,
    Reader,
    best_start,
    candidates_of,
    edges_of,
    find_person,
    identifiers_of,
    split_kind,
    unreadable,
)
from orchestration.words.codes import refusal


@dataclass(frozen=True)
class Side:
    """One of the two: whose it is, if anybody's, and where its paths may begin."""

    customer_id: str | None
    node: Node | None
    nodes: list[Node]

    @property
    def starts(self) -> list[Node]:
        """The identifier that was asked for; all of them where an id was."""
        return [self.node] if self.node else self.nodes


def why(home: Home, first: str, second: str, default_country: str | None = None) -> Why:
    """Why `first` and `second` are one person, or why not.

    Args:
        home: the shop's home; its published file is read.
        first: any identifier or id, as in `explain`; here it may also be a value that joins nobody.
        second: another one.
        default_country: how a phone number without a country code is read.

    Raises:
        NotFoundError: one of the two was never seen.
        AmbiguousError: one of the two is several people's.
        RegularsError: nothing is published yet.
    """
    country = default_country or load_settings().shop.default_country
    try:
        with open_published(home) as connection:
            reader = Reader(connection)
            sides = [
                _side(reader, who, country, side)
                for who, side in ((first, "first"), (second, "second"))
            ]
            return _answer(reader, *sides)
    except duckdb.Error as error:
        raise unreadable(home) from error


def _side(reader: Reader, who: str, country: str, ordinal: str) -> Side:
    try:
        customer_id, _, _, node = find_person(reader, who, country)
    except NotFoundError as error:
        node = _refused_node(reader, who, country)
        if node is None:
            raise NotFoundError(f"The {ordinal} of the two: {error.message}", error.hint) from error
        return Side(None, node, [node])
    identifiers = identifiers_of(reader, customer_id)
    nodes = [identifier.node for identifier in identifiers][:MAX_IDENTIFIERS]
    if node and node not in nodes:
        nodes.insert(0, node)
    return Side(customer_id, node, nodes)


def _refused_node(reader: Reader, who: str, country: str) -> Node | None:
    """The identifier that `who` is, where it was seen and joins nobody."""
    candidates = candidates_of(*split_kind(who.strip()), country)
    seen = {node for edge in edges_of(reader, candidates) for node in (edge.a, edge.b)}
    return next((node for node in candidates if node in seen), None)


def _answer(reader: Reader, first: Side, second: Side) -> Why:
    owned = [side for side in (first, second) if side.customer_id]
    # A value that joins nobody may have thousands of pairs; the few with the other side count
    nodes = list(dict.fromkeys(node for side in owned or (first, second) for node in side.nodes))
    edges = edges_of(reader, nodes)
    if first.customer_id and first.customer_id == second.customer_id:
        return _one_person(reader, first, second, edges)
    path = nearest_path(first.starts, second.starts, edges)
    reasons = [step.edge.refusal_reason for step in path if step.edge]
    refusals = [reason for reason in dict.fromkeys(reasons) if reason]
    ids = [first.customer_id, second.customer_id]
    if not path:
        sentence = "Not one person: no record leads from one to the other, not even a refused one."
        return Why(False, sentence, ids, [], [])
    if first.starts == second.starts:
        return Why(False, "Both are the same identifier, and it belongs to nobody.", ids, path, [])
    refused = sum(reason is not None for reason in reasons)
    sentence = f"Not one person: of {len(reasons)} edge(s) between them, {refused} refused."
    return Why(False, sentence, ids, path, [refusal(reason) for reason in refusals])


def _one_person(reader: Reader, first: Side, second: Side, edges: Sequence[Edge]) -> Why:
    """The strongest chain from one to the other, as `explain` draws it."""
    person = next(iter(reader.of_person("marts.dim_customers", str(first.customer_id))), {})
    identifiers = identifiers_of(reader, str(first.customer_id))
    start, end = (side.node or best_start(identifiers, person) for side in (first, second))
    ids = [first.customer_id, second.customer_id]
    if start is None or end is None or start == end:
        return Why(True, "Both are the same person, asked for by the same identifier.", ids, [], [])
    used = [edge for edge in edges if edge.refusal_reason is None]
    path = path_to(end, chain([start, end], used, start))
    if path and path[0].node == start:
        return Why(True, f"One person, by {len(path) - 1} edge(s).", ids, path, [])
    around = nearest_path([start], [end], edges)
    reasons = dict.fromkeys(step.edge.refusal_reason for step in around if step.edge)
    sentence = "One person by the id kept from earlier runs; today no used edges lead between them."
    return Why(True, sentence, ids, around, [refusal(reason) for reason in reasons if reason])
