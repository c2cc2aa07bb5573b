"""Talking GraphQL to Shopify: a token for a day, errors inside a 200, throttling by cost.

| inside a 200 | what is raised |
|---|---|
| THROTTLED | `RetryLaterError` with the seconds until the bucket holds what the query costs |
| ACCESS_DENIED | `AccessRefusedError`: the app lacks a scope |
| any other error of the whole | `RetryLaterError`: nothing of it is believed |
| an error of one field of a query, where the caller can go on without it | nothing; it is named |

Belongs here: one query in, its data out. Does not belong here: which queries (`api`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ingestion.errors import UsageError
from orchestration.destinations.base import RetryLaterError
from orchestration.destinations.http import AccessRefusedError, Answer, HttpClient, secret

LONGEST_THROTTLE_SECONDS = 60.0
_OF_A_FIELD = frozenset({"BAD_REQUEST", "INVALID"})  # codes of an error that is about one field


class GraphqlClient:
    """A client of one shop's Admin API; nothing is opened before the first query.

    Args:
        name: the destination's name, for sentences.
        base_url: the shop's address.
        version: of the API, such as 2026-10.
        client_id_env: the variable that holds the app's client id.
        client_secret_env: the variable that holds its secret.
        allow_private: whether the shop may be inside the network, as a fake is.
    """

    def __init__(
        self,
        name: str,
        base_url: str,
        version: str,
        *,
        client_id_env: str,
        client_secret_env: str,
        allow_private: bool,
    ) -> None:
        """Judge the address."""
        self._variables = {"client_id": client_id_env, "client_secret": client_secret_env}
        self._credentials = f"{client_id_env} and {client_secret_env}"
        self._version = version
        self._token = ""
        self._http = HttpClient(
            name,
            base_url,
            repeatable=True,  # every call sets a state; Shopify takes an address once
            headers=lambda: {"x-shopify-access-token": self._token} if self._token else {},
            credentials=self._credentials,
            allow_private=allow_private,
        )

    @property
    def is_local(self) -> bool:
        """Whether it only speaks to this machine."""
        return self._http.is_local

    def query(
        self, text: str, variables: Mapping[str, Any], *, may_fail: bool = False
    ) -> dict[str, Any]:
        """The `data` of an answer; with `may_fail`, null where one field was refused.

        Raises:
            RegularsError: as the module says, or as `..http` does.
        """
        answer = self._asked(text, variables)
        self._check_version(answer)
        content = answer.json()
        if not isinstance(content, dict):
            raise RetryLaterError("unreadable_answer")
        codes = _codes(content)
        if "THROTTLED" in codes:
            raise RetryLaterError("throttled", _wait(content))
        if "ACCESS_DENIED" in codes:
            raise AccessRefusedError(self._http.name, 403, self._credentials)
        data = content.get("data")
        if not isinstance(data, dict) or (codes and not (may_fail and codes <= _OF_A_FIELD)):
            raise RetryLaterError("error_in_200")
        return data

    def _asked(self, text: str, variables: Mapping[str, Any]) -> Answer:
        """One answer; a token that has ended is renewed once."""
        is_fresh = not self._token
        if is_fresh:
            self._renew()
        path = f"/admin/api/{self._version}/graphql.json"
        body = {"query": text, "variables": dict(variables)}
        answer = self._http.call("POST", path, json=body, accept=() if is_fresh else (401,))
        if answer.status == 401:
            self._renew()
            return self._http.call("POST", path, json=body)
        return answer

    def _renew(self) -> None:
        """Get a token by client credentials."""
        self._token = ""
        form = {"grant_type": "client_credentials"} | {
            field: secret(self._http.name, f"{field}_env", variable)
            for field, variable in self._variables.items()
        }
        path = "/admin/oauth/access_token"
        answer = self._http.call("POST", path, form=form, accept=(400,))
        content = answer.json() if answer.status != 400 else {}
        token = content.get("access_token") if isinstance(content, dict) else None
        if not isinstance(token, str) or not token:
            raise AccessRefusedError(self._http.name, answer.status, self._credentials)
        self._token = token

    def _check_version(self, answer: Answer) -> None:
        """Shopify answers a version that has ended as its oldest one, with other fields."""
        version = answer.headers.get("x-shopify-api-version", self._version)
        if version != self._version:
            raise UsageError(
                f"Shopify no longer knows version {self._version} of its API, which the destination"
                f" `{self._http.name}` asks for.",
                f"Set `api_version` in its options to one that it supports, or remove it; the"
                f" oldest is {version}."
                if _is_version(version)
                else "Remove `api_version`.",
            )


def _is_version(text: str) -> bool:
    return text.replace("-", "").isdigit() and len(text) == 7


def _codes(content: Mapping[str, Any]) -> set[str]:
    """The codes of the errors in an answer; an error without one counts as UNKNOWN."""
    errors = content.get("errors")
    if not errors:
        return set()
    if not isinstance(errors, list):
        return {"UNKNOWN"}
    extensions = [each.get("extensions") or {} if isinstance(each, dict) else {} for each in errors]
    return {str(each.get("code", "UNKNOWN")) for each in extensions}


def _wait(content: Mapping[str, Any]) -> float:
    """Seconds until the bucket holds what the query costs."""
    cost = (content.get("extensions") or {}).get("cost") or {}
    status = cost.get("throttleStatus") or {}
    lacking = float(cost.get("requestedQueryCost") or 0)
    lacking -= float(status.get("currentlyAvailable") or 0)
    rate = float(status.get("restoreRate") or 0) or 50.0
    return min(max(lacking / rate, 1.0), LONGEST_THROTTLE_SECONDS)
