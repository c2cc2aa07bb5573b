"""Talking GraphQL to Shopify: tokens that expire, throttling by cost, errors inside a 200.

Belongs here: one query in, checked data out. Does not belong here: which queries (queries.py), the
settings (settings.py).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ingestion.apis.connection import credential
from ingestion.apis.http import ApiClient
from ingestion.apis.paging import PageError, retried_page
from ingestion.errors import AccessDeniedError, SourceError
from ingestion.sources.shopify import queries
from ingestion.sources.shopify.settings import ShopSettings

Node = dict[str, Any]

THROTTLE_TRIES = 20
LONGEST_THROTTLE_SECONDS = 60.0


class CostTooHighError(Exception):
    """The query asks for more than one query may; a smaller page will do."""


@dataclass
class GraphqlClient:
    """A client of one shop's Admin API."""

    settings: ShopSettings
    label: str = "shopify"
    http: ApiClient = field(init=False)
    _token: str = ""

    def __post_init__(self) -> None:
        """Prepare; the token is fetched with the first query."""
        own = self.settings
        self.http = ApiClient(
            self.label,
            own.base_url,
            lambda: {"X-Shopify-Access-Token": self._token} if self._token else {},
            renew=self._renew,
            credentials=f"{own.client_id_env} and {own.client_secret_env}",
        )

    def close(self) -> None:
        """Close the connections and forget the token."""
        self._token = ""
        self.http.__exit__(None, None, None)

    def query(self, text: str, **variables: Any) -> dict[str, Any]:
        """The `data` of an answer.

        Raises:
            CostTooHighError: ask for less.
            PageError: an error inside a 200; asking again may help.
            SourceError: the query is refused.
        """
        if not self._token:
            self._renew()
        path = f"/admin/api/{self.settings.api_version}/graphql.json"
        for _ in range(THROTTLE_TRIES):
            body = self.http.json("POST", path, body={"query": text, "variables": variables})
            if not isinstance(body, dict):
                raise PageError("an answer that is not an object")
            codes = _error_codes(body)
            if "THROTTLED" in codes:
                self.http.sleep(_throttle_wait(body))
                continue
            if "MAX_COST_EXCEEDED" in codes:
                raise CostTooHighError
            if "ACCESS_DENIED" in codes:
                raise AccessDeniedError(
                    f"{self.label}: the app lacks a scope for this table.",
                    "`regulars doctor --connect` names the missing scope.",
                )
            if codes or not isinstance(body.get("data"), dict):
                raise PageError("an error in an answer that says 200")
            data: dict[str, Any] = body["data"]
            return data
        raise SourceError(
            f"{self.label}: still throttled after {THROTTLE_TRIES} waits.", "Run again later."
        )

    def _renew(self) -> bool:
        """Get a token by client credentials; it lasts a day."""
        own = self.settings
        form = {
            "grant_type": "client_credentials",
            "client_id": credential(self.label, own.client_id_env),
            "client_secret": credential(self.label, own.client_secret_env),
        }
        self._token = ""
        with ApiClient(
            self.label,
            own.base_url,
            dict,
            credentials=self.http.credentials,
            sleep=self.http.sleep,
        ) as client:
            try:
                answer = client.json("POST", "/admin/oauth/access_token", form=form)
            except SourceError as error:
                raise SourceError(
                    f"{self.label}: no access token was granted ({error.message})",
                    f"Check {self.http.credentials} and base_url.",
                ) from None
        token = answer.get("access_token") if isinstance(answer, dict) else None
        if not isinstance(token, str) or not token:
            raise SourceError(f"{self.label}: the token endpoint gave no token.", "Check base_url.")
        self._token = token
        return True


def _error_codes(body: dict[str, Any]) -> set[str]:
    """The codes of the errors in an answer; an error without one counts as UNKNOWN."""
    errors = body.get("errors")
    if not errors:
        return set()
    if not isinstance(errors, list):
        return {"UNKNOWN"}
    extensions_of_errors = [
        e.get("extensions") or {} if isinstance(e, dict) else {} for e in errors
    ]
    return {str(extensions.get("code", "UNKNOWN")) for extensions in extensions_of_errors}


def _throttle_wait(body: dict[str, Any]) -> float:
    """Seconds until the bucket holds what the query costs."""
    cost = (body.get("extensions") or {}).get("cost") or {}
    status = cost.get("throttleStatus") or {}
    lacking = float(cost.get("requestedQueryCost") or 0) - float(
        status.get("currentlyAvailable") or 0
    )
    rate = float(status.get("restoreRate") or 50)
    return min(max(lacking / rate, 0.05), LONGEST_THROTTLE_SECONDS)


def search_since(since: datetime) -> str:
    """The search for everything changed since a time (UTC)."""
    return f"updated_at:>='{since:%Y-%m-%dT%H:%M:%SZ}'"


def checked_page(page: Any, size: int | None, visited: set[str]) -> Node:
    """The page as it came.

    Raises:
        PageError: it cannot be trusted.
    """
    if not isinstance(page, dict) or not isinstance(page.get("nodes"), list):
        raise PageError("a page without nodes")
    info = page.get("pageInfo") or {}
    if "hasNextPage" not in info:
        raise PageError("a page that does not say whether there are more")
    if info["hasNextPage"]:
        if not info.get("endCursor") or info["endCursor"] in visited:
            raise PageError("the same page cursor again")
        if size is not None and len(page["nodes"]) < size:
            raise PageError("a short page that says there are more")
    return page


def fill(client: GraphqlClient, owner: Node, connection: str) -> None:
    """Read a connection inside an object to its end, and leave only its nodes."""
    page = owner[connection]
    nodes, visited = list(page["nodes"]), set[str]()
    while page["pageInfo"]["hasNextPage"]:
        after = page["pageInfo"]["endCursor"]
        visited.add(after)
        page = retried_page(
            lambda after=after: checked_page(  # type: ignore[misc]
                (
                    client.query(queries.inside_query(connection), id=owner["id"], after=after).get(
                        "node"
                    )
                    or {}
                ).get(connection),
                None,
                visited,
            ),
            f"{client.label}: {connection}",
            client.http,
        )
        nodes += page["nodes"]
    owner[connection] = {"nodes": nodes}
