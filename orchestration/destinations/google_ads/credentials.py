"""The access token of a key that Google hands out, over the one HTTP client.

Belongs here: reading the key, exchanging it for a token that lasts an hour. Does not belong here:
what a token is used for. The exchange itself is google-auth's.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ingestion.errors import UsageError
from orchestration.destinations.http import AccessRefusedError, Answer, HttpClient, secret

SCOPE = "https://www.googleapis.com/auth/datamanager"
_NO = (400, 401, 403)


@dataclass(frozen=True)
class _Response:
    """An answer as google-auth reads one."""

    status: int
    headers: Mapping[str, str]
    data: bytes


class AccessToken:
    """A token, exchanged when it is first needed and again before it ends.

    Args:
        name: the destination, for sentences.
        variable: holds the path of the key's file, or the key itself in one line.
        client: reaches the server that hands out tokens.
    """

    def __init__(self, name: str, variable: str, client: HttpClient) -> None:
        """Nothing is read or reached."""
        self._name = name
        self._variable = variable
        self._client = client
        self._credentials: Any = None

    def header(self) -> Mapping[str, str]:
        """The header that carries it.

        Raises:
            UsageError: there is no key.
            AccessRefusedError: Google does not take it.
            RetryLaterError: it cannot be asked now.
        """
        from google.auth.exceptions import GoogleAuthError  # noqa: PLC0415 - a quarter of a second

        if self._credentials is None:
            self._credentials = self._read()
        if not self._credentials.valid:
            try:
                self._credentials.refresh(self._ask)
            except GoogleAuthError:  # its words repeat the answer
                raise AccessRefusedError(self._name, 401, self._variable) from None
        return {"authorization": f"Bearer {self._credentials.token}"}

    def _ask(
        self,
        url: str,  # noqa: ARG002 - the settings say where tokens are, not the key
        method: str = "POST",
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        **_: Any,
    ) -> _Response:
        content = body.encode() if isinstance(body, str) else body
        answer: Answer = self._client.call(method, content=content, headers=headers, accept=_NO)
        answer.json()  # a page of HTML is no answer
        return _Response(answer.status, dict(answer.headers), answer.body)

    def _read(self) -> Any:
        from google.oauth2 import credentials, service_account  # noqa: PLC0415

        key = self._key()
        address = self._client.base_url
        try:
            if key["type"] == "service_account":
                return service_account.Credentials.from_service_account_info(
                    {**key, "token_uri": address}, scopes=[SCOPE]
                )
            if key["type"] == "authorized_user":
                return credentials.Credentials(
                    None,
                    refresh_token=key["refresh_token"],
                    token_uri=address,
                    client_id=key["client_id"],
                    client_secret=key["client_secret"],
                )
        except (KeyError, TypeError, ValueError):
            raise self._no_key() from None
        raise self._no_key()

    def _key(self) -> Mapping[str, Any]:
        credentials = secret(self._name, "credentials_env", self._variable)
        try:
            text = (
                credentials
                if credentials.startswith("{")
                else Path(credentials).expanduser().read_text("utf-8")
            )
            key = json.loads(text)
        except (OSError, ValueError):
            raise self._no_key() from None
        if not isinstance(key, dict) or "type" not in key:
            raise self._no_key()
        return key

    def _no_key(self) -> UsageError:
        return UsageError(
            f"The variable {self._variable} leads to no key for the destination `{self._name}`.",
            "Let it hold the path of the JSON file of a service account, or of a user's key"
            " (`gcloud auth application-default login`).",
        )
