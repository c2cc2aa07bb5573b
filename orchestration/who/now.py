"""An explanation brought up to this moment: what may be sent now, beside what the run decided.

Belongs here: putting the gate's answers of now in place of the published ones, and saying where
they differ. Does not belong here: asking the gate (`activation.answers`), reading (`explain`).

A refusal is in force at once, while the published file is of the last run.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

from orchestration.who.evidence import Explanation, Row
from orchestration.who.timeline import timeline

# The gate's reason and receipt by channel and purpose.
Answers = Mapping[tuple[str, str], tuple[str, str | None]]

GRANTED, NEVER_ASKED = "granted", ("no_consent", "unknown_person")
_PURPOSES = {"marketing": "marketing", "service": "transactional"}  # by class of contact
_WANTED = ("chosen", "deferred")


def as_of_now(explanation: Explanation, answers: Answers) -> Explanation:
    """The explanation with these answers.

    A permission gets `reason_of_run`, what the published run had; a decision, and each of its
    rivals, gets `refused_since` where the run wanted it and the gate says no now.
    """
    by_run = {(row["channel"], row["purpose"]): row for row in explanation.permissions}
    permissions = [
        _permission(explanation.customer_id, pair, answer, by_run.get(pair, {}))
        for pair, answer in sorted(answers.items())
        if pair in by_run or answer[0] not in NEVER_ASKED
    ]
    decisions = [
        {
            **_refused_since(row, row.get("class"), explanation.purposes, answers),
            "rivals": json.dumps(
                [
                    _refused_since(rival, row.get("class"), explanation.purposes, answers)
                    for rival in json.loads(str(row.get("rivals") or "[]"))
                ]
            ),
        }
        for row in explanation.decisions
    ]
    return replace(explanation, permissions=permissions, decisions=decisions)


def unpublished(customer_id: str, asked_for: str) -> Explanation:
    """Somebody of whom only what they said is recorded, and no run knows them yet."""
    return Explanation(
        customer_id=customer_id,
        asked_for=asked_for,
        alias_of=None,
        as_of=None,
        person={},
        email_reason="",
        identifiers=[],
        fields=[],
        chain=[],
        refused=[],
        stages=[],
        timeline=timeline([], [], [], {}, []),
        rfm={},
        clv={},
        segments=[],
        permissions=[],
        decisions=[],
        deliveries=[],
        held_back=[],
        is_published=False,
    )


def _permission(
    customer_id: str, pair: tuple[str, str], answer: tuple[str, str | None], by_run: Row
) -> Row:
    reason, receipt = answer
    is_same = by_run.get("reason") == reason and by_run.get("consent_receipt_id") == receipt
    return {
        **(by_run if is_same else dict.fromkeys(by_run)),
        "customer_id": customer_id,
        "channel": pair[0],
        "purpose": pair[1],
        "is_contactable": reason == GRANTED,
        "reason": reason,
        "consent_receipt_id": receipt,
        "reason_of_run": by_run.get("reason"),
    }


def _refused_since(
    wish: Row, contact_class: object, purposes: Mapping[str, str], answers: Answers
) -> Row:
    """A wish of the run; a pair that the gate was not asked about is refused too."""
    if wish.get("outcome") not in _WANTED:
        return wish
    purpose = purposes.get(str(wish["segment"])) or _PURPOSES.get(str(contact_class), "")
    reason, _ = answers.get((str(wish["channel"]), purpose), (NEVER_ASKED[0], None))
    return wish if reason == GRANTED else {**wish, "refused_since": reason}
