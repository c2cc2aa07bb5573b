"""Whether anything may be sent at all: settings, an explicit word, or an approved plan.

Belongs here: the authority to send, apart from any person's permission (the gate). Does not belong
here: sending.

Approval binds to a plan's hash: if the data has changed since, nothing is sent (RELIABILITY A12).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from ingestion import config
from ingestion.errors import RegularsError, UsageError
from orchestration.activation.plan import Plan, open_rows
from orchestration.ops import schema
from orchestration.ops.store import insert_new, to_micros
from orchestration.run.run import Send


class ApprovalError(RegularsError):
    """What was approved is not what would be sent now."""


@dataclass(frozen=True)
class Approval:
    """Somebody's yes to exactly one plan."""

    plan_hash: str
    approved_by: str = "unnamed"
    reason: str = ""


def as_asked(send: Send, *, at_terminal: bool) -> Send:
    """What of a run's wish holds: only a person at a terminal may ask for every destination.

    A run that Dagster starts, from the launch pad or again after a failure, may at most do what a
    schedule may, whatever stands in its configuration.
    """
    return "scheduled" if send == "yes" and not at_terminal else send


def refuse_other_input(asked: str, settings_input: str, *, at_terminal: bool) -> None:
    """A run that Dagster starts reads what the settings name; other files take a terminal.

    Raises:
        UsageError: its configuration names other files.
    """
    if asked and asked != settings_input and not at_terminal:
        raise UsageError(
            "A run from Dagster reads the input of the settings, and this one names another.",
            "Take `input` out of the launch pad, set it in regulars.toml, or run it at a terminal"
            " with `regulars run --input`.",
        )


def may_send(destination: config.Destination, asked: Send) -> bool:
    """Whether what was asked and the settings allow a delivery to this destination.

    Nothing else decides, and nothing is sent that nobody asked for: `yes` is a person's `--send` or
    `sync`, or the demo's wish to fill its own folder; `scheduled` takes `send = true` of that
    destination; `no` only plans.
    """
    if not destination.enabled:
        return False
    return asked == "yes" or (asked == "scheduled" and destination.send)


def accept(connection: Connection, plan: Plan, approval: Approval, at: datetime) -> None:
    """Record the approval if it is for this plan, or for one of which this is the rest.

    Raises:
        ApprovalError: the differences are others than the approved ones.
    """
    if plan.plan_hash != approval.plan_hash and not _is_rest_of(connection, plan, approval):
        raise ApprovalError(
            f"The plan has changed since {approval.plan_hash[:16]} was approved; nothing was sent.",
            f"Look at the new plan ({plan.plan_hash}) and approve that.",
        )
    row = {
        "plan_hash": approval.plan_hash,
        "segment": plan.target.segment,
        "destination": plan.target.destination,
        "approved_by": approval.approved_by,
        "reason": approval.reason,
        "approved_at": to_micros(at),
    }
    insert_new(connection, schema.approvals, [row])


def _is_rest_of(connection: Connection, plan: Plan, approval: Approval) -> bool:
    """Whether a sync of the approved plan was begun and every change left is a row of it."""
    table, rows = schema.sync_runs.c, open_rows(connection, plan.target)
    query = select(table.sync_run_id).where(
        table.plan_hash == approval.plan_hash,
        table.destination == plan.target.destination,
        table.segment == plan.target.segment,
    )
    begun: set[str] = set(connection.execute(query).scalars())
    for change in plan.changes:
        row = rows.get(change.customer_id)
        if row is None or row.sync_run_id not in begun:
            return False
        if (row.operation, row.content_hash) != (change.operation, change.content_hash):
            return False
    return bool(begun)
