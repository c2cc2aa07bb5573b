"""The one HTTP client of all destinations: where it may go, what an answer means, what is told.

| what happens | what is raised |
|---|---|
| no connection, no such name | `RetryLaterError`: nothing was sent |
| 429, 503 | `RetryLaterError` with what Retry-After says: nothing was taken |
| 408, 500, 502, 504 and above; a connection that is lost after sending; an answer that is too slow, too long, encoded, HTML or no JSON where JSON is expected | `RetryLaterError` where the call may be repeated, else `AnswerLostError`: what it took is not known |
| 401, 403 | `AccessRefusedError`: the key is wrong, expired or lacks a right |
| a redirect, wherever it leads | `RedirectedError`: rows are not sent on |
| every other status that the caller does not accept | `AnswerError` |
| an address inside the network, plain http | `UsageError`, unless `allow_private` |

All of them are sentences about the destination, the status and the name of a variable. A path, a
query, a header or a body is never told: they carry addresses, ids and secrets (RELIABILITY SEC5).

Belongs here: the call. Does not belong here: any one API, how often is tried again (the sync), how
fast (`Limits`).
"""  # noqa: E501 - a table

from __future__ import annotations

import json as json_format
import os
import ssl
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from ingestion.apis.addresses import (
    AddressError,
    GuardedTransport,
    checked_url,
    is_this_machine,
)
from ingestion.apis.http import origin, retry_after
from ingestion.errors import RegularsError, UsageError
from orchestration.destinations.base import DestinationFailedError, RetryLaterError

TIMEOUT = httpx.Timeout(connect=10.0, read=30.0, write=30.0, pool=10.0)
TOTAL_SECONDS = 120.0  # of one answer, however slowly it drips in
MAX_ANSWER_BYTES = 10 * 1024 * 1024
BUSY = frozenset({429, 503})
LACKS_A_RIGHT = frozenset({401, 403})
UNSURE = frozenset({408, *range(500, 600)}) - BUSY
SAFE_METHODS = frozenset({"GET", "HEAD"})
STAY_QUEUED = "the rows stay queued."

_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_ADDRESS_PROBLEMS = {
    "invalid_url": "is no https:// address of a server, without a login in it",
    "scheme": "does not begin with https://",
    "private_address": "leads into the network that Regulars runs in",
}


class AnswerError(RegularsError):
    """The destination understood a call and said no; asked again it would say the same."""

    def __init__(self, name: str, status: int, message: str = "", hint: str = "") -> None:
        """Keep the status apart: a destination may know what it means for a row."""
        self.status = status
        super().__init__(
            message or f"The destination `{name}` answered {status}.",
            hint or f"Check its options and what they name over there; {STAY_QUEUED}",
        )


class AccessRefusedError(AnswerError):
    """The key is wrong, revoked or expired, or lacks a right."""

    def __init__(self, name: str, status: int, credentials: str) -> None:
        """Name the variable that holds the key."""
        super().__init__(
            name,
            status,
            f"The destination `{name}` refused the key ({status}): it is wrong, expired, or may not"
            " do this.",
            f"Renew {credentials or 'its key'} or give it the rights that docs/channels names;"
            f" {STAY_QUEUED}",
        )


class RedirectedError(AnswerError):
    """The destination pointed somewhere else; nothing was sent there."""

    def __init__(self, name: str, status: int) -> None:
        """Say where to look; not where it pointed, which it could have filled with anything."""
        super().__init__(
            name,
            status,
            f"The destination `{name}` answered with a redirect ({status}), which is not followed.",
            f"Write the address it moved to into its options, if you trust it; {STAY_QUEUED}",
        )


