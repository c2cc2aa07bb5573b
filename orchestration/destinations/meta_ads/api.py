"""Meta's calls that the destination makes, and what their answers say in its words.

Belongs here: paths, bodies, pages, errors. Does not belong here: what a segment becomes
(`destination`), connections (`..http`).

Meta answers most errors with 400 and a code of its own; its words repeat what was sent, so none of
them is told.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ingestion.errors import RegularsError
from orchestration.destinations.base import RetryLaterError
from orchestration.destinations.http import (
    AccessRefusedError,
    Answer,
    AnswerError,
    HttpClient,
    as_json,
)
from orchestration.destinations.meta_ads.sessions import Session, Verb

SCHEMA = ("EMAIL", "PHONE", "EXTERN_ID")
LIMITED = "DATA_PROCESSING_OPTIONS"
PAGE = 100
_READABLE = (400, 401, 403, 404)
_THROTTLES = frozenset({4, 17, 32, 613, *range(80_000, 80_015)})
_TRANSIENT = frozenset({1, 2})
_KEY = frozenset({10, 102, 190, *range(200, 300)})
_NOT_THERE, _FLAGGED = 33, 1713230
_USAGE = "x-business-use-case-usage"

Entry = tuple[str, str, str]  # the values of SCHEMA, empty where unknown


class FlaggedError(AnswerError):
    """Meta has flagged the audience (operation_status 471): it takes neither adds nor removals."""


class NotThereError(AnswerError):
    """There is no audience of this id, or the token may not see it."""


@dataclass(frozen=True, slots=True)
class Received:
    """What Meta says at once of rows that were handed over."""

    rows: int
    invalid: int


class Api:
    """The calls.

    Args:
        name: the destination, for sentences.
        client: reaches the account.
        credentials: the variable that holds the token, for sentences.
    """

    def __init__(self, name: str, client: HttpClient, credentials: str) -> None:
        """Nothing is reached."""
        self._name = name
        self._client = client
        self._credentials = credentials

    @property
    def is_local(self) -> bool:
        """Whether it only speaks to this machine."""
        return self._client.is_local

    def audiences(self, account: str) -> dict[str, str]:
        """The names of an ad account's audiences by their ids."""
        path = f"/act_{account}/customaudiences"
        return {str(each["id"]): str(each["name"]) for each in self._pages(path, "id,name")}

    def create_audience(self, account: str, name: str) -> str:
        """Make an audience of customers whose data the shop has from themselves; returns its id."""
        form = {"name": name, "subtype": "CUSTOM", "customer_file_source": "USER_PROVIDED_ONLY"}
        return str(self._json("POST", f"/act_{account}/customaudiences", form=form)["id"])

    def delete_audience(self, audience: str) -> None:
        """Delete an audience with everybody in it.

        Raises:
            RetryLaterError: Meta does not say that it did.
        """
        if self._json("DELETE", f"/{audience}").get("success") is not True:
            raise RetryLaterError("not_deleted")

    def sessions(self, audience: str) -> list[Session]:
        """All sessions of an audience that Meta still knows."""
        fields = "session_id,stage,num_received,num_invalid_entries,num_matched,start_time,end_time"
        return [_session(each) for each in self._pages(f"/{audience}/sessions", fields)]

    def size(self, audience: str) -> int | None:
        """At most so many people an audience has, roughly; None where it is too small."""
        fields = "approximate_count_upper_bound"
        upper = int(self._json("GET", f"/{audience}", params={"fields": fields}).get(fields, -1))
        return upper if upper >= 0 else None

    def remove(self, audience: str, entries: Sequence[Entry], number: int) -> Received:
        """Hand over people to be removed, as one session."""
        return self._edit("DELETE", audience, {"schema": SCHEMA, "data": entries}, number)

    def add(self, audience: str, entries: Sequence[tuple[Entry, bool]], number: int) -> Received:
        """Hand over people to be added, as one session.

        Args:
            audience: its id.
            entries: each with whether the use of the data is limited; all have consented to ads.
            number: of the session.
        """
        data = [[*entry, ["LDU"] if is_limited else []] for entry, is_limited in entries]
        payload = {"schema": (*SCHEMA, LIMITED), "data": data}
        return self._edit("POST", audience, payload, number, customer_consent="true")

    def _edit(
        self, verb: Verb, audience: str, payload: Mapping[str, Any], number: int, **more: str
    ) -> Received:
        session = {"session_id": number, "batch_seq": 1, "last_batch_flag": True}
        form = {"payload": _text(payload), "session": _text(session), **more}
        content = self._json(verb, f"/{audience}/users", form=form)
        try:
            return Received(int(content["num_received"]), int(content["num_invalid_entries"]))
        except (KeyError, TypeError, ValueError):
            raise RetryLaterError("unreadable_answer") from None

    def _pages(self, path: str, fields: str) -> Iterator[Any]:
        """The rows of all pages; the links between them carry the token, so they are not used."""
        query = {"fields": fields, "limit": str(PAGE)}
        while True:
            page = self._json("GET", path, params=query)
            try:
                yield from page["data"]
                paging = page.get("paging") or {}
                after = paging["cursors"]["after"] if "next" in paging else ""
            except (KeyError, TypeError, AttributeError):
                raise RetryLaterError("unreadable_answer") from None
            if not after:
                return
            if after == query.get("after"):
                raise RetryLaterError("repeated_page")
            query["after"] = str(after)

    def _json(self, method: str, path: str, **request: Any) -> Any:
        answer = self._client.call(method, path, accept=_READABLE, **request)
        if answer.status in _READABLE:
            raise self._no(answer)
        content = answer.json()
        if not isinstance(content, dict):
            raise RetryLaterError("unreadable_answer")
        return content

    def _no(self, answer: Answer) -> RegularsError:
        """What an error means, by its code."""
        error = _error(answer)
        code, subcode = error.get("code"), error.get("error_subcode")
        if code in _THROTTLES:
            return RetryLaterError(f"meta_{code}", _seconds_to_wait(answer))
        if code in _TRANSIENT or error.get("is_transient") is True:
            return RetryLaterError(f"meta_{code}")
        if code in _KEY or answer.status in (401, 403):
            return AccessRefusedError(self._name, answer.status, self._credentials)
        if subcode == _FLAGGED:
            return FlaggedError(self._name, answer.status)
        if subcode == _NOT_THERE or answer.status == 404:
            return NotThereError(self._name, answer.status)
        what = f" (code {code})" if isinstance(code, int) else ""
        message = f"The destination `{self._name}` answered {answer.status}{what}."
        return AnswerError(self._name, answer.status, message)


def _session(content: Mapping[str, Any]) -> Session:
    try:
        numbers = ("num_received", "num_invalid_entries", "start_time", "end_time", "num_matched")
        counts = (int(content.get(name) or 0) for name in numbers)
        return Session(int(content["session_id"]), str(content.get("stage") or ""), *counts)
    except (KeyError, TypeError, ValueError):
        raise RetryLaterError("unreadable_answer") from None


def _text(value: Any) -> str:
    return as_json(value).decode()


def _error(answer: Answer) -> Mapping[str, Any]:
    try:
        error = answer.json()["error"]
    except (RegularsError, KeyError, TypeError):
        return {}
    return error if isinstance(error, dict) else {}


def _seconds_to_wait(answer: Answer) -> float | None:
    """What a throttle says, in minutes, of when to come back."""
    try:
        accounts = json.loads(answer.headers.get(_USAGE) or "{}").values()
        minutes = [
            float(each.get("estimated_time_to_regain_access") or 0)
            for usages in accounts
            for each in usages
        ]
    except (AttributeError, TypeError, ValueError):
        return answer.wait_seconds
    return max(minutes, default=0) * 60 or answer.wait_seconds
