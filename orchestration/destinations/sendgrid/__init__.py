"""The `sendgrid` destination: a segment as a list of contacts in SendGrid's Marketing Campaigns.

What: members are put on the list of the segment and taken off it, with custom fields where the
settings name them; by default only contacts that exist are touched. Whoever is suppressed there
stays off.
Calls in order, limits and what is not done: docs/channels/sendgrid.md.
Auth: an API key with the rights for Marketing and Suppressions, in the variable that `api_key_env`
names.

Belongs here: opening it. Does not belong here: HTTP (`..http`), permission (the gate).
Data flow: outbox rows -> contacts on lists of the shop's account; suppressions there ->
withdrawals.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from orchestration.destinations.http import HttpClient, secret
from orchestration.destinations.options import checked_options
from orchestration.destinations.sendgrid.api import Api
from orchestration.destinations.sendgrid.destination import Options, SendGridDestination
from orchestration.home.layout import Home


def messages_on_add(options: Mapping[str, Any], segment: str) -> bool:  # noqa: ARG001
    """Yes: automations begin when somebody is added to a list."""
    return True


def create(name: str, options: dict[str, Any], home: Home) -> SendGridDestination:  # noqa: ARG001
    """The destination with these options; nothing is reached.

    Raises:
        UsageError: an option is unknown or has a wrong value.
    """
    checked = checked_options(Options, name, options)
    variable = checked.api_key_env
    client = HttpClient(
        name,
        checked.base_url,
        repeatable=True,  # every call sets a state
        headers=lambda: {"authorization": f"Bearer {secret(name, 'api_key_env', variable)}"},
        credentials=variable,
        allow_private=checked.allow_private,
    )

    def now() -> datetime:
        return datetime.now(UTC)

    return SendGridDestination(name, checked, Api(client, now), now)