class AnswerLostError(DestinationFailedError):
    """A call that may not be repeated got no answer that says what was taken.

    Args:
        name: the destination.
        reason: a short code such as `no_answer`, for the outcome of its rows.
    """

    def __init__(self, name: str, reason: str) -> None:
        """Keep the code apart: it goes into the outbox."""
        self.reason = reason
        super().__init__(
            f"The destination `{name}` gave no answer that says what it took ({reason}).",
            "Look there, and say what arrived: `regulars sync --resolve KEY arrived|lost`.",
        )


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer, of which at most `max_answer_bytes` were read (else `is_cut`)."""

    status: int
    headers: httpx.Headers
    body: bytes = field(repr=False)
    is_cut: bool = field(repr=False)
    _unsure: Callable[[str], RegularsError] = field(repr=False)

    @property
    def wait_seconds(self) -> float | None:
        """How long it asks us to wait, if it does."""
        return retry_after(self.headers.get("retry-after"))

    @property
    def is_page(self) -> bool:
        """Whether it is HTML: of a proxy, a login or an error, and no answer of an API."""
        return self.body.lstrip()[:1] == b"<"

    def json(self) -> Any:
        """The body as JSON.

        Raises:
            RetryLaterError, AnswerLostError: it is none, so the status cannot be believed either.
        """
        if self.is_cut:
            raise self._unsure("answer_too_large")
        if self.headers.get("content-encoding", "identity") != "identity":
            raise self._unsure("encoded_answer")
        try:
            return json_format.loads(self.body)
        except (ValueError, RecursionError):
            raise self._unsure("html_answer" if self.is_page else "no_json_answer") from None


@dataclass
class HttpClient:
    """Calls to one server on behalf of one destination. Nothing is opened before the first.

    Args:
        name: the destination's name, for sentences.
        base_url: where its API lives; may itself be a secret.
        repeatable: whether a call may be sent twice (its idempotency is not `NONE`); reading
            always may.
        headers: what every call carries, asked at each: credentials are read when they are needed.
        credentials: the environment variable that holds the key, for sentences.
        allow_private: whether the server may be inside the network, and spoken to in plain http.
        timeout: of connecting, and of each silence while sending and reading.
        total_seconds: of one answer.
        max_answer_bytes: what is read of one answer.

    Raises:
        UsageError: `base_url` is none that may be called.
    """

    name: str
    base_url: str = field(repr=False)
    repeatable: bool
    headers: Callable[[], Mapping[str, str]] = field(default=dict, repr=False)
    credentials: str = ""
    allow_private: bool = False
    timeout: httpx.Timeout = field(default_factory=lambda: TIMEOUT, repr=False)
    total_seconds: float = TOTAL_SECONDS
    max_answer_bytes: int = MAX_ANSWER_BYTES
    _client: httpx.Client | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        """Judge the address as far as it can be without asking DNS."""
        try:
            checked_url(self.base_url, allow_private=self.allow_private)
        except AddressError as error:
            raise self._wrong_address(error) from None

    @property
    def is_local(self) -> bool:
        """Whether it only speaks to this machine, as to a local double of an API."""
        return is_this_machine(self.base_url)

    def call(
        self,
        method: str,
        path: str = "",
        *,
        json: Any = None,
        content: bytes | None = None,
        form: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        accept: Collection[int] = (),
    ) -> Answer:
        """Send one request and judge its answer.

        Args:
            method: GET, POST, …
            path: below `base_url`; or a link of an answer, which must lead to the same server.
            json: the body, as compact JSON in UTF-8; or `content` as it is, or `form`.
            content: a body that is made already.
            form: a body of form fields.
            params: the query.
            headers: beside those of every call.
            accept: statuses that the caller can read, beside 2xx.

        Raises:
            RegularsError: as the module says.
        """
        sent = dict(self.headers()) | {"accept-encoding": "identity"} | dict(headers or {})
        if json is not None:
            content = as_json(json)
            sent.setdefault("content-type", "application/json")
        may_repeat = self.repeatable or method in SAFE_METHODS
        answer = self._exchange(
            may_repeat,
            method,
            self._address(path),
            content=content,
            data=form,
            params=params,
            headers=sent,
        )
        if httpx.codes.is_success(answer.status) or answer.status in accept:
            return answer
        raise self._no(answer, may_repeat)

    def json(self, method: str, path: str = "", **request: Any) -> Any:
        """The JSON of one answer; arguments are those of `call`.

        Raises:
            RegularsError: as the module says.
        """
        return self.call(method, path, **request).json()

    def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def _exchange(self, may_repeat: bool, method: str, url: str, **request: Any) -> Answer:
        try:
            with self._opened().stream(method, url, **request) as response:
                body, is_cut = self._read(response, may_repeat)
        except AddressError as error:
            if error.code == "unresolvable":
                raise RetryLaterError("unresolvable") from None
            raise self._wrong_address(error) from None
        except _NOT_SENT as error:
            raise RetryLaterError("tls_failed" if _is_tls(error) else "unreachable") from None
        except httpx.TimeoutException:
            raise self._unsure(may_repeat, "no_answer_in_time") from None
        except httpx.TransportError:
            raise self._unsure(may_repeat, "no_answer") from None
        return Answer(
            response.status_code,
            response.headers,
            body,
            is_cut,
            lambda reason: self._unsure(may_repeat, reason),
        )

    def _read(self, response: httpx.Response, may_repeat: bool) -> tuple[bytes, bool]:
        """What is kept of a body; raw bytes, so that none grows while it is unpacked."""
        until = time.monotonic() + self.total_seconds
        body = bytearray()
        for chunk in response.iter_raw():
            body += chunk
            if len(body) > self.max_answer_bytes:
                return bytes(body[: self.max_answer_bytes]), True
            if time.monotonic() > until:
                raise self._unsure(may_repeat, "no_answer_in_time")
        return bytes(body), False

    def _opened(self) -> httpx.Client:
        if self._client is None:
            self._client = httpx.Client(
                timeout=self.timeout,
                transport=GuardedTransport(self.allow_private),
                follow_redirects=False,
                trust_env=False,
            )
        return self._client

    def _address(self, path: str) -> str:
        if path.startswith(("http:", "https:")):
            if origin(path) != origin(self.base_url):
                raise RegularsError(
                    f"An answer of the destination `{self.name}` points to another server.",
                    f"Check its base_url; its key is only sent there. {STAY_QUEUED.capitalize()}",
                )
            return path
        return self.base_url.rstrip("/") + path if path else self.base_url

    def _no(self, answer: Answer, may_repeat: bool) -> RegularsError:
        status = answer.status
        if status in BUSY:
            return RetryLaterError(f"http_{status}", answer.wait_seconds)
        if status in UNSURE:
            return self._unsure(may_repeat, f"http_{status}", answer.wait_seconds)
        if status in LACKS_A_RIGHT:
            return AccessRefusedError(self.name, status, self.credentials)
        if httpx.codes.is_redirect(status):
            return RedirectedError(self.name, status)
        return AnswerError(self.name, status)

    def _unsure(self, may_repeat: bool, reason: str, wait: float | None = None) -> RegularsError:
        return RetryLaterError(reason, wait) if may_repeat else AnswerLostError(self.name, reason)

    def _wrong_address(self, error: AddressError) -> UsageError:
        what = _ADDRESS_PROBLEMS.get(error.code, "cannot be called")
        return UsageError(
            f"The address of the destination `{self.name}` {what}.",
            "Correct it, or set `allow_private = true` in its options if it is a server of yours.",
        )


def as_json(value: Any) -> bytes:
    """A value as it is sent: compact JSON in UTF-8, the same bytes each time."""
    text = json_format.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.encode("utf-8")


def secret(name: str, option: str, variable: str) -> str:
    """The secret of a destination, from the environment variable that its option names.

    Raises:
        UsageError: it is not set, or holds what no header can carry.
    """
    value = os.environ.get(variable, "").strip()
    if value and value.isascii() and value.isprintable():
        return value
    problem = "holds signs that no key has" if value else "is not set"
    raise UsageError(
        f"The destination `{name}` needs the environment variable {variable}, which {problem}.",
        f"Set {variable}, or name another one: destinations.{name}.options.{option}.",
    )


def _is_tls(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return True
        error = error.__cause__ or error.__context__
    return False
