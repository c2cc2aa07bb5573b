"""The one HTTP policy: what is retried, what is waited for, what is refused, what is never said."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from ingestion.apis.http import ApiClient, check_base_url, origin, retry_after, used_up_for
from ingestion.demo.servers import served
from ingestion.errors import RefusedError, SourceError, UsageError

SECRET = "key-that-nobody-may-see"
ADDRESS = "someone@private.example.com"


class Script:
    """A server that gives the answers it was told to, in turn."""

    def __init__(self) -> None:
        self.answers: list[Response] = []
        self.requests: list[Request] = []

    async def answer(self, request: Request) -> Response:
        self.requests.append(request)
        return self.answers.pop(0) if self.answers else JSONResponse({"fine": True})


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[str, Script]]:
    script = Script()
    app = Starlette(routes=[Route("/{path:path}", script.answer, methods=["GET", "POST"])])
    with served(app) as url:
        yield url, script


@pytest.fixture
def waits() -> list[float]:
    return []


@pytest.fixture
def client(server: tuple[str, Script], waits: list[float]) -> Iterator[ApiClient]:
    url, script = server
    script.answers, script.requests = [], []
    with ApiClient(
        "klaviyo",
        url,
        lambda: {"Authorization": SECRET},
        credentials="KLAVIYO_API_KEY",
        sleep=waits.append,
    ) as client:
        yield client


def test_retry_after_in_seconds_is_honoured_within_a_fifth(
    client: ApiClient, server: tuple[str, Script], waits: list[float]
) -> None:
    server[1].answers = [PlainTextResponse("", 429, {"Retry-After": "7"})]
    assert client.json("GET", "/x") == {"fine": True}
    assert len(waits) == 1
    assert 7 <= waits[0] <= 7 * 1.2


def test_retry_after_as_a_date_is_honoured(
    client: ApiClient, server: tuple[str, Script], waits: list[float]
) -> None:
    moment = datetime.fromtimestamp(time.time() + 30, UTC)
    date = moment.strftime("%a, %d %b %Y %H:%M:%S GMT")
    server[1].answers = [PlainTextResponse("", 429, {"Retry-After": date})]
    client.json("GET", "/x")
    assert 28 <= waits[0] <= 30 * 1.2


def test_retry_after_that_cannot_be_read_is_no_reason_to_stop() -> None:
    now = datetime(2026, 7, 1, tzinfo=UTC)
    assert retry_after("soon") is None
    assert retry_after(None) is None
    assert retry_after("-3") == 0
    assert retry_after("Wed, 01 Jul 2026 00:00:10 GMT", now) == 10
    assert retry_after("Tue, 30 Jun 2026 00:00:00 GMT", now) == 0


def test_a_window_that_is_used_up_is_waited_for_before_the_next_request(
    client: ApiClient, server: tuple[str, Script], waits: list[float]
) -> None:
    used_up = {"RateLimit-Remaining": "0", "RateLimit-Reset": "12"}
    server[1].answers = [JSONResponse({}, headers=used_up)]
    client.json("GET", "/x")
    assert waits == []
    client.json("GET", "/x")
    assert waits == [12.0]
    assert used_up_for({"ratelimit-remaining": "3", "ratelimit-reset": "12"}) == 0.0
    assert used_up_for({"ratelimit-remaining": "0", "ratelimit-reset": "never"}) == 0.0


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_server_errors_are_tried_again_with_growing_patience(
    client: ApiClient, server: tuple[str, Script], waits: list[float], status: int
) -> None:
    server[1].answers = [PlainTextResponse("", status) for _ in range(3)]
    assert client.json("GET", "/x") == {"fine": True}
    assert waits[0] < waits[1] < waits[2]


def test_a_cut_off_body_is_tried_again(client: ApiClient, server: tuple[str, Script]) -> None:
    server[1].answers = [PlainTextResponse('{"data": [1, 2')]
    assert client.json("GET", "/x") == {"fine": True}


def test_it_gives_up_with_a_sentence(
    client: ApiClient, server: tuple[str, Script], waits: list[float]
) -> None:
    server[1].answers = [PlainTextResponse("", 500) for _ in range(20)]
    with pytest.raises(SourceError, match=r"klaviyo: GET /x failed 6 times.*status 500"):
        client.json("GET", "/x")
    assert len(waits) == 5


def test_refused_credentials_are_renewed_once(server: tuple[str, Script]) -> None:
    url, script = server
    script.answers, script.requests = [PlainTextResponse("", 401)], []
    tokens = ["old"]

    def renew() -> bool:
        tokens[0] = "new"
        return True

    with ApiClient("shopify", url, lambda: {"X-Token": tokens[0]}, renew=renew) as client:
        assert client.json("GET", "/x") == {"fine": True}
    assert [request.headers["x-token"] for request in script.requests] == ["old", "new"]


def test_refused_credentials_name_the_variable_and_not_the_value(
    client: ApiClient, server: tuple[str, Script], waits: list[float]
) -> None:
    server[1].answers = [JSONResponse({"detail": f"{SECRET} is wrong"}, 401)]
    with pytest.raises(RefusedError) as caught:
        client.json("GET", "/x")
    assert "KLAVIYO_API_KEY" in str(caught.value)
    assert SECRET not in str(caught.value)
    assert waits == []


@pytest.mark.parametrize("status", [400, 403, 404, 422, 301])
def test_other_refusals_fail_at_once_and_say_nothing_of_what_was_sent_or_answered(
    client: ApiClient, server: tuple[str, Script], waits: list[float], status: int
) -> None:
    server[1].answers = [JSONResponse({"detail": f"{ADDRESS} {SECRET}"}, status)]
    with pytest.raises(RefusedError) as caught:
        client.json("GET", "/x", params={"filter": f"equals(email,'{ADDRESS}')"})
    assert str(status) in str(caught.value)
    for hidden in (SECRET, ADDRESS, "filter"):
        assert hidden not in str(caught.value)
        assert hidden not in repr(caught.value.__context__)
    assert waits == []


def test_redirects_are_not_followed(client: ApiClient, server: tuple[str, Script]) -> None:
    server[1].answers = [RedirectResponse("http://169.254.169.254/latest/meta-data")]
    with pytest.raises(SourceError, match="307"):
        client.json("GET", "/x")
    assert len(server[1].requests) == 1


def test_a_link_to_another_server_never_gets_the_credentials(client: ApiClient) -> None:
    with pytest.raises(SourceError, match="points to another server"):
        client.json("GET", "https://elsewhere.example.com/api/profiles?page[cursor]=x")


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/x",
        "https://10.0.0.1/x",
        "https://0x7f000001/x",
        "https://localhost/x",
        "file:///etc/passwd",
        "https://",
    ],
)
def test_a_result_file_lies_on_a_public_https_server(client: ApiClient, url: str) -> None:
    with pytest.raises(SourceError, match="no trustworthy address"):
        list(client.lines(url, 1000))


def test_a_body_without_end_is_cut(client: ApiClient, server: tuple[str, Script]) -> None:
    client.max_body_bytes = 1000
    server[1].answers = [PlainTextResponse("x" * 2000)]
    with pytest.raises(SourceError, match="larger than 1,000 bytes"):
        client.json("GET", "/x")


def test_a_result_file_longer_than_announced_is_refused(
    client: ApiClient, server: tuple[str, Script]
) -> None:
    server[1].answers = [PlainTextResponse("line\n" * 500)]
    with pytest.raises(SourceError, match="larger than announced"):
        list(client.lines(f"{server[0]}/result", 100))


def test_silence_is_tried_again(waits: list[float]) -> None:
    timeout = httpx.Timeout(0.05)
    with (
        ApiClient(
            "klaviyo", "http://127.0.0.1:9", dict, timeout=timeout, attempts=2, sleep=waits.append
        ) as client,
        pytest.raises(SourceError, match="failed 2 times"),
    ):
        client.json("GET", "/x")
    assert len(waits) == 1


@pytest.mark.parametrize("url", ["http://a.klaviyo.com", "a.klaviyo.com", "ftp://x", ""])
def test_credentials_travel_encrypted_or_not_at_all(url: str) -> None:
    with pytest.raises(UsageError, match="https"):
        check_base_url("klaviyo", url)


def test_origins_know_default_ports() -> None:
    assert origin("https://a.example.com/x") == origin("https://a.example.com:443/y")
    assert origin("https://a.example.com") != origin("http://a.example.com")
