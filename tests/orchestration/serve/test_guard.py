"""Who the guard lets through to Dagster: whoever shows a secret, asked by no other page; a viewer
to look (SEC1)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import pytest
from starlette.datastructures import Headers

from orchestration.serve.guard import EDITOR, MOST_BYTES, PER_SECONDS, TRIES, VIEWER, Guard

PORT = 3000
TOKEN = "t" * 43
VIEWERS = "v" * 43
HERE = f"http://127.0.0.1:{PORT}"
JSON = {"content-type": "application/json", "origin": HERE}
MUTATION = json.dumps({"query": "mutation { launchRun { __typename } }"}).encode()


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status_code: int
    headers: Headers
    text: str

    @property
    def is_success(self) -> bool:
        return self.status_code == 200


class Behind:
    """Dagster's place: notes what reached it."""

    def __init__(self) -> None:
        self.reached: list[str] = []
        self.bodies: list[bytes] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.reached.append(f"{scope['type']} {scope['path']}")
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.accept"})
            return
        message = await receive()
        self.bodies.append(message.get("body", b""))
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"dagster"})


class Door:
    """A guard, what is behind it, and ways to knock."""

    def __init__(self, port: int = PORT) -> None:
        self.now = 0.0
        self.behind = Behind()
        self.refused: list[str] = []
        self.guard = Guard(
            self.behind,
            port,
            {EDITOR: TOKEN, VIEWER: VIEWERS},
            ["/approve"],
            has_dagster=True,
            refused=self.refused.append,
            clock=lambda: self.now,
        )
        self.cookie = ""

    def ask(
        self, method: str, target: str, headers: dict[str, str] | None = None, content: bytes = b""
    ) -> Answer:
        """A request with the target exactly as written, as uvicorn hands it over."""
        named = {"host": f"127.0.0.1:{PORT}", "cookie": self.cookie, **(headers or {})}
        raw_path, _, query = target.partition("?")
        scope = {
            "type": "http",
            "method": method,
            "path": unquote(raw_path),
            "raw_path": raw_path.encode(),
            "query_string": query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in named.items()],
        }
        parts = [content[:5], content[5:]]
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            body = parts.pop(0)
            return {"type": "http.request", "body": body, "more_body": bool(parts)}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        asyncio.run(self.guard(scope, receive, send))  # type: ignore[arg-type]
        body = b"".join(message.get("body", b"") for message in sent[1:])
        return Answer(sent[0]["status"], Headers(raw=sent[0]["headers"]), body.decode())

    def enter(self, token: str = TOKEN) -> Answer:
        """Open the printed address and keep the cookie."""
        answer = self.ask("GET", f"/dagster/asset-groups?token={token}")
        self.cookie = answer.headers["set-cookie"].partition(";")[0]
        return answer

    def upgrade(self, path: str = "/dagster/graphql", **headers: str) -> str:
        """Ask for a WebSocket; what was answered first."""
        sent: list[str] = []
        named = {"host": f"127.0.0.1:{PORT}", "cookie": self.cookie, **headers}
        scope = {
            "type": "websocket",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "headers": [(name.encode(), value.encode()) for name, value in named.items()],
        }

        async def receive() -> dict[str, str]:
            return {"type": "websocket.connect"}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message["type"])

        asyncio.run(self.guard(scope, receive, send))  # type: ignore[arg-type]
        return sent[0]


@pytest.fixture
def door() -> Door:
    return Door()


@pytest.fixture
def inside(door: Door) -> Door:
    door.enter()
    return door


