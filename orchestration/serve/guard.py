"""The guard before the pages and Dagster's web server, which has no login of its own.

Belongs here: which requests are let through, judged by address, origin, method, type and secret.
Does not belong here: starting anything; this knows ASGI and not Dagster.

In this order: the Host header is one of ours (else a foreign name that leads to this machine could
read everything); the path has one spelling; the Origin is ours and no other page asks; the method
reads, or is POST: of a form to an address that takes one, of JSON to Dagster's `graphql`; and the
caller shows a secret. A printed address carries the secret; it is answered with a cookie and the
same address without it. A viewer's address lets look: what would change something is refused, and
told to whoever keeps the record. What is refused never reaches what is behind.
"""

from __future__ import annotations

import hmac
import re
import secrets
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from orchestration.serve.question import changes_something, is_one_question

TOKEN = "token"  # noqa: S105 - the name of the parameter
TRIES = 5
PER_SECONDS = 60.0
MOST_BYTES = 8 * 1024 * 1024
MOST_FORM_BYTES = 4096
DAGSTER = "/dagster"  # the path under which it is
GRAPHQL = f"{DAGSTER}/graphql"
# One spelling per path: no empty, `.` or `..` part, none of these written as %xx, no backslash.
_ODD_PATH = re.compile(rb"//|/\.{1,2}(?:/|$)|%(?:2[ef]|5c|25|[01][0-9a-f]|7f)|[\\\x00-\x1f;]", re.I)
SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
FRAMES = "frame-ancestors 'none'"
VIEWER, EDITOR = "viewer", "editor"
ROLE = "regulars.role"  # of whoever asks, in the scope of what passes


@dataclass(frozen=True)
class Refusal:
    """An answer of the guard's own: a status and one sentence."""

    status: int
    sentence: str


WHO = Refusal(401, "Open the address that was printed at the start; it lets you in.")
LOOKS = Refusal(403, "This address only shows; the editor's address changes something.")
OFTEN = Refusal(429, "Too many wrong addresses were tried; wait a minute, then open the right one.")


