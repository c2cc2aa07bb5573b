"""The client of all destinations: what each answer means, where it may go, what it never says."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import (
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)
from starlette.routing import Route

from ingestion.demo.servers import served
from ingestion.errors import RegularsError, UsageError
from orchestration.destinations.base import DestinationFailedError, RetryLaterError
from orchestration.destinations.http import (
    AccessRefusedError,
    AnswerError,
    AnswerLostError,
    HttpClient,
    RedirectedError,
    as_json,
    secret,
)

KEY = "key-that-nobody-may-see"
ADDRESS = "someone@private.example.com"
PATH = f"/lists/{ADDRESS}"
HTML = "<!doctype html><title>Sign in to the hotel's network</title>"


class Script:
    """A server that gives the answers it was told to, in turn."""

    def __init__(self) -> None:
        self.answers: list[Response] = []
        self.requests: list[Request] = []
        self.bodies: list[bytes] = []

    async def answer(self, request: Request) -> Response:
        self.requests.append(request)
        self.bodies.append(await request.body())
        return self.answers.pop(0) if self.answers else JSONResponse({"fine": True})


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[str, Script]]:
    script = Script()
    methods = ["GET", "POST", "DELETE"]
    app = Starlette(routes=[Route("/{path:path}", script.answer, methods=methods)])
    with served(app) as url:
        yield url, script


@pytest.fixture
def server(running: tuple[str, Script]) -> Script:
    running[1].answers, running[1].requests, running[1].bodies = [], [], []
    return running[1]


@pytest.fixture
def client(running: tuple[str, Script], server: Script) -> Iterator[HttpClient]:
    client = _client(running[0])
    yield client
    client.close()


def _client(url: str, **options: Any) -> HttpClient:
    options = {
        "repeatable": True,
        "headers": lambda: {"Authorization": KEY},
        "credentials": "KLAVIYO_API_KEY",
        "allow_private": True,
    } | options
    return HttpClient("klaviyo", url, **options)


def _fails(client: HttpClient, kind: type[RegularsError], method: str = "POST") -> Any:
    """The error of a call that returns JSON, which tells nothing of anybody."""
    with pytest.raises(RegularsError) as caught:
        client.json(method, PATH, json={"email": ADDRESS})
    assert type(caught.value) is kind
    assert KEY not in str(caught.value)
    assert ADDRESS not in str(caught.value)
    assert PATH not in str(caught.value)
    return caught.value


def test_what_is_sent_is_what_was_said(client: HttpClient, server: Script) -> None:
    assert client.json("POST", "/x", json={"name": "Zoë"}, params={"a": "b c"}) == {"fine": True}
    (request,) = server.requests
    assert server.bodies == ['{"name":"Zoë"}'.encode()]
    assert request.headers["authorization"] == KEY
    assert request.headers["content-type"] == "application/json"
    assert request.url.query == "a=b+c"
    client.call("POST", "/form", form={"To": "+447700900123"})
    assert server.bodies[-1] == b"To=%2B447700900123"


def test_a_link_is_followed_to_the_same_server_only(
    client: HttpClient, server: Script, running: tuple[str, Script]
) -> None:
    assert client.json("GET", f"{running[0]}/next?page=2") == {"fine": True}
    with pytest.raises(RegularsError, match="points to another server"):
        client.json("GET", "https://elsewhere.example.org/next")
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("repeatable", [True, False])
def test_busy_is_try_later_and_nothing_was_taken(
    running: tuple[str, Script], server: Script, status: int, repeatable: bool
) -> None:
    server.answers = [PlainTextResponse("", status, {"Retry-After": "7"})]
    error = _fails(_client(running[0], repeatable=repeatable), RetryLaterError)
    assert (error.reason, error.wait_seconds) == (f"http_{status}", 7.0)


@pytest.mark.parametrize("status", [408, 500, 502, 504, 520])
def test_a_broken_server_may_have_taken_it(
    running: tuple[str, Script], server: Script, status: int
) -> None:
    answer = PlainTextResponse(ADDRESS, status)
    server.answers = [answer, answer, answer]
    assert _fails(_client(running[0]), RetryLaterError).reason == f"http_{status}"
    once = _client(running[0], repeatable=False)
    assert _fails(once, AnswerLostError).reason == f"http_{status}"
    assert _fails(once, RetryLaterError, "GET").reason == f"http_{status}"


@pytest.mark.parametrize("status", [401, 403])
def test_an_expired_key_is_one_sentence_and_what_to_do(
    client: HttpClient, server: Script, status: int
) -> None:
    server.answers = [JSONResponse({"detail": f"{KEY} of {ADDRESS}"}, status)]
    error = _fails(client, AccessRefusedError)
    assert error.status == status
    assert "KLAVIYO_API_KEY" in error.hint
    assert "stay queued" in error.hint


@pytest.mark.parametrize("status", [400, 404, 409, 410, 413, 422])
def test_a_no_keeps_its_status(client: HttpClient, server: Script, status: int) -> None:
    server.answers = [PlainTextResponse(HTML, status)]
    assert _fails(client, AnswerError).status == status


def test_a_status_that_the_caller_can_read_is_an_answer(client: HttpClient, server: Script) -> None:
    server.answers = [JSONResponse({"errors": []}, 409)]
    answer = client.call("POST", "/x", json={}, accept={409})
    assert (answer.status, answer.json()) == (409, {"errors": []})


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize(
    "place", ["https://elsewhere.example.org/", "http://169.254.169.254/", "/y"]
)
def test_no_redirect_is_followed(
    client: HttpClient, server: Script, status: int, place: str
) -> None:
    server.answers = [RedirectResponse(place, status)]
    assert _fails(client, RedirectedError).status == status
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (HTML, "html_answer"),
        ("", "no_json_answer"),
        ('{"half": ', "no_json_answer"),
        ("[" * 1_000_000, "no_json_answer"),
    ],
    ids=["a page", "nothing", "half", "a well"],
)
def test_a_yes_that_is_no_json_is_not_believed(
    running: tuple[str, Script], server: Script, body: str, reason: str
) -> None:
    server.answers = [PlainTextResponse(body), PlainTextResponse(body)]
    assert _fails(_client(running[0]), RetryLaterError).reason == reason
    assert _fails(_client(running[0], repeatable=False), AnswerLostError).reason == reason


def test_a_yes_without_a_body_is_one_where_none_is_expected(
    client: HttpClient, server: Script
) -> None:
    server.answers = [Response(status_code=204)]
    assert client.call("DELETE", "/x").status == 204


def test_a_long_answer_is_cut(running: tuple[str, Script], server: Script) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 200 * 1024 * 1024:
            sent += 65_536
            yield b"x" * 65_536
            await asyncio.sleep(0)  # for the server to see that nobody listens any more

    server.answers = [StreamingResponse(endless()), StreamingResponse(endless())]
    client = _client(running[0])
    answer = client.call("POST", "/x", json={})
    assert (len(answer.body), answer.is_cut) == (10 * 1024 * 1024, True)
    assert sent < 50 * 1024 * 1024
    assert _fails(client, RetryLaterError).reason == "answer_too_large"


def test_a_packed_answer_is_not_unpacked(client: HttpClient, server: Script) -> None:
    server.answers = [Response(b"\x1f\x8b", headers={"content-encoding": "gzip"})]
    assert _fails(client, RetryLaterError).reason == "encoded_answer"
    assert server.requests[0].headers["accept-encoding"] == "identity"


def test_an_answer_that_drips_is_not_waited_for(
    running: tuple[str, Script], server: Script
) -> None:
    async def drips() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b" "
            await asyncio.sleep(0.02)

    server.answers = [StreamingResponse(drips()), StreamingResponse(drips())]
    reason = _fails(_client(running[0], total_seconds=0.1), RetryLaterError).reason
    assert reason == "no_answer_in_time"
    once = _client(running[0], total_seconds=0.1, repeatable=False)
    assert _fails(once, AnswerLostError).reason == reason


@contextmanager
def _listening(answer: bytes | None) -> Iterator[str]:
    """A server that reads a request and hangs up, after some bytes, or never answers (None)."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                while b"}" not in connection.recv(65_536):
                    pass  # the headers, and then the body
                if answer is None:
                    connection.recv(1)
                else:
                    connection.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        thread.join(timeout=5)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"", "no_answer"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", "no_answer"),
        (b"\x00\x01garbage\r\n\r\n", "no_answer"),
        (None, "no_answer_in_time"),
    ],
    ids=["hangs up", "half an answer", "no HTTP", "silence"],
)
@pytest.mark.parametrize("repeatable", [True, False])
def test_a_connection_lost_after_sending_is_decided_by_the_kind(
    answer: bytes | None, reason: str, repeatable: bool
) -> None:
    timeout = httpx.Timeout(0.3)
    with _listening(answer) as url:
        client = _client(url, repeatable=repeatable, timeout=timeout)
        error = _fails(client, RetryLaterError if repeatable else AnswerLostError)
        client.close()
    assert error.reason == reason
    assert isinstance(error, RetryLaterError if repeatable else DestinationFailedError)