GET_MUTATION = "/dagster/graphql?query=mutation%20%7B%20launchRun%20%7B%20__typename%20%7D%20%7D"
PATHS = [
    "/",
    "/dagster/asset-groups",
    "/dagster/runs",
    "/dagster/server_info",
    "/dagster/dagit_info",
    "/dagster/graphql",
    GET_MUTATION,
    "/dagster/graphql?query=%7B%20version%20%7D",
    "/dagster/logs/run/compute_logs/step/err",
    "/dagster/download_debug/run",
    "/dagster/notebook?path=x.ipynb&repoLocName=regulars",
    "/favicon.ico",
    "/dagster",
    "/dagster/",
    "/dagster;x/graphql",
    "/dagster/graphql/",
    "/dagster//graphql",
    "/dagster/./graphql",
    "/dagster/x/../graphql",
    "/dagster/%2e/graphql",
    "/dagster/%67raphql",
    "/dagster/graphql%00",
    "/dagster/GRAPHQL",
    "/dagster/graphql;x",
    "http://127.0.0.1:3000/dagster/graphql",
    "/?token=",
    "/?token=" + "x" * 43,
    f"/?token={TOKEN}&token={TOKEN}",
    f"/?TOKEN={TOKEN}",
    f"/?token={TOKEN}x",
    f"/{TOKEN}",
]
KINDS = [
    "application/json",
    "application/graphql",
    "text/plain",
    "text/plain; x=application/json",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "",
]
WRITES = [
    "/dagster/graphql",
    GET_MUTATION,
    "/dagster/graphql/",
    "/dagster//graphql",
    "/dagster/report_asset_materialization/a",
]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_stranger_reads_nothing(door: Door, method: str, path: str) -> None:
    answer = door.ask(method, path)
    assert answer.status_code >= 400
    assert door.behind.reached == []


@pytest.mark.parametrize("path", WRITES)
@pytest.mark.parametrize("kind", KINDS)
def test_a_stranger_writes_nothing(door: Door, kind: str, path: str) -> None:
    answer = door.ask(
        "POST", path, headers={"content-type": kind, "origin": HERE}, content=MUTATION
    )
    assert answer.status_code >= 400
    assert door.behind.reached == []


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"])
def test_other_methods_reach_nothing(inside: Door, method: str) -> None:
    assert inside.ask(method, "/dagster/graphql", headers=JSON, content=MUTATION).status_code == 405
    assert inside.behind.reached == []


@pytest.mark.parametrize(
    "cookie",
    ["regulars_3000=", "regulars_3000=x", "regulars_3001={}", f"regulars_3000={TOKEN}", "x={}"],
)
def test_no_other_cookie_will_do(inside: Door, cookie: str) -> None:
    session = inside.cookie.partition("=")[2]
    answer = inside.ask("GET", "/", headers={"cookie": cookie.format(session)})
    assert answer.status_code == 401
    assert inside.behind.reached == []


FOREIGN = {
    "another name": {"host": "evil.example:3000"},
    "another name without port": {"host": "evil.example"},
    "another port": {"host": "127.0.0.1:3001"},
    "no port": {"host": "127.0.0.1"},
    "a name that ends like ours": {"host": "evil.localhost:3000"},
    "a name that begins like ours": {"host": "127.0.0.1.evil.example:3000"},
    "another address": {"host": "0.0.0.0:3000"},
    "no host": {"host": ""},
    "another origin": {"origin": "http://evil.example"},
    "no origin of its own": {"origin": "null"},
    "an empty origin": {"origin": ""},
    "another scheme": {"origin": "https://127.0.0.1:3000"},
    "another port's origin": {"origin": "http://127.0.0.1:8080"},
    "another of our names": {"origin": "http://localhost:3000"},
    "another site": {"sec-fetch-site": "cross-site"},
    "another port of this machine": {"sec-fetch-site": "same-site"},
}


@pytest.mark.parametrize("what", FOREIGN)
def test_even_with_the_cookie_no_other_page_asks(inside: Door, what: str) -> None:
    headers = {**JSON, **FOREIGN[what]}
    assert (
        inside.ask("POST", "/dagster/graphql", headers=headers, content=MUTATION).status_code == 403
    )
    assert inside.ask("GET", "/dagster/logs/a/out", headers=headers).status_code == 403
    assert inside.behind.reached == []


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "application/json"])
def test_even_with_the_cookie_only_json_asks(inside: Door, kind: str) -> None:
    headers = {"content-type": kind, "origin": HERE}
    assert (
        inside.ask("POST", "/dagster/graphql", headers=headers, content=MUTATION).status_code == 415
    )
    assert inside.behind.reached == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"[" + MUTATION + b"]",
        b'"query"',
        b'{"query": ["mutation"]}',
        b"{}",
        b"query=mutation",
        b"[" * 200_000,
        b"{" * 9 + b"\xff",
    ],
)
def test_even_with_the_cookie_one_question_at_a_time(inside: Door, body: bytes) -> None:
    assert inside.ask("POST", "/dagster/graphql", headers=JSON, content=body).status_code == 400
    assert inside.behind.reached == []


