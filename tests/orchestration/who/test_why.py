"""Why two identifiers are one person or not: the path, the refusals, and plain failures."""

from __future__ import annotations

import json
import subprocess
import sys
from io import StringIO
from itertools import pairwise
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from orchestration.home.layout import Home
from orchestration.who.evidence import Edge, Node, Why, nearest_path
from orchestration.who.explain import AmbiguousError, NotFoundError
from orchestration.who.view import render_why
from orchestration.who.why import why
from orchestration.words.codes import REFUSALS, refusal

SHOP = Path(__file__).with_name("explained_shop.sql").read_text("utf-8")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    home = Home(tmp_path_factory.mktemp("why"))
    with duckdb.connect(str(home.published)) as connection:
        connection.execute(SHOP)
    return home


def _text(found: Why) -> str:
    file = StringIO()
    Console(file=file, width=200, color_system=None, soft_wrap=True).print(render_why(found))
    return file.getvalue()


def _steps(found: Why) -> list[str]:
    return [f"{step.node.type} {step.node.value}" for step in found.path]


def test_a_pair_of_one_person_has_the_path_that_explain_draws(home: Home) -> None:
    found = why(home, "old@shop.example", "+44 20 7946 0000", "GB")
    assert found.is_one_person
    assert found.customer_ids == ["c1", "c1"]
    assert _steps(found) == [
        "email old@shop.example",
        "device dev-1",
        "order 1001",
        "email ann@shop.example",
        "phone +442079460000",
    ]
    text = _text(found)
    assert "One person, by 4 edge(s)." in text
    assert "identify · web m-1 · newsletter · 2025-01-01" in text
    assert "same_order · orders 1001 · card_paid_order · 2025-02-01" in text


def test_two_people_have_the_refused_pairs_of_the_best_path_with_their_reasons(home: Home) -> None:
    found = why(home, "ann@shop.example", "bo@shop.example")
    assert not found.is_one_person
    assert _steps(found) == ["email ann@shop.example", "device kiosk", "email bo@shop.example"]
    text = _text(found)
    assert "Not one person: of 2 edge(s) between them, 2 refused." in text
    assert "refused: shared_device (identify · web m-5" in text
    assert "Device used by several people; it joins nobody." in text


def test_fewer_refusals_make_the_better_path(home: Home) -> None:
    found = why(home, "c1", "c2")
    assert _steps(found) == ["loyalty_id 77", "orders_customer_id 77"]
    assert found.reasons == ["Kept apart by a rule; the two stay apart."]


def test_a_value_that_joins_nobody_can_be_asked_too(home: Home) -> None:
    found = why(home, "kiosk", "bo@shop.example")
    assert found.customer_ids == [None, "c2"]
    assert _steps(found) == ["device kiosk", "email bo@shop.example"]


def test_no_record_between_two_people_is_said(home: Home) -> None:
    found = why(home, "none@none.example", "ann@shop.example")
    assert (found.is_one_person, found.path) == (False, [])
    assert "no record leads from one to the other" in found.sentence


def test_a_kept_id_is_said_where_no_record_ties_the_two(home: Home) -> None:
    found = why(home, "ann@shop.example", "loyalty_id:77")
    assert found.is_one_person
    assert "by the id kept from earlier runs" in found.sentence


@pytest.mark.parametrize(
    ("first", "second"),
    [("ann@shop.example", "ANN@shop.example"), ("c1", "c0"), ("c1", "ann@shop.example")],
)
def test_the_same_asked_twice_is_one_person(home: Home, first: str, second: str) -> None:
    found = why(home, first, second)
    assert found.is_one_person
    assert found.path == []


def test_an_unknown_value_says_which_of_the_two_without_repeating_it(home: Home) -> None:
    with pytest.raises(NotFoundError, match="The second of the two: Nobody is known") as caught:
        why(home, "c1", "stranger@nowhere.example")
    assert "stranger" not in str(caught.value)


def test_a_value_of_two_people_is_asked_back(home: Home) -> None:
    with pytest.raises(AmbiguousError):
        why(home, "77", "c1")


def test_json_holds_the_path(home: Home) -> None:
    content = json.loads(why(home, "c1", "c2").to_json())
    assert content["path"][1]["edge"]["refusal_reason"] == "cannot_link"


def test_the_command_takes_two_and_says_what_it_needs(home: Home) -> None:
    program = [str(Path(sys.executable).with_name("regulars")), "explain", "--home", str(home.root)]
    done = subprocess.run(
        [*program, "--why", "c1", "c2"], capture_output=True, text=True, check=True
    )
    assert "loyalty_id 77" in done.stdout
    for wrong in ([], ["c1", "--why", "c1", "c2"]):
        failed = subprocess.run([*program, *wrong], capture_output=True, text=True, check=False)
        assert failed.returncode == 2
        assert "which two with --why" in failed.stderr


@pytest.mark.parametrize("code", [*REFUSALS, "too_many_hats", None])
def test_every_refusal_is_a_plain_sentence(code: str | None) -> None:
    sentence = refusal(code)
    assert sentence.endswith(".")
    assert "_" not in sentence


_NODES = [Node("email", str(number)) for number in range(7)]
_EDGES = st.builds(
    lambda a, b, reason: Edge(a, b, "web", "r", None, "rule", "checkout", reason),
    st.sampled_from(_NODES),
    st.sampled_from(_NODES),
    st.sampled_from([None, "shared_device"]),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(_EDGES, max_size=20))
def test_the_path_has_the_fewest_refusals_that_any_has(edges: list[Edge]) -> None:
    path = nearest_path([_NODES[0]], [_NODES[1]], edges)
    cost = {node: len(edges) + 1 for node in _NODES} | {_NODES[0]: 0}
    for _ in _NODES:  # Bellman and Ford
        for edge in edges:
            step = edge.refusal_reason is not None
            cost[edge.a] = min(cost[edge.a], cost[edge.b] + step)
            cost[edge.b] = min(cost[edge.b], cost[edge.a] + step)
    if not path:
        assert cost[_NODES[1]] > len(edges)
        return
    assert (path[0].node, path[-1].node) == (_NODES[0], _NODES[1])
    assert all(now.parent == before.node for before, now in pairwise(path))
    refused = sum(step.edge.refusal_reason is not None for step in path if step.edge)
    assert refused == cost[_NODES[1]]
