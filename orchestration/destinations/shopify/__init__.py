"""The `shopify` destination: a segment as a tag and a metafield of the shop's own customers.

What: for each member the tag `regulars_<segment>` and the metafield `regulars.<segment>`, which
says whose membership it is and what a message can use. Tags of others are never touched; nobody is
subscribed, and by default nobody is made.
Calls in order, limits and what is not done: docs/channels/shopify.md.
Auth: client credentials of an app with read_customers and write_customers (for `request_erasure`
also write_customer_data_erasure) in the variables that `client_id_env` and `client_secret_env`
name.

Belongs here: opening it. Does not belong here: HTTP (`..http`), permission (the gate).
Data flow: outbox rows -> tags of customers; consent states there -> withdrawals.
"""

from __future__ import annotations

from typing import Any

from orchestration.destinations.options import checked_options
from orchestration.destinations.shopify.api import Api
from orchestration.destinations.shopify.destination import Options, ShopifyDestination
from orchestration.destinations.shopify.graphql import GraphqlClient
from orchestration.home.layout import Home

FINDS_BY = ("shopify_customer_id",)


def create(name: str, options: dict[str, Any], home: Home) -> ShopifyDestination:  # noqa: ARG001
    """The destination with these options; nothing is reached.

    Raises:
        UsageError: an option is missing, unknown or has a wrong value.
    """
    checked = checked_options(Options, name, options)
    client = GraphqlClient(
        name,
        checked.base_url,
        checked.api_version,
        client_id_env=checked.client_id_env,
        client_secret_env=checked.client_secret_env,
        allow_private=checked.allow_private,
    )
    return ShopifyDestination(name, checked, Api(client, checked.namespace))