@pytest.mark.parametrize(
    "path",
    [
        "/dagster/graphql",
        GET_MUTATION,
        "/dagster/graphql/",
        "/dagster//graphql",
        "/DAGSTER/GraphQL",
    ],
)
def test_even_with_the_cookie_nothing_is_asked_by_get(inside: Door, path: str) -> None:
    assert inside.ask("GET", path).status_code in (400, 405)
    assert inside.behind.reached == []


@pytest.mark.parametrize(
    "path",
    [
        "/dagster/x//graphql",
        "/dagster/x/../graphql",
        "/%2e%2e/x",
        "/x%2Fy",
        "/%5cx",
        "/x%0d%0a",
        "/%252e",
    ],
)
def test_a_path_has_one_spelling(inside: Door, path: str) -> None:
    assert inside.ask("GET", path).status_code == 400
    assert inside.behind.reached == []


def test_the_question_stands_in_the_body_alone(inside: Door) -> None:
    for extra in ("?query=mutation", "?op=A&query=x", "?variables=1"):
        answer = inside.ask("POST", f"/dagster/graphql{extra}", headers=JSON, content=MUTATION)
        assert answer.status_code == 400
    assert inside.behind.reached == []


def test_a_huge_or_packed_body_is_refused(inside: Door) -> None:
    huge = b'{"query": "' + b"x" * MOST_BYTES + b'"}'
    assert inside.ask("POST", "/dagster/graphql", headers=JSON, content=huge).status_code == 413
    packed = {**JSON, "content-encoding": "gzip"}
    assert (
        inside.ask("POST", "/dagster/graphql", headers=packed, content=MUTATION).status_code == 415
    )
    assert inside.behind.reached == []


def test_the_printed_address_gives_a_cookie_and_forgets_the_token(door: Door) -> None:
    answer = door.ask("GET", f"/dagster/asset-groups?view=graph&token={TOKEN}")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/dagster/asset-groups?view=graph"
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert TOKEN.lower() not in cookie
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"
    assert door.behind.reached == []


def test_who_has_the_cookie_works_as_always(inside: Door) -> None:
    assert inside.ask("GET", "/dagster/asset-groups").text == "dagster"
    assert inside.ask("GET", "/dagster/runs?q[]=tag%3Ax").text == "dagster"
    assert inside.ask("GET", "/dagster/assets/publish/candidate").text == "dagster"
    assert (
        inside.ask("POST", "/dagster/graphql?op=Name", headers=JSON, content=MUTATION).text
        == "dagster"
    )
    assert inside.behind.bodies[-1] == MUTATION
    assert inside.upgrade(origin=HERE) == "websocket.accept"
    again = inside.ask("GET", f"/dagster/runs?token={TOKEN}")
    assert (again.status_code, again.headers["location"]) == (303, "/dagster/runs")
    localhost = {"host": "localhost:3000", "origin": "http://localhost:3000"}
    assert inside.ask(
        "POST", "/dagster/graphql", headers=JSON | localhost, content=MUTATION
    ).is_success


def test_an_odd_cookie_of_another_program_does_not_lock_out(inside: Door) -> None:
    cookies = f'a={{"x": [1]}}; b; {inside.cookie}; c="'
    assert inside.ask("GET", "/", headers={"cookie": cookies}).is_success


def test_a_link_on_another_page_opens_but_its_pictures_and_frames_do_not(inside: Door) -> None:
    visit = {"sec-fetch-site": "same-site", "sec-fetch-mode": "navigate"}
    assert inside.ask("GET", "/", headers={**visit, "sec-fetch-dest": "document"}).is_success
    for place in ("iframe", "image", "script"):
        answer = inside.ask("GET", "/", headers={**visit, "sec-fetch-dest": place})
        assert answer.status_code == 403


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/dagster/graphql", {}),
        ("/dagster/graphql", {"origin": "http://evil.example"}),
        ("/dagster/graphql", {"origin": "null"}),
        ("/dagster/graphql", {"origin": HERE, "host": "evil.example:3000"}),
        ("/dagster/graphql/", {"origin": HERE}),
        ("/other", {"origin": HERE}),
        ("/dagster/graphql", {"origin": HERE, "cookie": "regulars_3000=x"}),
    ],
)
def test_a_websocket_is_asked_the_same(inside: Door, path: str, headers: dict[str, str]) -> None:
    assert inside.upgrade(path, **headers) == "websocket.close"
    assert inside.behind.reached == []


def test_every_answer_carries_the_security_headers(inside: Door) -> None:
    for answer in (inside.ask("GET", "/"), inside.ask("GET", "/", headers={"cookie": "x"})):
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "frame-ancestors 'none'" in answer.headers.getlist("content-security-policy")


