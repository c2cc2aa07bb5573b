"""One policy for talking to APIs: time limits, retries, waiting when told to, size limits, silence.

Retried: connection failures, timeouts, 429 (after what Retry-After says, seconds or date), 500,
502, 503, 504, and a body that is no JSON. A 401 asks `renew` for new credentials once. Everything
else that is not a success ends the run with a sentence that names status, method and path, and
never a header, a query value or a body: those carry addresses and secrets (RELIABILITY SEC5).

Where the API says that its window is used up (RateLimit-Remaining: 0), the next request waits for
RateLimit-Reset, so that limits are met rather than run into.

Redirects are not followed, and a link that a response contains is only followed to where the base
address points, because it would carry the credentials along.

Belongs here: the client. Does not belong here: paging, any one API.
"""

from __future__ import annotations

import contextlib
import json
import random
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

import httpx
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt

from ingestion.apis.addresses import AddressError, addresses_of, checked_url, tls_context
from ingestion.errors import AccessDeniedError, RefusedError, SourceError, UsageError

RETRIED_STATUSES = frozenset({429, 500, 502, 503, 504})
ATTEMPTS = 6
TIMEOUT = httpx.Timeout(connect=10.0, read=60.0, write=30.0, pool=10.0)
MAX_BODY_BYTES = 64 * 1024 * 1024
MAX_WAIT_SECONDS = 300.0
FIRST_WAIT_SECONDS = 0.5
LOOPBACK = ("127.0.0.1", "localhost", "::1")

Headers = Mapping[str, str]


class RetryableError(Exception):
    """An answer that may be better next time.

    Args:
        what: in a few words, without anything the server said.
        wait: seconds that the server asked for.
    """

    def __init__(self, what: str, wait: float | None = None) -> None:
        """Keep both."""
        super().__init__(what)
        self.what = what
        self.wait = wait


@dataclass
class ApiClient:
    """A client of one API.

    Args:
        name: the source's name, for messages.
        base_url: where the API lives; https, or http to this machine.
        authorize: the headers that carry the credentials.
        renew: called once after a 401; False where there is nothing to renew.
        credentials: what to check when the API refuses them (names of variables, never values).
        timeout: per request.
        attempts: how often a request is tried in all.
        max_body_bytes: a longer answer ends the run.
        sleep: waits; tests pass their own.
    """

    name: str
    base_url: str
    authorize: Callable[[], Headers]
    renew: Callable[[], bool] = lambda: False
    credentials: str = ""
    timeout: httpx.Timeout = field(default_factory=lambda: TIMEOUT)
    attempts: int = ATTEMPTS
    max_body_bytes: int = MAX_BODY_BYTES
    sleep: Callable[[float], None] = time.sleep
    request_count: int = 0
    _pause: float = 0.0
    _client: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        """Open the connection pool."""
        check_base_url(self.name, self.base_url)
        self._client = httpx.Client(
            timeout=self.timeout, follow_redirects=False, verify=tls_context()
        )

    def __enter__(self) -> ApiClient:
        """For use in a `with` block."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the connections."""
        self._client.close()

    def json(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        body: Any = None,
        form: Mapping[str, str] | None = None,
    ) -> Any:
        """The JSON of one answer, after as many tries as the policy allows.

        Raises:
            SourceError: the API could not be brought to answer.
        """
        target = self._address(url)

        def once() -> Any:
            answer = self._send(method, target, params=params, json=body, data=form)
            try:
                return json.loads(answer)
            except ValueError as error:
                raise RetryableError("an answer that is not JSON") from error

        return self._retried(once, f"{method} {urlsplit(target).path}")

    def lines(self, url: str, max_bytes: int) -> Iterator[str]:
        """The lines of a file that the API points to, streamed, without our credentials.

        A stream that breaks off is not resumed: the caller counts, and its run fails.

        Raises:
            SourceError: the file has no allowed address, is not there, is longer than `max_bytes`,
                or broke off.
        """
        self._check_result_address(url)
        received = 0
        try:
            with self._client.stream("GET", url) as response:
                if response.status_code != httpx.codes.OK:
                    raise SourceError(
                        f"{self.name}: the result file answered {response.status_code}.",
                        "Run again.",
                    )
                for line in response.iter_lines():
                    received += len(line)
                    if received > max_bytes:
                        raise SourceError(f"{self.name}: the result file is larger than announced.")
                    yield line
        except httpx.HTTPError as error:
            raise SourceError(
                f"{self.name}: the result file broke off ({type(error).__name__}).", "Run again."
            ) from None

    def _send(self, method: str, url: str, **content: Any) -> bytes:
        """One request; renews the credentials once if they are refused."""
        body, status, headers = self._exchange(method, url, content)
        if status == httpx.codes.UNAUTHORIZED and self.renew():
            body, status, headers = self._exchange(method, url, content)
        if httpx.codes.is_success(status):
            return body
        if status in RETRIED_STATUSES:
            raise RetryableError(f"status {status}", retry_after(headers.get("retry-after")))
        raise self._refusal(status, f"{method} {urlsplit(url).path}")

    def _exchange(
        self, method: str, url: str, content: dict[str, Any]
    ) -> tuple[bytes, int, httpx.Headers]:
        self.request_count += 1
        if self._pause:
            self.sleep(self._pause)
            self._pause = 0.0
        try:
            with self._client.stream(
                method, url, headers=dict(self.authorize()), **content
            ) as response:
                self._pause = used_up_for(response.headers)
                return self._limited(response), response.status_code, response.headers
        except httpx.TimeoutException:
            raise RetryableError("no answer in time") from None
        except httpx.TransportError as error:
            raise RetryableError(f"a broken connection ({type(error).__name__})") from None

    def _limited(self, response: httpx.Response) -> bytes:
        body = bytearray()
        for chunk in response.iter_bytes():
            body += chunk
            if len(body) > self.max_body_bytes:
                raise SourceError(
                    f"{self.name}: an answer is larger than {self.max_body_bytes:,} bytes.",
                    "Lower page_size for this source in regulars.toml.",
                )
        return bytes(body)

    def _retried(self, once: Callable[[], Any], what: str) -> Any:
        retrying = Retrying(
            retry=retry_if_exception_type(RetryableError),
            stop=stop_after_attempt(self.attempts),
            wait=_wait,
            sleep=self.sleep,
            reraise=True,
        )
        try:
            return retrying(once)
        except RetryableError as error:
            raise SourceError(
                f"{self.name}: {what} failed {self.attempts} times; the last time: {error.what}.",
                "Run again later; nothing of this source was loaded.",
            ) from None

    def _refusal(self, status: int, what: str) -> RefusedError:
        if status == httpx.codes.UNAUTHORIZED:
            hint = f"Check {self.credentials}." if self.credentials else "Check its credentials."
            return RefusedError(f"{self.name}: the credentials were refused (401, {what}).", hint)
        if status == httpx.codes.FORBIDDEN:
            return AccessDeniedError(
                f"{self.name}: the credentials do not allow {what} (403).",
                "Give the key the missing scope; `regulars doctor --connect` names it.",
            )
        return RefusedError(
            f"{self.name}: {what} answered {status}.", "Check base_url and the API's version."
        )

    def _address(self, url: str) -> str:
        """An absolute address below the base; refuses to carry credentials elsewhere."""
        if url.startswith("/"):
            return self.base_url.rstrip("/") + url
        if origin(url) != origin(self.base_url):
            raise SourceError(
                f"{self.name}: an answer points to another server ({urlsplit(url).hostname}).",
                "Check base_url; credentials are only sent there.",
            )
        return url

    def _check_result_address(self, url: str) -> None:
        """Result files lie on the open internet, or where the base itself points.

        A name that cannot be looked up is left to the connection: a proxy may know it.
        """
        if origin(url) == origin(self.base_url):
            return
        try:
            addresses_of(checked_url(url))
        except AddressError as error:
            if error.code != "unresolvable":
                raise SourceError(
                    f"{self.name}: the result file has no trustworthy address."
                ) from None


