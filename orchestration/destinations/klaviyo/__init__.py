"""The `klaviyo` destination: a segment as properties of profiles, and as a list where asked for.

What: for each member the properties `regulars_<segment>` (true), `…_customer_id`, `…_version`,
`…_reason` and `…_context`, set and unset by bulk import; nobody is ever subscribed. By default only
profiles that exist are touched.
Calls in order, limits and what is not done: docs/channels/klaviyo.md.
Auth: a private key with profiles:read, profiles:write, lists:read, lists:write and
subscriptions:write, for `forget` also data-privacy:write, in the variable that `api_key_env` names.

Belongs here: opening it. Does not belong here: HTTP (`..http`), permission (the gate).
Data flow: outbox rows -> profiles of the shop's account; subscriptions there -> withdrawals.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orchestration.destinations.http import HttpClient, secret
from orchestration.destinations.klaviyo.api import MEDIA_TYPE, REVISION, Api
from orchestration.destinations.klaviyo.destination import KlaviyoDestination, Options
from orchestration.destinations.options import checked_options
from orchestration.home.layout import Home


def messages_on_add(options: Mapping[str, Any], segment: str) -> bool:
    """Whether members are put on a list, whose flows begin for whoever is added."""
    return segment in options.get("lists", {})


def create(name: str, options: dict[str, Any], home: Home) -> KlaviyoDestination:  # noqa: ARG001
    """The destination with these options; nothing is reached.

    Raises:
        UsageError: an option is unknown or has a wrong value.
    """
    checked = checked_options(Options, name, options)
    client = HttpClient(
        name,
        checked.base_url,
        repeatable=True,  # every call sets a state
        headers=lambda: {
            "authorization": f"Klaviyo-API-Key {secret(name, 'api_key_env', checked.api_key_env)}",
            "revision": REVISION,
            "accept": MEDIA_TYPE,
        },
        credentials=checked.api_key_env,
        allow_private=checked.allow_private,
    )
    return KlaviyoDestination(name, checked, Api(client))