CHANGES = [
    "mutation { launchRun { __typename } }",
    "query Runs { version } mutation Launch { launchRun { __typename } }",
    "#\n  mutation{launchRun{__typename}}",
    "fragment F on Mutation { launchRun { __typename } } mutation { ...F }",
    "extend type Query { a: Int }",
    "query { version",
    "",
    "{" * 30_000,
    "{ a " * 30_000,
]


@pytest.mark.parametrize("query", CHANGES, ids=range(len(CHANGES)))
def test_a_viewer_launches_nothing_and_the_try_is_told(door: Door, query: str) -> None:
    door.enter(VIEWERS)
    body = json.dumps({"query": query, "operationName": "Runs"}).encode()
    answer = door.ask("POST", "/dagster/graphql", headers=JSON, content=body)
    assert answer.status_code == 403
    assert json.loads(answer.text)["errors"][0]["message"].startswith("This address only shows")
    assert (door.behind.reached, door.refused) == ([], ["/dagster/graphql"])


def test_a_viewer_looks_at_everything(door: Door) -> None:
    door.enter(VIEWERS)
    for query in (
        "{ version }",
        "query A { ...F } fragment F on Query { version }",
        "subscription { a }",
    ):
        body = json.dumps({"query": query}).encode()
        assert door.ask("POST", "/dagster/graphql", headers=JSON, content=body).is_success
    assert door.ask("GET", "/dagster/runs").is_success
    assert door.ask("GET", "/segments").is_success
    assert door.upgrade(origin=HERE) == "websocket.accept"
    assert door.refused == []


def test_a_form_is_an_editors_and_graphql_is_nowhere_else(inside: Door) -> None:
    form = {"content-type": "application/x-www-form-urlencoded", "origin": HERE}
    assert inside.ask("POST", "/approve", headers=form, content=b"a=b").is_success
    assert inside.ask("POST", "/graphql", headers=JSON, content=MUTATION).status_code == 405
    assert inside.ask("POST", "/dagster/approve", headers=form, content=b"a=b").status_code == 405
    inside.enter(VIEWERS)
    assert inside.ask("POST", "/approve", headers=form, content=b"a=b").status_code == 403
    assert (inside.behind.reached, inside.refused) == (["http /approve"], ["/approve"])


def test_pages_alone_have_no_dagster() -> None:
    door = Door()
    door.guard = Guard(door.behind, PORT, {EDITOR: TOKEN})
    door.enter()
    for path in ("/dagster/graphql", "/graphql"):
        assert door.ask("POST", path, headers=JSON, content=MUTATION).status_code == 405
        assert door.upgrade(path, origin=HERE) == "websocket.close"
    assert door.behind.reached == []


def test_a_stranger_is_told_in_one_sentence_what_to_do(door: Door) -> None:
    answer = door.ask("GET", "/")
    assert answer.status_code == 401
    assert "Open the address that was printed" in answer.text


@pytest.fixture
def guess(door: Door) -> Callable[[], int]:
    return lambda: door.ask("GET", "/?token=guess").status_code


def test_five_wrong_tokens_a_minute_and_no_more(door: Door, guess: Callable[[], int]) -> None:
    assert [guess() for _ in range(TRIES + 2)] == [401] * TRIES + [429] * 2
    assert door.ask("GET", f"/?token={TOKEN}").status_code == 429, "the right one among them"
    door.now = PER_SECONDS
    assert door.ask("GET", f"/?token={TOKEN}").status_code == 303


def test_wrong_tries_lock_out_nobody_who_is_in(inside: Door) -> None:
    stranger = {"cookie": "regulars_3000=x"}
    for _ in range(TRIES + 1):
        inside.ask("GET", "/?token=guess", headers=stranger)
    assert inside.ask("GET", "/dagster/runs").is_success


def test_no_other_page_uses_up_the_tries(door: Door) -> None:
    visit = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    for place in ("document", "image"):
        headers = {**visit, "sec-fetch-dest": place}
        for _ in range(TRIES):
            assert door.ask("GET", "/?token=guess", headers=headers).status_code == 403
    assert door.enter().status_code == 303


def test_a_short_token_is_no_secret() -> None:
    with pytest.raises(ValueError, match="too short"):
        Guard(Behind(), PORT, {VIEWER: "abc"})
