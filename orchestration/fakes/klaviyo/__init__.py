"""Klaviyo: profiles, lists, bulk imports, subscriptions, suppressions, events and deletions.

Calls and rules: `calls`; shown in docs/fakes.md. Revision 2026-07-15.
Not here: campaigns, flows and metrics (sources read those of the pretend shop), SMS and WhatsApp
beyond consent, segments, push tokens, tags, merging profiles, webhooks, lifting suppressions.
"""

from __future__ import annotations

from orchestration.fakes.klaviyo.app import Klaviyo
from orchestration.fakes.server import Clock


def create(seed: int, clock: Clock) -> Klaviyo:
    """An account without content."""
    return Klaviyo(seed, clock)
