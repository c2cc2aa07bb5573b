"""Rivals' rules on small stories, each with the outcome that its public description implies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion.duckdb import connect
from ingestion.vocabulary import IDENTIFIER_TYPES
from orchestration.scorecard.flat_matching import flat_match
from orchestration.scorecard.rivals import LIMITS, PRIORITY, RIVALS, components
from tests.orchestration.scorecard.boards import groups, tell

BY_NAME = {rival.name: rival for rival in RIVALS}


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with connect() as connection:
        yield connection


def parts(*values: str) -> set[frozenset[str]]:
    return {frozenset(value.split()) for value in values}


# Email equality -----------------------------------------------------------------------------------
def test_email_equality_misses_what_a_device_saw_before(board: Any) -> None:
    tell(
        board,
        [
            {"device": "d"},
            {"device": "d", "login": "u"},
            {"login": "u", "email": "a@"},
            {"email": "a@", "klaviyo_profile_id": "k"},
        ],
    )
    assert groups(board, BY_NAME["email_equality"]) == parts("d", "u a@ k")


def test_email_equality_keeps_two_addresses_of_one_card_apart(board: Any) -> None:
    tell(
        board,
        [
            {"email": "a@", "payment_card": "c"},
            {"email": "b@", "payment_card": "c"},
            {"email": "b@", "payment_card": "c"},
        ],
    )
    assert groups(board, BY_NAME["email_equality"]) == parts("a@", "b@ c")


def test_email_equality_takes_everybody_with_a_placeholder_for_one(board: Any) -> None:
    tell(
        board,
        [
            {"email": "none@none.com", "payment_card": "c1"},
            {"email": "none@none.com", "payment_card": "c2"},
        ],
    )
    assert groups(board, BY_NAME["email_equality"]) == parts("none@none.com c1 c2")


# Last login per device ----------------------------------------------------------------------------
def test_a_kiosk_gives_everybody_to_the_last_login(board: Any) -> None:
    tell(
        board,
        [
            {"device": "kiosk", "login": "u1", "email": "a@"},
            {"device": "kiosk", "email": "b@", "phone": "2"},
            {"device": "kiosk", "login": "u3"},
        ],
    )
    assert groups(board, BY_NAME["last_login_per_device"]) == parts("kiosk u1 a@ b@ 2 u3")


def test_devices_of_one_login_are_stitched_and_others_stay_alone(board: Any) -> None:
    tell(
        board,
        [
            {"device": "d1"},
            {"device": "d1", "login": "u"},
            {"device": "d2", "login": "u"},
            {"device": "d3"},
            {"email": "a@", "shopify_customer_id": "1"},
        ],
    )
    assert groups(board, BY_NAME["last_login_per_device"]) == parts("d1 d2 u", "d3", "a@ 1")


def test_one_hop_does_not_tie_two_logins_with_one_address(board: Any) -> None:
    tell(
        board,
        [
            {"device": "d1", "login": "u1", "email": "a@"},
            {"device": "d2", "login": "u2", "email": "a@"},
        ],
    )
    assert groups(board, BY_NAME["last_login_per_device"]) == parts("d1 u1", "d2 u2 a@")


# Flat matching ------------------------------------------------------------------------------------
def test_a_second_user_id_of_an_address_makes_a_profile_without_it(board: Any) -> None:
    tell(board, [{"login": "abc123", "email": "jane@"}, {"login": "abc456", "email": "jane@"}])
    assert groups(board, BY_NAME["flat_matching"]) == parts("abc123 jane@", "abc456")


def test_profiles_merge_when_a_record_names_both(board: Any) -> None:
    tell(board, [{"device": "d"}, {"email": "a@"}, {"email": "a@", "device": "d", "phone": "1"}])
    assert groups(board, BY_NAME["flat_matching"]) == parts("d a@ 1")


def test_a_merge_over_a_limit_demotes_the_lowest_priority(board: Any) -> None:
    tell(
        board,
        [
            {"login": "u1", "device": "tablet"},
            {"login": "u2", "email": "b@"},
            {"email": "b@", "device": "tablet", "phone": "1"},
        ],
    )
    # The phone goes first and stays without a profile; then the tablet, which keeps the one it has.
    assert groups(board, BY_NAME["flat_matching"]) == parts("u1 tablet", "u2 b@")


def test_the_sixth_value_of_a_type_is_not_taken_in(board: Any) -> None:
    tell(board, [{"email": "a@", "device": f"d{n}"} for n in range(6)])
    assert groups(board, BY_NAME["flat_matching"]) == parts("a@ d0 d1 d2 d3 d4")


def test_suggested_blocks_are_nobodys(board: Any) -> None:
    tell(
        board,
        [
            {"email": "a@", "phone": "000-000"},
            {"email": "b@", "phone": "000-000"},
            {"device": "anonymous", "login": "u"},
        ],
    )
    assert groups(board, BY_NAME["flat_matching"]) == parts("a@", "b@", "u")


def test_priority_is_user_id_then_email_then_by_name() -> None:
    assert PRIORITY[:2] == ("login", "email")
    assert LIMITS[0] == 1
    assert set(LIMITS[1:]) == {5}
    segment_names = ["anonymous_id" if name == "device" else name for name in PRIORITY[2:]]
    assert segment_names == sorted(segment_names)
    assert len(PRIORITY) == len(set(PRIORITY))
    assert set(PRIORITY) == set(IDENTIFIER_TYPES)


RECORDS = st.lists(
    st.tuples(st.integers(0, 3), st.sampled_from([0, 11, 12, 13]), st.sampled_from([0, 21, 22])),
    max_size=15,
)


@settings(max_examples=200, deadline=None)
@given(records=RECORDS)
def test_no_profile_ever_exceeds_its_limits(records: list[tuple[int, int, int]]) -> None:
    limits = (1, 2, 1)
    found = flat_match(records, limits)
    for profile in set(found.values()):
        members = [identifier for identifier, home in found.items() if home == profile]
        by_type = [sum(identifier // 10 == place for identifier in members) for place in range(3)]
        assert all(held <= limit for held, limit in zip(by_type, limits, strict=True))
    told = {identifier for record in records for identifier in record if identifier}
    assert set(found) <= told


@settings(max_examples=100, deadline=None)
@given(records=RECORDS)
def test_without_limits_flat_matching_is_connected_components(
    records: list[tuple[int, int, int]],
) -> None:
    found = flat_match(records, (99, 99, 99))
    graph = nx.Graph()
    for record in records:
        present = [identifier for identifier in record if identifier]
        nx.add_path(graph, present)
    expected = {frozenset(part) for part in nx.connected_components(graph)}
    profiles = {
        frozenset(i for i, home in found.items() if home == profile) for profile in found.values()
    }
    assert profiles == expected


# Connected components -----------------------------------------------------------------------------
def test_components_chain_through_a_kiosk(board: Any) -> None:
    tell(
        board,
        [
            {"device": "kiosk", "login": "u1"},
            {"device": "kiosk", "login": "u2"},
            {"login": "u2", "email": "b@"},
            {"phone": "1"},
        ],
    )
    assert groups(board, BY_NAME["connected_components"]) == parts("kiosk u1 u2 b@", "1")


@settings(max_examples=100, deadline=None)
@given(edges=st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=40))
def test_components_equal_those_of_networkx(edges: list[tuple[int, int]]) -> None:
    a = np.array([edge[0] for edge in edges], dtype=np.int64)
    b = np.array([edge[1] for edge in edges], dtype=np.int64)
    found = components(a, b)
    graph = nx.Graph(edges)
    for part in nx.connected_components(graph):
        assert {int(found[node]) for node in part} == {min(part)}


def test_a_long_chain_needs_few_rounds() -> None:
    chain = np.arange(200_000, dtype=np.int64)
    assert not components(chain[:-1], chain[1:]).any()


# All of them --------------------------------------------------------------------------------------
@pytest.mark.parametrize("rival", RIVALS, ids=lambda rival: rival.name)
def test_every_rule_gives_an_identifier_one_customer_at_most(board: Any, rival: Any) -> None:
    tell(
        board,
        [{"device": f"d{n % 3}", "login": f"u{n % 2}", "email": f"{n % 4}@"} for n in range(20)],
    )
    groups(board, rival)
    twice = board.execute(
        "select 1 from found group by identifier_type, identifier_value having count(*) > 1"
    ).fetchall()
    assert not twice
    before = board.execute("from found order by all").fetchall()
    groups(board, rival)
    assert board.execute("from found order by all").fetchall() == before
