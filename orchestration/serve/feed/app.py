"""The web side of the on-site feed: which question is answered, to whom, and how.

    GET /feed/<destination>?device=<anonymous id>       by the browser that has it, or the shop
    GET /feed/<destination>?login=<login>               by the shop's own server, with its secret
    GET /feed/<destination>?customer_id=<customer id>   the same
    GET /feed/onsite.js                                 the script for a page (docs/onsite.md)

In this order: there is such a feed; not too many ask; the page that asks is of a site of the
settings; the method; one identifier, not too long; for a person's own id the secret. Then the file
is asked, and the operational store for what the identifier itself refused by now, which takes no
lock there. Nothing of a question is logged. Whatever cannot be read is answered 503 with the shape
that nobody known gets, and never with somebody's segments.

Belongs here: HTTP. Does not belong here: what an answer says (`answers`), the process that listens
(`orchestration.serve.webhooks.server`).
"""

from __future__ import annotations

import hmac
import logging
import os
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from urllib.parse import parse_qsl

from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ingestion.config import Settings
from ingestion.errors import RegularsError
from ingestion.functions.identifiers import match_identifier
from ingestion.vocabulary import DEVICE
from orchestration.activation.gate import refused_by
from orchestration.activation.shown_refusals import SHOWN
from orchestration.destinations import open_destination
from orchestration.destinations.feed_file import CUSTOMER, FeedFileError, FeedReader
from orchestration.destinations.onsite import OnsiteDestination, micros
from orchestration.home.layout import Home
from orchestration.ops.store import Store
from orchestration.segments.declared_content import PublishedContent
from orchestration.serve.feed.answers import BY_SIGNAL, NOBODY, Showing, answer
from orchestration.serve.routes import route

KIND = "onsite"
SCRIPT = Path(__file__).with_name("onsite.js")
SCRIPT_PATH = f"/feed/{SCRIPT.name}"
SCRIPT_SECONDS = 3600  # for which a browser keeps it
LONGEST = 256  # characters of an identifier
SHORTEST = 16  # of an anonymous id that a browser may ask by: a shorter one can be guessed
SHORTEST_SECRET = 32
LONGEST_QUERY = 2_000  # bytes
LOGIN = "login"
ASKED_BY = (DEVICE, LOGIN, CUSTOMER)
_BAD_ENCODING = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_log = logging.getLogger("regulars.webhooks")


class NotAnsweredError(Exception):
    """A question that is not answered: a status, one sentence and headers."""

    def __init__(self, status: int, sentence: str, **headers: str) -> None:
        """Keep them."""
        self.status = status
        self.sentence = sentence
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}
        super().__init__(sentence)


@dataclass
class Rate:
    """How many questions of one second are answered."""

    most: int
    clock: Callable[[], float] = time.monotonic
    _second: int = field(default=-1, init=False)
    _count: int = field(default=0, init=False)

    def is_over(self) -> bool:
        """Count one; whether it is one too many."""
        second = int(self.clock())
        if second != self._second:
            self._second, self._count = second, 0
        self._count += 1
        return self._count > self.most


@dataclass
class Feed:
    """One feed: its file, and what the settings and the segments' own files say of it."""

    destination: OnsiteDestination
    reader: FeedReader
    rate: Rate
    declared: PublishedContent
    trouble: str = ""  # why the last question could not be answered

    @property
    def showing(self) -> Showing:
        """What to show, the settings before the segments' files, and how old a segment may be."""
        options = self.destination.options
        return Showing((*options.content, *self.declared.read()), options.max_age_hours)

    @property
    def secret(self) -> str:
        """The secret of the shop's own server; empty where it is none."""
        secret = os.environ.get(self.destination.options.secret_env, "").strip()
        return secret if len(secret) >= SHORTEST_SECRET else ""


