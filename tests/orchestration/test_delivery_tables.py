"""The tables of what was planned and sent: one layout, whoever prints it."""

from __future__ import annotations

from io import StringIO

from rich.console import Console

from orchestration.activation.people import Target
from orchestration.commands.delivery import (
    NOWHERE,
    render_deliveries,
    render_plans,
    render_results,
)
from orchestration.delivery import Delivery

VIP = Target("vip", "file", "email", "marketing")
PLANNED = Delivery(VIP, {"added": 1200}, {"no_consent": 3, "expired": 1}, plan_hash="abc123")
SENT = Delivery(VIP, {"added": 2, "removed": 1}, {})


def said(*deliveries: Delivery) -> str:
    """What is printed of a run's deliveries."""
    out = Console(file=StringIO(), width=180)
    render_deliveries(deliveries, out)
    return out.file.getvalue()  # type: ignore[attr-defined]


def test_a_plan_says_what_approves_it_and_why_people_are_held_back() -> None:
    text = said(PLANNED)
    for word in ("file (email, marketing)", "1,200", "abc123", "Nothing was sent"):
        assert word in text
    assert "3 no permission on record, 1 permission expired" in text


def test_what_was_sent_needs_no_approval() -> None:
    text = said(SENT)
    assert "approve" not in text
    assert "Nothing was sent" not in text
    assert "left" in text


def test_what_is_left_is_told() -> None:
    assert "Some rows are left" in said(Delivery(VIP, {}, {}, left=2))
    assert "Some rows are left" not in said(SENT)


def test_a_run_that_did_both_prints_both() -> None:
    text = said(PLANNED, SENT)
    assert "approve" in text
    assert "left" in text


def test_a_run_without_destinations_prints_nothing() -> None:
    assert said() == ""


def test_a_plan_or_sync_without_anywhere_to_go_says_so() -> None:
    out = StringIO()
    render_plans([], Console(file=out), as_json=False)
    render_results([], Console(file=out))
    assert out.getvalue().splitlines() == [NOWHERE, NOWHERE]
