"""Plans: what would be sent to each destination, and for an editor a yes to exactly one.

Belongs here: the page. Does not belong here: plans, approvals and syncs (orchestration/activation).

An approval does what `regulars sync SEGMENT DESTINATION --approve HASH` does: the plan is made
again, and where its hash is another nothing is sent and the answer is 409.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from ingestion.errors import UsageError
from orchestration.activation.authority import Approval
from orchestration.activation.code_effect import in_signs
from orchestration.activation.delivery import (
    Delivery,
    plan_all,
    sync_all,
    who_is_planned,
)
from orchestration.activation.people import targets_in
from orchestration.home import lock
from orchestration.serve.pages.page import Asked, Change, Form, Page, View
from orchestration.words.codes import reasons_in_words

APPROVE = "/plans/approve"
PEOPLE_SHOWN = 20
_HASH = re.compile(r"[0-9a-f]{16}")


def read_targets(asked: Asked) -> Mapping[str, object]:
    """Every segment with each destination it goes to; a plan takes a while, so none is made yet."""
    members = {row["segment"]: row for row in asked.rows("segment_sizes")}
    return {"targets": targets_in(asked.connection, asked.settings), "members": members}


def read_waiting(asked: Asked) -> Mapping[str, object]:
    """Every plan as of now that would send something; making them all takes a while."""
    planned = [Delivery.planned(plan) for plan in plan_all(asked.home, None, None).plans]
    return {"plans": [each for each in planned if each.changes], "of": len(planned)}


def read_plan(asked: Asked) -> Mapping[str, object]:
    """The plan of one segment and destination as of now: counts, why not, the first people."""
    segment, destination = asked.parameters["segment"], asked.parameters["destination"]
    planned = plan_all(asked.home, segment, destination)
    (plan,) = planned.plans or (None,)
    if plan is None:
        raise UsageError(
            "This destination is switched off.",
            f"See [destinations.{destination}] in regulars.toml.",
        )
    people = [each for each in who_is_planned(asked.home, [plan]) if each.state != "has it"]
    added = {each.customer_id for each in plan.changes if each.operation == "added"}
    without = planned.new_profiles.get(destination, frozenset())
    effect = planned.code_effects.get((segment, destination))
    return {
        "plan": Delivery.planned(plan),
        "held_back": reasons_in_words(plan.held_back_counts),
        "people": people[:PEOPLE_SHOWN],
        "more": max(len(people) - PEOPLE_SHOWN, 0),
        "makes_profiles": destination in planned.new_profiles,
        "new_profiles": None if without is None else len(added & without),
        "approve": APPROVE,
        "code_effect": [
            ("By changed data", in_signs(effect.by_data)),
            ("By changed code of the segment", in_signs(effect.by_code)),
            ("Kept back by changed code", in_signs(effect.kept_back)),
        ]
        if effect and not effect.is_nothing
        else [],
    }


def approve(change: Change) -> Mapping[str, object]:
    """Send exactly the plan that the form names."""
    segment, destination, plan_hash = (change.fields[name] for name in FIELDS)
    if not _HASH.fullmatch(plan_hash):
        raise UsageError("This is no plan's hash.", "Open the plan again.")
    with lock.hold(change.home.lock):
        synced = sync_all(change.home, segment, destination, Approval(plan_hash, change.by))
    synced.raise_failures()
    return {"sent": [Delivery.sent(report) for report in synced.reports]}


FIELDS = ("segment", "destination", "plan_hash")
PAGE = Page(
    "Plans",
    "/plans",
    (
        View("/plans", "plans.html.j2", read_targets),
        View("/plans/waiting", "plans_waiting.html.j2", read_waiting),
        View("/plans/{segment}/{destination}", "plan.html.j2", read_plan),
    ),
    (Form(APPROVE, "sent.html.j2", "sync --approve", FIELDS, approve, FIELDS[:2]),),
)
