"""Meta's Graph API for custom audiences of customer files: one ad account, audiences, sessions.

Rules: `RULES`, shown in docs/fakes.md. Adds and removals are done later, of two sessions the later
one perhaps first. An entry of an audience is what one row said; a row and an entry that have an
identifier in common are of one person.
Not here: matching with Meta's own people, usersreplace, lookalikes, ads, sharing, other audiences.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from orchestration.fakes.faults import Fault
from orchestration.fakes.rules import RefusedError, Rule, Rules
from orchestration.fakes.server import Clock
from orchestration.fakes.shop import ShopProfile
from orchestration.fakes.vendor import Vendor, routes_of

TOKEN = "EAAfake"  # noqa: S105 - of a fake
ACCOUNT = "1001"
VERSIONS = ("", "/v26.0")
_ADS = "https://developers.facebook.com/documentation/ads-commerce/marketing-api/"
_GUIDE = _ADS + "audiences/guides/custom-audiences"
_USERS = _ADS + "reference/custom-audience/users"
_SESSION = "https://developers.facebook.com/docs/marketing-api/reference/custom-audience-session"
_GRAPH = "https://developers.facebook.com/docs/graph-api/"
_EDIT = "POST, DELETE /{audience_id}/users"
RULES = Rules((
    Rule("token", "every call", "header Authorization", "Bearer and the token", "400 190",
         _GRAPH + "guides/error-handling"),
    Rule("known", "every call", "ids in the address", "what there is", "400 100/33",
         _GRAPH + "guides/error-handling"),
    Rule("shape", "every call", "the body and the query", "the call's parameters", "400 100",
         _GRAPH + "guides/error-handling"),
    Rule("page", "GET /{audience_id}/sessions, GET /act_{id}/customaudiences", "limit", 100,
         "400 100", _GRAPH + "results", "25 a page unless asked"),
    Rule("create", "POST /act_{id}/customaudiences", "name, subtype, customer_file_source",
         "all of them, subtype CUSTOM", "400 100", _GUIDE),
    Rule("session", _EDIT, "session", "session_id, batch_seq from 1, last_batch_flag", "400 100",
         _GUIDE),
    Rule("session_once", _EDIT, "session", "a batch once, none after the last", "400 100", _GUIDE),
    Rule("session_open", _EDIT, "last_batch_flag", "true with the last batch",
         "200; the session waits", _GUIDE),
    Rule("rows", _EDIT, "payload.data", 10_000, "400 100", _USERS),
    Rule("schema", _EDIT, "payload.schema", "keys that there are, a value for each in every row",
         "400 100", _USERS),
    Rule("hashed", _EDIT, "all keys but EXTERN_ID and MADID", "SHA-256 in lower-case hex",
         "200; counted in num_invalid_entries", _GUIDE),
    Rule("blank", _EDIT, "a key that is not known", 'left blank: ""', "200; not compared", _USERS),
    Rule("nothing", _EDIT, "a row", "something in it: neither all blank nor the hash of nothing",
         "200; counted in num_invalid_entries", _GUIDE),
    Rule("limited", "POST /{audience_id}/users", "DATA_PROCESSING_OPTIONS", '[] or ["LDU"]',
         "400 100", _GUIDE),
    Rule("later", _EDIT, "stage", "usually up to 24 hours", "200; applied later", _USERS),
    Rule("counts", "GET /{audience_id}/sessions",
         "num_received, num_invalid_entries, num_matched, stage", "of the session",
         "200; never who", _SESSION),
    Rule("flagged", _EDIT, "operation_status of the audience", "not 471", "400 100/1713230",
         _USERS),
    Rule("flagged_can_go", "DELETE /{audience_id}", "the audience", "flagged or not", "200; gone",
         _ADS + "reference/custom-audience"),
    Rule("small", "GET /{audience_id}", "people of an audience", 100,
         "200; delivery_status 300 below, and -1 people",
         _ADS + "audiences/guides/lookalike-audiences"),
))  # fmt: skip
KEYS = (
    "EXTERN_ID", "EMAIL", "PHONE", "GEN", "DOBY", "DOBM", "DOBD", "LN", "FN", "FI", "CT", "ST",
    "ZIP", "MADID", "COUNTRY",
)  # fmt: skip
PLAIN = ("EXTERN_ID", "MADID")
LIMITED = "DATA_PROCESSING_OPTIONS"
NOTHING = hashlib.sha256(b"").hexdigest()
_HASH = re.compile(r"[0-9a-f]{64}")
_THROTTLED_HEADER = "x-business-use-case-usage"

Body = Mapping[str, Any]
Act = Callable[[Request, Body], Body]
Entry = dict[str, str]


@dataclass
class Session:
    """Batches that were handed over together, and when they are done."""

    id: int
    verb: str
    begun: datetime
    rows: list[list[Any]] = field(default_factory=list)
    schema: list[str] = field(default_factory=list)
    batches: set[int] = field(default_factory=set)
    invalid: int = 0
    due: datetime | None = None
    ended: datetime | None = None


@dataclass
class Audience:
    """One custom audience. `entries` has for each person the identifiers and whether limited."""

    id: str
    name: str
    entries: list[Entry] = field(default_factory=list)
    sessions: dict[int, Session] = field(default_factory=dict)
    is_flagged: bool = False


class Meta(Vendor):
    """One ad account."""

    name = "meta"
    rules = RULES
    credentials: Mapping[str, str] = {"META_ACCESS_TOKEN": TOKEN}

    def begin_anew(self, seed: int) -> None:
        """Another account without audiences."""
        super().begin_anew(seed)
        self.audiences: dict[str, Audience] = {}
        self.is_idle = False
        self.matched = 1.0  # the share of entries that are people of Meta's
        self.job_seconds = 0.2
        self._made = 0

    def put(self, name: str) -> Audience:
        """An audience that somebody made by hand."""
        self._made += 1
        audience = Audience(f"{2300 + self._made}", name)
        self.audiences[audience.id] = audience
        return audience

    def of(self, name: str) -> list[Entry]:
        """The entries of an audience, as far as its sessions are done."""
        self.settle()
        entries = [each for a in self.audiences.values() if a.name == name for each in a.entries]
        return sorted(entries, key=lambda entry: sorted(entry.items()))

    def settle(self) -> None:
        """Do what is due by now, in the order in which it falls due."""
        now = self._clock()
        due = sorted(
            (session.due, audience.id, session.id)
            for audience in self.audiences.values()
            for session in audience.sessions.values()
            if session.due is not None and session.ended is None and session.due <= now
        )
        for moment, audience_id, session_id in due:
            audience = self.audiences[audience_id]
            session = audience.sessions[session_id]
            session.ended = moment
            if not self.is_idle:
                _apply(audience, session)

    def state(self) -> Mapping[str, Any]:
        """What the account holds, as counts."""
        with self._lock:
            self.settle()
            return {
                "audiences": {a.name: _counts(a) for a in self.audiences.values()},
                **self.counts,
            }

    def routes(self) -> list[Route]:
        """One for each call, with and without the version in front."""
        acts: list[tuple[str, str, Act]] = [
            ("GET", "/act_{account}/customaudiences", self._list),
            ("POST", "/act_{account}/customaudiences", self._create),
            ("POST", "/{audience}/users", self._edit),
            ("DELETE", "/{audience}/users", self._edit),
            ("GET", "/{audience}/sessions", self._sessions),
            ("GET", "/{audience}", self._read),
            ("DELETE", "/{audience}", self._delete),
        ]
        return routes_of(acts, self._endpoint, VERSIONS)

    def begin_with(self, profiles: Iterable[ShopProfile]) -> None:
        """Nothing: an ad account knows nobody of the shop before they are sent."""

    def trouble(self, fault: Fault) -> Response:
        """The answer of a bad day; a throttle is a 400 that says the minutes in a header."""
        if fault.kind == "429":
            minutes = -(-fault.wait // 60)
            usage = [{"type": "custom_audience", "estimated_time_to_regain_access": minutes}]
            return _problem(400, 80003, headers={_THROTTLED_HEADER: json.dumps({ACCOUNT: usage})})
        if fault.kind == "503":
            return _problem(503, 2, headers={"Retry-After": str(fault.wait)})
        codes = {"401": (401, 190, 0), "403": (403, 200, 0), "404": (400, 100, 33)}
        status, code, subcode = codes[fault.kind]
        return _problem(status, code, subcode)

    def _endpoint(self, call: str, act: Act) -> Callable[[Request], Any]:
        async def answer(request: Request) -> Response:
            raw = await request.body()
            with self._lock:
                self.calls[call] += 1
                self.settle()
                try:
                    if request.headers.get("authorization") != f"Bearer {TOKEN}":
                        raise RULES.refuse("token")
                    body = act(request, dict(parse_qsl(raw.decode(), keep_blank_values=True)))
                except RefusedError as error:
                    return self._refused(error)
                except (KeyError, TypeError, ValueError):
                    return self._refused(RULES.refuse("shape"))
                return Response(json.dumps(body), 200, media_type="application/json")

        return answer

    def _refused(self, error: RefusedError) -> Response:
        self.refused[error.rule.name] += 1
        code, _, subcode = error.code.partition("/")
        return _problem(error.status, int(code), int(subcode or 0))

    def _list(self, request: Request, _: Body) -> Body:
        _of_the_account(request)
        rows = [{"id": each.id, "name": each.name} for each in self.audiences.values()]
        return _page(request, rows)

    def _create(self, request: Request, body: Body) -> Body:
        _of_the_account(request)
        is_whole = body.get("name") and body.get("customer_file_source")
        if not is_whole or body.get("subtype") != "CUSTOM":
            raise RULES.refuse("create")
        return {"id": self.put(body["name"]).id}

    def _read(self, request: Request, _: Body) -> Body:
        audience = self._known(request)
        is_small = len(audience.entries) < RULES.number("small")
        return {
            "id": audience.id,
            "name": audience.name,
            "operation_status": {"code": 471 if audience.is_flagged else 200},
            "delivery_status": {"code": 300 if is_small else 200},
            **_bounds(-1 if is_small else round(len(audience.entries) * self.matched)),
        }

    def _delete(self, request: Request, _: Body) -> Body:
        del self.audiences[self._known(request).id]
        return {"success": True}

    def _sessions(self, request: Request, _: Body) -> Body:
        sessions = self._known(request).sessions.values()
        rows = [_shown(each, self.matched) for each in sessions]
        return _page(request, rows)

    def _edit(self, request: Request, body: Body) -> Body:
        audience = self._known(request)
        if audience.is_flagged:
            raise RULES.refuse("flagged")
        payload = json.loads(body["payload"])
        schema, data = _judged(payload["schema"], payload["data"], request.method)
        session = self._batch(audience, request.method, json.loads(body.get("session") or "{}"))
        session.schema = schema
        right = [row for row in data if _is_valid(schema, row)]
        session.rows += right
        session.invalid += len(data) - len(right)
        return {
            "audience_id": audience.id,
            "session_id": str(session.id),
            "num_received": len(data),
            "num_invalid_entries": len(data) - len(right),
            "invalid_entry_samples": {},
        }

    def _batch(self, audience: Audience, verb: str, position: Body) -> Session:
        number, batch, is_last = (
            position.get(name) for name in ("session_id", "batch_seq", "last_batch_flag")
        )
        if not (isinstance(number, int) and isinstance(batch, int) and isinstance(is_last, bool)):
            raise RULES.refuse("session")
        if not 0 < number < 2**63 or batch < 1:
            raise RULES.refuse("session")
        session = audience.sessions.setdefault(number, Session(number, verb, self._clock()))
        if session.due is not None or batch in session.batches or session.verb != verb:
            raise RULES.refuse("session_once")
        session.batches.add(batch)
        if is_last:
            share = self._dice.uniform(1, 2)
            session.due = self._clock() + timedelta(seconds=self.job_seconds * share)
        return session

    def _known(self, request: Request) -> Audience:
        audience = self.audiences.get(request.path_params["audience"])
        if audience is None:
            raise RULES.refuse("known")
        return audience


def create(seed: int, clock: Clock) -> Meta:
    """An account without audiences."""
    return Meta(seed, clock)


def _of_the_account(request: Request) -> None:
    if request.path_params["account"] != ACCOUNT:
        raise RULES.refuse("known")


def _judged(schema: Any, data: Any, verb: str) -> tuple[list[str], list[list[Any]]]:
    """A payload whose rows fit its schema."""
    if len(data) > RULES.number("rows"):
        raise RULES.refuse("rows")
    keys = [schema] if isinstance(schema, str) else list(schema)
    rows = [row if isinstance(row, list) else [row] for row in data]
    if not set(keys) <= {*KEYS, LIMITED} or any(len(row) != len(keys) for row in rows):
        raise RULES.refuse("schema")
    if LIMITED in keys:
        position = keys.index(LIMITED)
        if verb != "POST" or any(row[position] not in ([], ["LDU"]) for row in rows):
            raise RULES.refuse("limited")
    return keys, rows


def _is_valid(schema: Sequence[str], row: Sequence[Any]) -> bool:
    entry = {key: value for key, value in zip(schema, row, strict=True) if key != LIMITED and value}
    hashes = [value for key, value in entry.items() if key not in PLAIN]
    return bool(entry) and all(_HASH.fullmatch(str(v)) and v != NOTHING for v in hashes)


def _apply(audience: Audience, session: Session) -> None:
    for row in session.rows:
        values = dict(zip(session.schema, row, strict=True))
        limited = "LDU" if values.pop(LIMITED, None) else ""
        entry = {key: value for key, value in values.items() if value}
        same = [each for each in audience.entries if entry.items() & each.items()]
        audience.entries = [each for each in audience.entries if each not in same]
        if session.verb == "POST":
            merged: Entry = {}
            for each in same:
                merged |= each
            audience.entries.append(merged | entry | {LIMITED: limited})


def _counts(audience: Audience) -> Mapping[str, Any]:
    limited = sum(bool(entry.get(LIMITED)) for entry in audience.entries)
    open_ = sum(session.ended is None for session in audience.sessions.values())
    return {
        "people": len(audience.entries),
        "limited": limited,
        "open_sessions": open_,
        "invalid_entries": sum(each.invalid for each in audience.sessions.values()),
        "flagged": audience.is_flagged,
    }


def _bounds(people: int) -> Mapping[str, int]:
    """Roughly how many people there are: in hundreds."""
    lower = people - people % 100 if people > 0 else people
    upper = lower + 100 if people > 0 else people
    return {"approximate_count_lower_bound": lower, "approximate_count_upper_bound": upper}


def _shown(session: Session, matched: float) -> Mapping[str, str]:
    received = len(session.rows) + session.invalid
    stage = "completed" if session.ended else "processing" if session.due else "uploading"
    return {
        "session_id": str(session.id),
        "stage": stage,
        "num_received": str(received),
        "num_invalid_entries": str(session.invalid),
        "num_matched": str(round(len(session.rows) * matched) if session.ended else 0),
        "start_time": str(int(session.begun.timestamp())),
        "end_time": str(int(session.ended.timestamp()) if session.ended else 0),
    }


def _page(request: Request, rows: Sequence[Any]) -> Body:
    limit, after = int(request.query_params.get("limit", "25")), request.query_params.get("after")
    if not 1 <= limit <= RULES.number("page"):
        raise RULES.refuse("page")
    start = int(after or 0)
    end = start + limit
    paging: dict[str, Any] = {"cursors": {"before": str(start), "after": str(end)}}
    if end < len(rows):
        paging["next"] = "https://graph.facebook.com/next?access_token=hidden"
    return {"data": list(rows[start:end]), "paging": paging}


def _problem(
    status: int, code: int, subcode: int = 0, headers: Mapping[str, str] | None = None
) -> Response:
    kind = "OAuthException" if code in (190, 200) else "GraphMethodException"
    error: dict[str, Any] = {"message": "Invalid parameter", "type": kind, "code": code}
    if subcode:
        error["error_subcode"] = subcode
    content = json.dumps({"error": {**error, "fbtrace_id": "fake"}})
    return Response(content, status, headers, media_type="application/json")