class Feeds:
    """All feeds of a home.

    Args:
        home: whose.
        settings: which destinations are feeds.
        store: the operational store, open; only read.
        clock: the moment, naive UTC.
        seconds: seconds that only go forward.
    """

    def __init__(
        self,
        home: Home,
        settings: Settings,
        store: Store,
        clock: Callable[[], datetime],
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        """Open nothing yet.

        Raises:
            UsageError: the options of a feed are wrong.
        """
        self._store = store
        self._clock = clock
        self._country = settings.shop.default_country
        self._feeds = _feeds(home, settings, seconds)

    def routes(self) -> list[Route]:
        """The addresses, for the application."""
        paths = ("/feed", "/feed/{feed:path}")
        return [route(SCRIPT_PATH, _script), *(route(path, self._feed) for path in paths)]

    def states(self) -> list[tuple[str, str]]:
        """Each feed by name, and who may ask it; never a secret."""
        return [(name, _state(feed)) for name, feed in self._feeds.items()]

    def close(self) -> None:
        """Give the files back."""
        for feed in self._feeds.values():
            feed.reader.close()

    async def _feed(self, request: Request) -> Response:
        feed = self._feeds.get(request.path_params.get("feed", ""))
        origin = _only(request, "origin")
        response: Response
        try:
            if feed is None:
                raise NotAnsweredError(404, "There is no such feed here.")
            if feed.rate.is_over():
                raise NotAnsweredError(429, "Too many ask; ask again later.", Retry_After="1")
            response = self._answered(feed, request, origin)
        except NotAnsweredError as error:
            response = JSONResponse({"error": error.sentence}, error.status, error.headers)
        return _shared(response, feed, origin)

    def _answered(self, feed: Feed, request: Request, origin: str | None) -> Response:
        if origin is not None and origin not in feed.destination.options.origins:
            raise NotAnsweredError(403, "Pages of this site may not ask.")
        if request.method == "OPTIONS":
            return Response(
                status_code=204,
                headers={"Access-Control-Allow-Methods": "GET", "Access-Control-Max-Age": "600"},
            )
        if request.method != "GET":
            raise NotAnsweredError(405, "Ask by GET.", Allow="GET, OPTIONS")
        kind, value = _asked(request)
        is_ours = _has_secret(feed, request, origin)
        if kind != DEVICE and not is_ours:
            raise NotAnsweredError(401, "This takes the secret of the shop's own server.")
        if kind == DEVICE and len(value) < SHORTEST and not is_ours:
            value = ""  # nobody's
        signals = BY_SIGNAL if _only(request, "sec-gpc") == "1" else ()
        try:
            body = self.answer_for(feed, kind, value, signals)
        except (FeedFileError, RegularsError, SQLAlchemyError) as error:
            _note(feed, error.reason if isinstance(error, FeedFileError) else "no_permission_facts")
            return JSONResponse(NOBODY, 503, {"Retry-After": "5"})
        feed.trouble = ""
        return JSONResponse(body)

    def answer_for(
        self, feed: Feed, kind: str, value: str, signals: tuple[str, ...] = ()
    ) -> Mapping[str, object]:
        """What is told of a visitor, at this moment.

        Raises:
            FeedFileError: the file cannot be read.
            StoreError: what they refused cannot be read.
        """
        now_us = micros(self._clock())
        key = (kind, value if kind == CUSTOMER else match_identifier(kind, value, self._country))
        matched = key[1] or ""
        record = feed.reader.find(kind, matched)
        refused = set(signals)
        if kind != CUSTOMER and matched:
            with self._store.read() as connection:
                refused |= refused_by(connection, (kind, matched), SHOWN, now_us)
        return answer(record, refused, feed.showing, now_us)


async def _script(request: Request) -> Response:
    if request.method not in ("GET", "HEAD"):
        return JSONResponse({"error": "Ask by GET."}, 405, {"Allow": "GET, HEAD"})
    headers = {"Cache-Control": f"max-age={SCRIPT_SECONDS}"}
    return Response(SCRIPT.read_bytes(), 200, headers, "text/javascript")


def _note(feed: Feed, trouble: str) -> None:
    """Say once that a feed cannot be answered, not for each question."""
    if trouble != feed.trouble:
        _log.error("feed.%s: it cannot be answered (%s).", feed.destination.name, trouble)
    feed.trouble = trouble


def _feeds(home: Home, settings: Settings, seconds: Callable[[], float]) -> dict[str, Feed]:
    feeds = {}
    declared = PublishedContent(home)
    for name, chosen in sorted(settings.destinations.items()):
        if chosen.kind == KIND and chosen.enabled:
            opened = open_destination(name, chosen, home)
            assert isinstance(opened, OnsiteDestination)  # noqa: S101 - the kind says so
            rate = Rate(opened.options.requests_per_second, seconds)
            feeds[name] = Feed(opened, FeedReader(opened.path), rate, declared)
    return feeds


def _state(feed: Feed) -> str:
    options = feed.destination.options
    pages = (
        f"pages of {', '.join(options.origins)}" if options.origins else "no page of another site"
    )
    variable = options.secret_env
    own = (
        f"with {variable}"
        if feed.secret
        else (
            f"not by the shop's own server, because {variable} is not set, or shorter than"
            f" {SHORTEST_SECRET} characters"
        )
    )
    return f"asked by {pages}, {own}"


def _asked(request: Request) -> tuple[str, str]:
    """The one identifier of the question.

    Raises:
        NotAnsweredError: there is another number of them, or it is none.
    """
    query = request.scope.get("query_string", b"")
    if len(query) > LONGEST_QUERY or _BAD_ENCODING.search(query):
        raise NotAnsweredError(
            400, "The identifier is too long, or is not written as it should be."
        )
    try:
        pairs = parse_qsl(query.decode("ascii"), keep_blank_values=True, errors="strict")
    except ValueError:
        raise NotAnsweredError(400, "The identifier is not written in UTF-8.") from None
    if len(pairs) != 1 or pairs[0][0] not in ASKED_BY:
        raise NotAnsweredError(400, f"Ask by one of {', '.join(ASKED_BY)}.")
    if not 1 <= len(pairs[0][1]) <= LONGEST:
        raise NotAnsweredError(400, f"An identifier has 1 to {LONGEST} characters.")
    return pairs[0]


def _has_secret(feed: Feed, request: Request, origin: str | None) -> bool:
    """Whether the shop's own server asks.

    Raises:
        NotAnsweredError: the secret is wrong, there is none, or a browser shows one.
    """
    header = _only(request, "authorization")
    if header is None:
        return False
    if origin is not None:
        raise NotAnsweredError(403, "The secret is for the shop's own server, not for pages.")
    if not feed.secret:
        raise NotAnsweredError(503, "No secret is set up here.")
    scheme, _, shown = header.partition(" ")
    is_right = hmac.compare_digest(shown.strip().encode(), feed.secret.encode())
    if scheme.lower() != "bearer" or not is_right:
        raise NotAnsweredError(401, "The secret is wrong.")
    return True


def _shared(response: Response, feed: Feed | None, origin: str | None) -> Response:
    """The answer with what lets a page of another site read it, if it may."""
    response.headers["Vary"] = "Origin"
    if feed is not None and origin is not None and origin in feed.destination.options.origins:
        response.headers["Access-Control-Allow-Origin"] = origin
    return response


def _only(request: Request, name: str) -> str | None:
    """The header where it is there; of two, one that no page has."""
    values = request.headers.getlist(name)
    return values[0] if len(values) == 1 else None if not values else ""
