"""Ties given up so that what must stay apart does, against the rule said in plain words."""

from __future__ import annotations

import networkx as nx
from hypothesis import given
from hypothesis import strategies as st

from ingestion.functions.partition import APART, CROWD, refused_ties

NODES = st.integers(0, 12)
PAIRS = st.tuples(NODES, NODES).filter(lambda pair: pair[0] != pair[1])
Pairs = list[tuple[int, int]]


def in_plain_words(ties: Pairs, apart: Pairs) -> list[int]:
    """Use a tie unless it connects two nodes that must stay apart."""
    graph, refused = nx.Graph(), []
    graph.add_nodes_from(range(13))
    for place, tie in enumerate(ties, start=1):
        graph.add_edge(*tie)
        if any(nx.has_path(graph, *pair) for pair in apart):
            graph.remove_edge(*tie)
            refused.append(place)
    return refused


@given(
    ties=st.lists(PAIRS, max_size=25, unique_by=lambda tie: tuple(sorted(tie))),
    apart=st.lists(PAIRS, max_size=6),
)
def test_greedy_in_the_order_of_strength(ties: Pairs, apart: Pairs) -> None:
    assert refused_ties(ties, apart) == [[place, APART] for place in in_plain_words(ties, apart)]


def test_a_chain_is_cut_at_its_weakest_tie() -> None:
    strong_first = [(1, 2), (3, 4), (2, 3)]
    assert refused_ties(strong_first, [(1, 4)]) == [[3, APART]]


def test_nothing_apart_refuses_nothing() -> None:
    assert refused_ties([(1, 2), (2, 3)], []) == []


def test_ten_thousand_ties_to_one_value_are_quick() -> None:
    ties = [(0, n) for n in range(1, 10_001)]
    assert refused_ties(ties, [(1, 2)]) == [[2, APART]]


def crowded(part: set[int], counted: dict[int, int], most: int, days: int) -> bool:
    """More than `most` moments of the part within `days`, or at all."""
    moments = [counted[node] for node in part if node in counted]
    near = [sum(0 <= other - one <= days for other in moments) for one in moments]
    return max(near, default=0) > most if days else len(moments) > most


@given(
    ties=st.lists(PAIRS, max_size=25, unique_by=lambda tie: tuple(sorted(tie))),
    counted=st.dictionaries(NODES, st.integers(0, 20)),
    most=st.integers(1, 4),
    days=st.integers(0, 5),
)
def test_no_part_becomes_a_crowd(
    ties: Pairs, counted: dict[int, int], most: int, days: int
) -> None:
    """A tie is used unless the part that it makes has too many that count."""
    graph, expected = nx.Graph(), []
    graph.add_nodes_from(range(13))
    for place, tie in enumerate(ties, start=1):
        graph.add_edge(*tie)
        if crowded(nx.node_connected_component(graph, tie[0]), counted, most, days):
            graph.remove_edge(*tie)
            if not nx.has_path(graph, *tie):
                expected.append([place, CROWD])
            else:
                graph.add_edge(*tie)
    rows = [[node, 1, day * 86_400_000_000] for node, day in counted.items()]
    assert refused_ties(ties, [], rows, [[most, days]]) == expected


def test_a_tie_made_by_hand_knows_no_limit() -> None:
    counted = [[node, 1, 0] for node in (1, 2, 3)]
    assert refused_ties([(1, 2, 1), (2, 3, 0)], [], counted, [[1, 0]]) == [[2, CROWD]]
