"""Edges given up so that what must stay apart does, against the rule said in plain words."""

from __future__ import annotations

import networkx as nx
from hypothesis import given
from hypothesis import strategies as st

from ingestion.functions.partition import APART, TOO_MANY, refused_edges

NODES = st.integers(0, 12)
PAIRS = st.tuples(NODES, NODES).filter(lambda pair: pair[0] != pair[1])
Pairs = list[tuple[int, int]]


def in_plain_words(edges: Pairs, apart: Pairs) -> list[int]:
    """Use an edge unless it connects two nodes that must stay apart."""
    graph, refused = nx.Graph(), []
    graph.add_nodes_from(range(13))
    for place, edge in enumerate(edges, start=1):
        graph.add_edge(*edge)
        if any(nx.has_path(graph, *pair) for pair in apart):
            graph.remove_edge(*edge)
            refused.append(place)
    return refused


@given(
    edges=st.lists(PAIRS, max_size=25, unique_by=lambda edge: tuple(sorted(edge))),
    apart=st.lists(PAIRS, max_size=6),
)
def test_greedy_in_the_order_of_strength(edges: Pairs, apart: Pairs) -> None:
    assert refused_edges(edges, apart) == [[place, APART] for place in in_plain_words(edges, apart)]


def test_a_chain_is_cut_at_its_weakest_tie() -> None:
    strong_first = [(1, 2), (3, 4), (2, 3)]
    assert refused_edges(strong_first, [(1, 4)]) == [[3, APART]]


def test_nothing_apart_refuses_nothing() -> None:
    assert refused_edges([(1, 2), (2, 3)], []) == []


def test_ten_thousand_ties_to_one_value_are_quick() -> None:
    edges = [(0, n) for n in range(1, 10_001)]
    assert refused_edges(edges, [(1, 2)]) == [[2, APART]]


def have_too_many(nodes: set[int], counted: dict[int, int], most: int, days: int) -> bool:
    """More than `most` moments of the component within `days`, or at all."""
    moments = [counted[node] for node in nodes if node in counted]
    near = [sum(0 <= other - one <= days for other in moments) for one in moments]
    return max(near, default=0) > most if days else len(moments) > most


@given(
    edges=st.lists(PAIRS, max_size=25, unique_by=lambda edge: tuple(sorted(edge))),
    counted=st.dictionaries(NODES, st.integers(0, 20)),
    most=st.integers(1, 4),
    days=st.integers(0, 5),
)
def test_no_component_has_too_many(
    edges: Pairs, counted: dict[int, int], most: int, days: int
) -> None:
    """An edge is used unless the component that it makes has too many that count."""
    graph, expected = nx.Graph(), []
    graph.add_nodes_from(range(13))
    for place, edge in enumerate(edges, start=1):
        graph.add_edge(*edge)
        if have_too_many(nx.node_connected_component(graph, edge[0]), counted, most, days):
            graph.remove_edge(*edge)
            if not nx.has_path(graph, *edge):
                expected.append([place, TOO_MANY])
            else:
                graph.add_edge(*edge)
    rows = [[node, 1, day * 86_400_000_000] for node, day in counted.items()]
    assert refused_edges(edges, [], rows, [[most, days]]) == expected


def test_a_tie_made_by_hand_knows_no_limit() -> None:
    counted = [[node, 1, 0] for node in (1, 2, 3)]
    assert refused_edges([(1, 2, 1), (2, 3, 0)], [], counted, [[1, 0]]) == [[2, TOO_MANY]]
