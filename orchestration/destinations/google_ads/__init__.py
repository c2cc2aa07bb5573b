"""The `google_ads` destination: a segment as a Customer Match list, by Google's Data Manager API.

What: for each member hashes of email, phone and name with place, and what they said to both of
Google's consents; added and removed by requests whose state is asked for. Members are sent again
before Google drops them.
Calls in order, limits and what is not done: docs/channels/google_ads.md.
Auth: a service account's or a user's key for the scope datamanager, as Google hands it out; where
it lies is in the variable that `credentials_env` names.

Belongs here: opening it. Does not belong here: HTTP (`..http`), how identifiers are written
(`..normalising`), permission (the gate).
Data flow: outbox rows -> members of Customer Match lists.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from orchestration.destinations.google_ads.api import Api
from orchestration.destinations.google_ads.credentials import AccessToken
from orchestration.destinations.google_ads.destination import GoogleAdsDestination, Options
from orchestration.destinations.http import HttpClient
from orchestration.destinations.options import checked_options
from orchestration.home.layout import Home


def create(name: str, options: dict[str, Any], home: Home) -> GoogleAdsDestination:  # noqa: ARG001
    """The destination with these options; nothing is reached.

    Raises:
        UsageError: an option is missing, unknown or has a wrong value.
    """
    checked = checked_options(Options, name, options)
    variable = checked.credentials_env
    tokens = HttpClient(
        name,
        checked.where_tokens_are,
        repeatable=True,
        credentials=variable,
        allow_private=checked.allow_private,
    )
    token = AccessToken(name, variable, tokens)
    client = HttpClient(
        name,
        checked.base_url,
        repeatable=True,  # each row sets a state
        headers=token.header,
        credentials=variable,
        allow_private=checked.allow_private,
    )
    api = Api(name, client, checked.account, checked.manager)
    return GoogleAdsDestination(name, checked, api, lambda: datetime.now(UTC))