def _wait(state: RetryCallState) -> float:
    """What the server asked for, else longer each time, with a little chance in it."""
    error = state.outcome.exception() if state.outcome else None
    if isinstance(error, RetryableError) and error.wait is not None:
        # Clocks differ a little; never earlier than asked, at most a tenth later.
        return min(error.wait, MAX_WAIT_SECONDS) * random.uniform(1.0, 1.1)  # noqa: S311
    wait: float = FIRST_WAIT_SECONDS * 2 ** (state.attempt_number - 1)
    return wait * random.uniform(0.8, 1.2)  # noqa: S311


def retry_after(value: str | None, now: datetime | None = None) -> float | None:
    """Seconds that a Retry-After header asks for, given as seconds or as an HTTP date."""
    if not value:
        return None
    with contextlib.suppress(ValueError):
        return max(0.0, float(value))
    try:
        moment = parsedate_to_datetime(value)
    except (TypeError, ValueError):
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - (now or datetime.now(UTC))).total_seconds())


def used_up_for(headers: Headers) -> float:
    """Seconds to wait before the next request, where the API says that its window is used up."""
    if headers.get("ratelimit-remaining", "") != "0":
        return 0.0
    with contextlib.suppress(ValueError):
        return min(max(0.0, float(headers.get("ratelimit-reset", "0"))), MAX_WAIT_SECONDS)
    return 0.0


def origin(url: str) -> tuple[str, str, int | None]:
    """Scheme, host and port."""
    parts = urlsplit(url)
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    return parts.scheme, parts.hostname or "", port


def check_base_url(name: str, url: str) -> None:
    """Refuse an address that would send credentials in the clear.

    Raises:
        UsageError: it is not https, and not this machine.
    """
    scheme, host, _ = origin(url)
    if scheme == "https" and host:
        return
    if scheme == "http" and host in LOOPBACK:
        return
    raise UsageError(
        f"sources.{name}.base_url must start with https:// (http only for this machine).",
        "Mend it in regulars.toml.",
    )
