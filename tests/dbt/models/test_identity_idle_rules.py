"""Which hand-made rules do nothing, and on which lines they stand (`regulars plan --identity`)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestration.home.layout import Home
from orchestration.preview.idle_rules import IdleRules, file_lines, idle_rules
from tests.dbt.models.test_increments import IDENTITY
from tests.dbt.world import World


def rule(kind: str, value_a: str, value_b: str | None = None) -> dict[str, str | None]:
    """A rule about addresses at a.example."""
    return {
        "rule": kind,
        "type_a": "email",
        "value_a": f"{value_a}@a.example",
        "type_b": value_b and "email",
        "value_b": value_b and f"{value_b}@a.example",
        "reason": "by hand",
    }


RULES = [
    (rule("must_link", "one", "two"), None),
    (rule("must_link", "two", "ghost"), "unknown_value"),
    (rule("cannot_link", "phantom", "one"), "unknown_value"),
    (rule("block", "spectre"), "unknown_value"),
    (rule("block", "banned"), None),
    (rule("must_link", "one", "ONE"), "same_value"),
    (rule("cannot_link", "six", "six"), "same_value"),
    (rule("must_link", "three", "four"), "contradicted"),
    (rule("cannot_link", "four", "three"), None),
    # Of a chain that ends in two who are kept apart, the last link is the one refused
    (rule("must_link", "five", "six") | {"reason": "1"}, None),
    (rule("must_link", "six", "seven") | {"reason": "2"}, "contradicted"),
    (rule("cannot_link", "five", "seven"), None),
    (rule("must_link", "one", "banned"), "refused"),
    # Nobody shows it now, but the registry knows it
    (rule("must_link", "one", "gone"), None),
]
PEOPLE = ("one", "two", "three", "four", "five", "six", "seven", "banned")


@pytest.fixture(scope="module")
def ruled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Eight addresses of a list, one that only the registry knows, and rules about them."""
    world = World(Path(tmp_path_factory.mktemp("ruled")), "2026-05-03 00:00:00")
    signed_up = {"source": "newsletter", "created_at": "2026-05-01 00:00:00"}
    world.add(
        "raw_contacts.contacts",
        [{"email": f"{name}@a.example", **signed_up} for name in PEOPLE],
    )
    known = {
        "identifier_type": "email",
        "identifier_value": "gone@a.example",
        "customer_id": "c0",
        "registered_at": "2026-05-01 00:00:00",
    }
    world.export("identity_registry", [known])
    world.lines = 1
    world.add("raw_identity_rules.identity_rules", [row for row, _ in RULES])
    world.build(*IDENTITY)
    yield world


def expected() -> list[IdleRules]:
    """The header is line 1."""
    lines: dict[str, list[int]] = {}
    for line, (_, reason) in enumerate(RULES, start=2):
        if reason:
            lines.setdefault(reason, []).append(line)
    return [IdleRules(reason, len(found), found) for reason, found in sorted(lines.items())]


def test_each_rule_that_does_nothing_is_counted_once_with_its_line(ruled: World) -> None:
    home = Home(ruled.home)
    assert idle_rules(home, file_lines(home.raw)) == expected()


def test_without_lines_there_are_counts(ruled: World, tmp_path: Path) -> None:
    found = idle_rules(Home(ruled.home), file_lines(tmp_path / "raw.duckdb"))
    assert [(rules.rules, rules.lines) for rules in found] == [
        (rules.rules, []) for rules in expected()
    ]
