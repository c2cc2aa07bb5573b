"""A Klaviyo fake that is served, and short ways to ask it; used by tests of several folders."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from orchestration.fakes.klaviyo import create
from orchestration.fakes.klaviyo.app import API_KEY, Klaviyo
from orchestration.fakes.klaviyo.calls import CALLS, MEDIA_TYPE
from tests.orchestration.fakes import served

HEADERS = {
    "Authorization": f"Klaviyo-API-Key {API_KEY}",
    "revision": "2026-07-15",
    "Content-Type": MEDIA_TYPE,
}


class Served(served.Served[Klaviyo]):
    """The fake, its clock, where it is, and its calls."""

    def ask(
        self,
        call: str,
        body: Any = None,
        headers: dict[str, str] | None = None,
        of: str = "NEWS01",
        **params: str,
    ) -> httpx.Response:
        """Call by the name that the fake's table has; `of` is the id in the address."""
        named = CALLS[call]
        path = named.path.replace("{id}", of).replace("{job_id}", of)
        return httpx.request(
            named.method,
            self.address + path,
            headers=HEADERS if headers is None else headers,
            params=params,
            content=None if body is None else json.dumps(body).encode(),
            timeout=30,
        )

    def later(self, seconds: float = 60) -> None:
        """Let every job come to its end."""
        self.clock.move(seconds)
        self.fake.account.settle()


@contextmanager
def serving() -> Iterator[Served]:
    """An empty account, served, that throttles nobody."""
    with served.serving(create, Served) as shop:
        shop.fake.has_throttles = False
        yield shop


def person(number: int, **properties: Any) -> dict[str, Any]:
    """A profile of an import."""
    attributes = {"email": f"p{number}@example.com", "properties": properties}
    return {"type": "profile", "attributes": attributes}


def job(kind: str, **attributes: Any) -> dict[str, Any]:
    """The body of a call that begins a job."""
    return {"data": {"type": kind, "attributes": attributes}}


def importing(*profiles: dict[str, Any]) -> dict[str, Any]:
    """The body of a bulk import."""
    return job("profile-bulk-import-job", profiles={"data": list(profiles)})


def consenting(kind: str, consent: str, *people: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The body of a subscribe or unsubscribe job for email."""
    said = {"email": {"marketing": {"consent": consent, **more}}}
    emails = [each["attributes"]["email"] for each in people]
    profiles = [
        {"type": "profile", "attributes": {"email": email, "subscriptions": said}}
        for email in emails
    ]
    return job(f"profile-subscription-bulk-{kind}-job", profiles={"data": profiles})


def on_list(body: dict[str, Any], list_id: str = "NEWS01") -> dict[str, Any]:
    """The same for a list."""
    body["data"]["relationships"] = {"list": {"data": {"type": "list", "id": list_id}}}
    return body