def test_where_nobody_listens_nothing_was_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    client = _client(f"http://127.0.0.1:{port}", repeatable=False)
    assert _fails(client, RetryLaterError).reason == "unreachable"


def test_a_name_that_is_nowhere_is_try_later() -> None:
    client = _client("https://nothing.invalid", repeatable=False)
    assert _fails(client, RetryLaterError).reason == "unresolvable"


def test_a_server_without_tls_is_told_apart(running: tuple[str, Script]) -> None:
    client = _client(running[0].replace("http:", "https:"), repeatable=False)
    assert _fails(client, RetryLaterError).reason == "tls_failed"


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org",
        "https://10.0.0.1",
        "https://u:secret@example.org",
        "x",
        "https://2130706433",
    ],
)
def test_a_wrong_address_is_told_at_opening(url: str) -> None:
    with pytest.raises(UsageError, match="The address of the destination `klaviyo`") as caught:
        _client(url, allow_private=False)
    assert "secret" not in str(caught.value)
    assert "allow_private" in caught.value.hint


def test_a_name_that_leads_inside_is_refused_when_it_is_called(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    inside = [(socket.AF_INET, 1, 6, "", ("169.254.169.254", 443))]
    monkeypatch.setattr("ingestion.apis.addresses.socket.getaddrinfo", lambda *_a, **_m: inside)
    error = _fails(_client("https://hooks.example.org", allow_private=False), UsageError)
    assert "leads into the network" in error.message


def test_what_is_local_is_known() -> None:
    assert _client("http://127.0.0.1:9").is_local
    assert not _client("https://a.example.org").is_local
    assert not _client("http://10.0.0.1").is_local


def test_nothing_of_the_address_or_the_headers_is_shown() -> None:
    client = _client(f"https://hooks.example.org/{KEY}")
    assert KEY not in repr(client)


@pytest.mark.parametrize(
    ("value", "what"),
    [
        (None, "is not set"),
        ("  ", "is not set"),
        ("a\r\nX: y", "no key has"),
        ("ключ", "no key has"),
    ],
)
def test_a_secret_that_cannot_be_one_is_told(
    monkeypatch: pytest.MonkeyPatch, value: str | None, what: str
) -> None:
    monkeypatch.delenv("THE_KEY", raising=False)
    if value is not None:
        monkeypatch.setenv("THE_KEY", value)
    with pytest.raises(UsageError, match="THE_KEY") as caught:
        secret("klaviyo", "api_key_env", "THE_KEY")
    assert what in caught.value.message
    assert "destinations.klaviyo.options.api_key_env" in caught.value.hint


def test_a_secret_is_read_without_the_line_end_of_its_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THE_KEY", f"{KEY}\n")
    assert secret("klaviyo", "api_key_env", "THE_KEY") == KEY


def test_json_has_no_second_form() -> None:
    assert as_json({"b": 1, "a": "é"}) == '{"b":1,"a":"é"}'.encode()
    with pytest.raises(ValueError, match="JSON"):
        as_json(float("nan"))
