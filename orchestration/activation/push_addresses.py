"""Which browser of a person a push notice goes to: one that may be told and is still there.

Belongs here: choosing among a person's devices. Does not belong here: permission (gate), and how
subscriptions come and go (`ops.push_subscriptions`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ingestion.vocabulary import DEVICE, Reason
from orchestration.activation.gate import (
    Decision,
    Identifier,
    Key,
    PermissionState,
    Policy,
    decide,
)
from orchestration.ops.push_subscriptions import Subscription

SUBSCRIPTION = ("endpoint", "p256dh", "auth")  # columns of a row that is to be a notice


def with_subscription(
    decision: Decision,
    identifiers: Sequence[Identifier],
    states: Mapping[Key, PermissionState],
    policy: Policy,
    living: Mapping[str, Subscription],
) -> Decision:
    """The gate's answer for a device that takes notices; no address where none does.

    `living` is in the order in which devices are preferred.
    """
    if decision.address is None or decision.address[1] in living:
        return decision
    own = {identifier.value for identifier in identifiers if identifier.type == DEVICE}
    for device in (each for each in living if each in own):
        other = decide(identifiers, states, policy, address=(DEVICE, device))
        if other.allowed:
            return other
    return replace(decision, reason=Reason.NO_ADDRESS, address=None, receipt_id=None)


def fields_of(device: str, living: Mapping[str, Subscription]) -> dict[str, str]:
    """Where a device takes notices, and the keys to encrypt for it."""
    return dict(zip(SUBSCRIPTION, living[device], strict=True))
