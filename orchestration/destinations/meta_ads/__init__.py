"""The `meta_ads` destination: a segment as a custom audience of the shop's ad account at Meta.

What: for each member one row of hashes (email, phone) with the customer id, added and removed in
sessions; whose data may not be sold or shared goes with limited use (LDU). An audience is never
replaced as a whole.
Calls in order, limits and what is not done: docs/channels/meta_ads.md.
Auth: a system user's token with ads_management, in the variable that `access_token_env` names.

Belongs here: opening it. Does not belong here: HTTP (`..http`), how identifiers are written
(`..normalising`), permission (the gate).
Data flow: outbox rows -> members of custom audiences.
"""

from __future__ import annotations

from typing import Any

from orchestration.destinations.http import HttpClient, secret
from orchestration.destinations.meta_ads.api import Api
from orchestration.destinations.meta_ads.destination import MetaAdsDestination, Options
from orchestration.destinations.options import checked_options
from orchestration.home.layout import Home


def create(name: str, options: dict[str, Any], home: Home) -> MetaAdsDestination:  # noqa: ARG001
    """The destination with these options; nothing is reached.

    Raises:
        UsageError: an option is missing, unknown or has a wrong value.
    """
    checked = checked_options(Options, name, options)
    variable = checked.access_token_env
    client = HttpClient(
        name,
        checked.base_url,
        repeatable=True,  # each row sets a state
        headers=lambda: {"authorization": f"Bearer {secret(name, 'access_token_env', variable)}"},
        credentials=variable,
        allow_private=checked.allow_private,
    )
    return MetaAdsDestination(name, checked, Api(name, client, variable))