class Guard:
    """Lets through who knows a secret, and nobody else; a viewer only to look.

    Args:
        app: what is behind.
        port: where it is reached; part of every name it answers to.
        tokens: the secret of each printed address, by the role of whom it lets in.
        forms: the paths that take a form; an editor's alone.
        has_dagster: whether Dagster's web server is behind `DAGSTER`.
        refused: is told the path at which a viewer wanted to change something.
        clock: seconds that only go forward; counts wrong tries.
    """

    def __init__(
        self,
        app: ASGIApp,
        port: int,
        tokens: Mapping[str, str],
        forms: Collection[str] = (),
        *,
        has_dagster: bool = False,
        refused: Callable[[str], None] = lambda _path: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Make new cookie values; they and the tokens live as long as this process."""
        if any(len(token) < 32 for token in tokens.values()):
            raise ValueError("the token is too short to be a secret")
        self._app = app
        self._roles_by_token = {token: role for role, token in tokens.items()}
        self._forms = frozenset(forms)
        self._has_dagster = has_dagster
        self._refused = refused
        self._clock = clock
        self._sessions = {role: secrets.token_urlsafe(32) for role in tokens}
        self._wrong: deque[float] = deque(maxlen=TRIES)
        # Cookies do not know ports: two homes open at once keep apart by name.
        self._cookie = f"regulars_{port}"
        self._hosts = _hosts(port)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Judge a request or a WebSocket; everything else is the server's own."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        refusal = self._misplaced(scope)
        role = self._role(scope)
        if refusal is None and _tokens(scope) and (role is None or self._offered_role(scope)):
            await self._let_in(scope, receive, send)
            return
        if refusal is None:
            refusal = WHO if role is None else await self._not_allowed(scope, role)
        scope[ROLE] = role
        if refusal is not None:
            await _refuse(refusal, scope, receive, send)
        elif scope["type"] == "websocket":
            await self._app(scope, receive, send)
        elif _tokens(scope):
            await _answer(RedirectResponse(_without_token(scope), 303), scope, receive, send)
        elif scope["method"] == "POST":
            await self._pass_checked_body(scope, receive, send, role or "")
        else:
            await self._app(scope, receive, _with_headers(send))

    def _misplaced(self, scope: Scope) -> Refusal | None:
        """What is wrong with the request whoever sends it."""
        headers = Headers(scope=scope)
        host = _only(headers.getlist("host"))
        if host is None or host.lower() not in self._hosts:
            return Refusal(403, "This server answers to its address on this machine only.")
        path = scope.get("raw_path") or scope["path"].encode()
        if not path.startswith(b"/") or _ODD_PATH.search(path) or _is_near_graphql(scope):
            return Refusal(400, "There is no such address here.")
        if self._is_foreign(scope, headers):
            return Refusal(403, "Another page may not ask this server for anything.")
        return self._wrong_way(scope, headers)

    def _wrong_way(self, scope: Scope, headers: Headers) -> Refusal | None:
        """Why what is behind is not asked in this way."""
        if self._has_dagster and is_dagsters(scope["path"]):
            return _wrong_at_dagster(scope, headers)
        if scope["type"] == "websocket":
            return Refusal(403, "There is no such address here.")
        method, to_form = scope["method"], scope["path"] in self._forms
        if method not in ("GET", "HEAD", "POST") or to_form != (method == "POST"):
            return Refusal(405, "Changes go by POST to their own addresses only.")
        return _wrong_form(scope, headers) if method == "POST" else None

    async def _not_allowed(self, scope: Scope, role: str) -> Refusal | None:
        """Why whoever has been let in may not ask this; Dagster's questions are read first."""
        is_form = scope["type"] == "http" and scope["method"] == "POST" and not _asks(scope)
        return await self._only_looks(scope) if is_form and role != EDITOR else None

    async def _only_looks(self, scope: Scope) -> Refusal:
        await run_in_threadpool(self._refused, scope["path"])
        return LOOKS

    async def _wrong_body(self, scope: Scope, body: bytes, role: str) -> Refusal | None:
        """Why what was posted does not pass."""
        if not _asks(scope):
            is_large = len(body) > MOST_FORM_BYTES
            return Refusal(413, "The request is too large.") if is_large else None
        if not is_one_question(body):
            return Refusal(400, "A request is one JSON object with a `query`.")
        return await self._only_looks(scope) if role != EDITOR and changes_something(body) else None

    def _is_foreign(self, scope: Scope, headers: Headers) -> bool:
        """Whether another web page asks; a browser says so, and always names an Origin to write."""
        origins = headers.getlist("origin")
        if origins and (_only(origins) or "") != f"http://{headers['host'].lower()}":
            return True
        if scope["type"] == "websocket":
            return not origins
        site = headers.get("sec-fetch-site", "none")
        is_visit = (
            scope["method"] == "GET"
            and headers.get("sec-fetch-mode") == "navigate"
            and headers.get("sec-fetch-dest") == "document"
            and not _tokens(scope)  # no page may use up the tries of whoever sits here
        )
        return site not in ("none", "same-origin") and not is_visit

    def _role(self, scope: Scope) -> str | None:
        """As whom somebody was let in; None for a stranger."""
        # Cut by hand: a library stops reading at the odd cookie of another program on 127.0.0.1.
        sent = ";".join(Headers(scope=scope).getlist("cookie")).split(";")
        pairs = [pair.partition("=") for pair in sent]
        shown = [value.strip() for name, _, value in pairs if name.strip() == self._cookie]
        return next(
            (
                role
                for role, session in self._sessions.items()
                if any(_same(value, session) for value in shown)
            ),
            None,
        )

    def _offered_role(self, scope: Scope) -> str | None:
        """As whom the secret of the address lets in; None where it is wrong."""
        offered = _only(_tokens(scope)) or ""
        roles = [role for token, role in self._roles_by_token.items() if _same(offered, token)]
        return roles[0] if roles else None

    async def _let_in(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Exchange the secret of the address for a cookie."""
        now = self._clock()
        while self._wrong and now - self._wrong[0] >= PER_SECONDS:
            self._wrong.popleft()
        if len(self._wrong) >= TRIES:
            await _refuse(OFTEN, scope, receive, send)
        elif scope["type"] == "http" and (role := self._offered_role(scope)):
            response = RedirectResponse(_without_token(scope), 303)
            response.set_cookie(
                self._cookie, self._sessions[role], httponly=True, samesite="strict"
            )
            await _answer(response, scope, receive, send)
        else:
            self._wrong.append(now)
            await _refuse(WHO, scope, receive, send)

    async def _pass_checked_body(
        self, scope: Scope, receive: Receive, send: Send, role: str
    ) -> None:
        """A form, or one JSON object, of a bounded size."""
        body = bytearray()
        while True:
            message = await receive()
            if message["type"] != "http.request":
                return
            body += message.get("body", b"")
            if len(body) > MOST_BYTES:
                await _refuse(Refusal(413, "The request is too large."), scope, receive, send)
                return
            if not message.get("more_body"):
                break
        refusal = await self._wrong_body(scope, bytes(body), role)
        if refusal is not None:
            await _refuse(refusal, scope, receive, send)
            return
        sent = False

        async def replay() -> Message:
            nonlocal sent
            if sent:
                return await receive()
            sent = True
            return {"type": "http.request", "body": bytes(body), "more_body": False}

        await self._app(scope, replay, _with_headers(send))


def is_dagsters(path: str) -> bool:
    """Whether Dagster's web server answers there."""
    return path == DAGSTER or path.startswith(f"{DAGSTER}/")


def _hosts(port: int) -> frozenset[str]:
    names = ("127.0.0.1", "localhost", "[::1]")
    bare = names if port == 80 else ()
    return frozenset((*(f"{name}:{port}" for name in names), *bare))


def _only(values: Iterable[str]) -> str | None:
    """The value where there is exactly one; of two, two programs may read different ones."""
    listed = list(values)
    return listed[0] if len(listed) == 1 else None


def _same(left: str, right: str) -> bool:
    return hmac.compare_digest(left.encode(), right.encode())


def _asks(scope: Scope) -> bool:
    return bool(scope["path"] == GRAPHQL)


def _is_near_graphql(scope: Scope) -> bool:
    """`/Dagster/GraphQL`, `/dagster/graphql/` and the like: taken for the real one elsewhere."""
    path = scope["path"].lower().strip("/")
    return not _asks(scope) and f"/{path}/".startswith(f"{GRAPHQL}/")


def _wrong_at_dagster(scope: Scope, headers: Headers) -> Refusal | None:
    """Reading is GET; asking Dagster is POST with JSON, or a WebSocket, on one path alone."""
    if scope["type"] == "websocket":
        return None if _asks(scope) else Refusal(403, "There is no such address here.")
    method = scope["method"]
    if method not in ("GET", "HEAD", "POST") or _asks(scope) != (method == "POST"):
        return Refusal(405, "Questions and changes go by POST with JSON to the one address only.")
    return _wrong_question(scope, headers) if method == "POST" else None


def _wrong_question(scope: Scope, headers: Headers) -> Refusal | None:
    parts = (_only(headers.getlist("content-type")) or "").lower().split(";")
    kind, options = parts[0].strip(), [part.strip() for part in parts[1:]]
    if kind != "application/json" or options not in ([], ["charset=utf-8"]):
        return Refusal(415, "Questions and changes go by POST with JSON to the one address only.")
    if "content-encoding" in headers:
        return Refusal(415, "The JSON is sent as it is, not packed.")
    # The page adds the name of its question; anything else would be a second question.
    if any(name != "op" for name, _ in _parameters(scope)):
        return Refusal(400, "The question goes in the body, not in the address.")
    return None


def _wrong_form(scope: Scope, headers: Headers) -> Refusal | None:
    if not headers.getlist("origin"):
        return Refusal(403, "Changes come from the page itself.")
    kind = _only(headers.getlist("content-type")) or ""
    if kind.lower() != "application/x-www-form-urlencoded" or "content-encoding" in headers:
        return Refusal(415, "A change is the form of the page.")
    if scope.get("query_string"):
        return Refusal(400, "The form goes in the body, not in the address.")
    return None


def _parameters(scope: Scope) -> list[tuple[str, str]]:
    return parse_qsl(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)


def _tokens(scope: Scope) -> list[str]:
    return [value for name, value in _parameters(scope) if name == TOKEN]


def _without_token(scope: Scope) -> str:
    kept = urlencode([pair for pair in _parameters(scope) if pair[0] != TOKEN])
    path: str = (
        (scope.get("raw_path") or scope["path"].encode()).decode("latin-1").partition("?")[0]
    )
    return f"{path}?{kept}" if kept else path


async def _refuse(refusal: Refusal, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008, "reason": ""})
        return
    if scope["path"] == GRAPHQL:  # its page shows the sentence of an answer in this form
        answer = JSONResponse({"errors": [{"message": refusal.sentence}]}, refusal.status)
        await _answer(answer, scope, receive, send)
        return
    page = (
        "<!doctype html><html lang=en><meta charset=utf-8><title>Regulars</title>"
        f"<p>{refusal.sentence}</p></html>"
    )
    await _answer(HTMLResponse(page, refusal.status), scope, receive, send)


async def _answer(response: Response, scope: Scope, receive: Receive, send: Send) -> None:
    response.headers["Cache-Control"] = "no-store"
    response.headers["Content-Security-Policy"] = "default-src 'none'"
    await response(scope, receive, _with_headers(send))


def _with_headers(send: Send) -> Send:
    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in SECURITY_HEADERS.items():
                headers[name] = value
            headers.append("Content-Security-Policy", FRAMES)
        await send(message)

    return send_with_headers
