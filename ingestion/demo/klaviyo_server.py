"""The pretend shop's Klaviyo: the read side of its API, revision 2026-07-15.

Answers: GET /api/{profiles,events,campaigns,lists,metrics} with JSON:API cursor paging
(`page[cursor]`, `page[size]`, `links.next`), `filter`, `sort`, `include`, sparse `fields[…]` and
`additional-fields[profile]=subscriptions`. Needs `Authorization: Klaviyo-API-Key …` and `revision`.
Limits: burst and steady windows per endpoint, 429 with Retry-After.
Not implemented: writing, every other endpoint, `prev` links.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import time
from bisect import bisect_left, insort
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import duckdb
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ingestion.demo.faults import Faults, as_response, parse, too_many, truncated

REVISION = "2026-07-15"
MEDIA_TYPE = "application/vnd.api+json"
Key = tuple[int, str]


@dataclass(frozen=True)
class Endpoint:
    """What one collection allows."""

    name: str
    scope: str
    default_size: int
    max_size: int
    time_field: str
    operators: tuple[str, ...]
    sorts: tuple[str, ...]
    burst: int
    steady: int


_MORE = ("greater-than", "less-than")
_ALL = ("greater-or-equal", "greater-than", "less-or-equal", "less-than")
ENDPOINTS = {
    e.name: e
    for e in (
        Endpoint(
            "profiles", "profiles:read", 20, 100, "updated", _MORE, ("updated", "-updated"), 75, 750
        ),
        Endpoint(
            "events",
            "events:read",
            200,
            1000,
            "datetime",
            _ALL,
            ("datetime", "-datetime"),
            350,
            3500,
        ),
        Endpoint(
            "campaigns",
            "campaigns:read",
            100,
            100,
            "updated_at",
            _ALL,
            ("updated_at", "-updated_at"),
            10,
            150,
        ),
        Endpoint(
            "lists",
            "lists:read",
            10,
            10,
            "updated",
            ("greater-than",),
            ("updated", "-updated"),
            75,
            750,
        ),
        Endpoint("metrics", "metrics:read", 200, 200, "", (), (), 10, 150),
    )
}


@dataclass
class Row:
    """One resource as the JSON text that is sent, with what else may be asked for."""

    id: str
    at: int
    resource: str
    subscriptions: str = ""
    profile_id: str = ""
    metric_id: str = ""


@dataclass
class Klaviyo:
    """The content and the rules of one pretend account."""

    api_key: str
    scopes: frozenset[str] = frozenset(e.scope for e in ENDPOINTS.values())
    limits: bool = True
    faults: Faults = field(default_factory=Faults)
    rows: dict[str, dict[str, Row]] = field(
        default_factory=lambda: {name: {} for name in ENDPOINTS}
    )
    order: dict[str, list[Key]] = field(default_factory=lambda: {name: [] for name in ENDPOINTS})
    requests: list[str] = field(default_factory=list)
    _seen: dict[str, deque[float]] = field(default_factory=dict)

    @classmethod
    def load(cls, folder: Path, api_key: str) -> Klaviyo:
        """Read what write_klaviyo wrote."""
        shop = cls(api_key)
        for name in ENDPOINTS:
            query = f"select * from '{folder}/{name}/*.parquet'"
            with duckdb.connect() as con:
                result = con.execute(query)
                columns = [column[0] for column in result.description]
                found = [dict(zip(columns, row, strict=True)) for row in result.fetchall()]
            for item in found:
                shop.rows[name][item["id"]] = Row(
                    id=item["id"],
                    at=int(item.get("updated") or item.get("happened") or 0),
                    resource=item["resource"],
                    subscriptions=item.get("subscriptions") or "",
                    profile_id=item.get("profile_id") or "",
                    metric_id=_METRIC_ID.findall(item["resource"])[0] if name == "events" else "",
                )
            shop.order[name] = sorted((row.at, row.id) for row in shop.rows[name].values())
        return shop

    def upsert(self, name: str, row: Row) -> None:
        """Add or change a resource while the server runs, as the real service would."""
        self.remove(name, row.id)
        self.rows[name][row.id] = row
        insort(self.order[name], (row.at, row.id))

    def remove(self, name: str, key: str) -> None:
        """Delete a resource."""
        old = self.rows[name].pop(key, None)
        if old:
            self.order[name].remove((old.at, old.id))

    def app(self) -> Starlette:
        """The ASGI application."""
        return Starlette(
            routes=[
                Route("/api/{name}", self._collection, methods=["GET"]),
                Route("/api/{name}/", self._collection, methods=["GET"]),
                Route("/_faults", self._control, methods=["POST", "DELETE"]),
            ]
        )

    async def _control(self, request: Request) -> Response:
        if request.method == "DELETE":
            self.faults.clear()
        else:
            self.faults.plan(*parse(await request.json()))
        return JSONResponse({"happened": self.faults.happened})

    async def _collection(self, request: Request) -> Response:
        endpoint = ENDPOINTS.get(request.path_params["name"])
        self.requests.append(f"{request.url.path}?{request.url.query}")
        fault = self.faults.next_for(f"{request.url.path}?{request.url.query}")
        if fault and (response := await as_response(fault)):
            return response
        if endpoint is None:
            return _error(404, "not_found", "There is no such resource.")
        if refusal := self._refusal(endpoint, request):
            return refusal
        try:
            page, following = self._page(endpoint, request)
            body = self._body(endpoint, request, page, following)
        except _BadRequestError as error:
            return _error(400, "invalid", str(error))
        if fault:
            return _spoil(fault.kind, body, str(request.url))
        return Response(json.dumps(body) if isinstance(body, dict) else body, media_type=MEDIA_TYPE)

    def _refusal(self, endpoint: Endpoint, request: Request) -> Response | None:
        """Why this request gets no page, if there is a reason."""
        if request.headers.get("authorization") != f"Klaviyo-API-Key {self.api_key}":
            return _error(401, "not_authenticated", "Incorrect authentication credentials.")
        if not request.headers.get("revision"):
            return _error(400, "missing_revision", "The revision header is required.")
        if endpoint.scope not in self.scopes:
            return _error(403, "permission_denied", f"The key lacks the scope {endpoint.scope}.")
        wait = self._over_limit(endpoint) if self.limits else 0
        return too_many(str(wait)) if wait else None

    def _over_limit(self, endpoint: Endpoint) -> int:
        """Whole seconds to wait, or 0: a burst window of a second, a steady one of a minute."""
        now = time.monotonic()
        seen = self._seen.setdefault(endpoint.name, deque())
        while seen and now - seen[0] > 60:
            seen.popleft()
        if len(seen) >= endpoint.steady:
            return int(60 - (now - seen[0])) + 1
        if len(seen) >= endpoint.burst and now - seen[-endpoint.burst] < 1:
            return 1
        seen.append(now)
        return 0

    def _page(self, endpoint: Endpoint, request: Request) -> tuple[list[Row], Key | None]:
        """The rows of this page and the key after which the next one begins."""
        size = _size(endpoint, request)
        low, high = _bounds(endpoint, request.query_params.get("filter", ""))
        sort = request.query_params.get("sort", endpoint.sorts[0] if endpoint.sorts else "")
        if endpoint.sorts and sort not in endpoint.sorts:
            raise _BadRequestError(f"Cannot sort by {sort}.")
        keys = self.order[endpoint.name]
        start, end = bisect_left(keys, (low, "")), bisect_left(keys, (high, ""))
        cursor = request.query_params.get("page[cursor]")
        after = _decode(cursor) if cursor else None
        if sort.startswith("-"):
            if after:
                end = bisect_left(keys, after)
            chosen = keys[max(start, end - size) : end][::-1]
            more = end - size > start
        else:
            if after:
                start = max(start, bisect_left(keys, (after[0], after[1] + "\0")))
            chosen = keys[start : min(end, start + size)]
            more = start + size < end
        rows = self.rows[endpoint.name]
        return [rows[key] for _, key in chosen], chosen[-1] if more and chosen else None

    def _body(
        self, endpoint: Endpoint, request: Request, page: list[Row], following: Key | None
    ) -> str:
        query = request.query_params
        with_subscriptions = "subscriptions" in query.get("additional-fields[profile]", "")
        data = [_with_subscriptions(row) if with_subscriptions else row.resource for row in page]
        fields = query.get(f"fields[{endpoint.name.rstrip('s')}]")
        if fields:
            data = [_sparse(text, fields) for text in data]
        links = {"self": str(request.url)}
        if following:
            parameters = [(k, v) for k, v in query.multi_items() if k != "page[cursor]"]
            parameters.append(("page[cursor]", _encode(following)))
            links["next"] = f"{str(request.url).partition('?')[0]}?{urlencode(parameters)}"
        included = (
            self._included(query.get("include", ""), query, page)
            if endpoint.name == "events"
            else []
        )
        tail = f',"included":[{",".join(included)}]' if included else ""
        return f'{{"data":[{",".join(data)}],"links":{json.dumps(links)}{tail}}}'

    def _included(self, include: str, query: Any, page: list[Row]) -> list[str]:
        wanted = include.split(",") if include else []
        found: list[str] = []
        for kind, name, ids in (
            ("metric", "metrics", {row.metric_id for row in page}),
            ("profile", "profiles", {row.profile_id for row in page}),
        ):
            if kind in wanted:
                fields = query.get(f"fields[{kind}]")
                texts = [
                    self.rows[name][key].resource for key in sorted(ids) if key in self.rows[name]
                ]
                found += [_sparse(text, fields) for text in texts] if fields else texts
        return found


class _BadRequestError(Exception):
    """A parameter that the real service would refuse too."""


_METRIC_ID = re.compile(r'"type":"metric","id":"([^"]+)"')
_CLAUSE = re.compile(r"([a-z-]+)\(([a-z_.]+),\s*(?:'([^']*)'|\"([^\"]*)\"|([^)]*))\)")


def _bounds(endpoint: Endpoint, text: str) -> tuple[int, int]:
    """The half-open range of seconds that the filter leaves."""
    low, high = 0, 1 << 62
    clauses = list(_CLAUSE.finditer(text))
    if text and "".join(c.group(0) for c in clauses) != text.replace("),", ")"):
        raise _BadRequestError("The filter cannot be read.")
    channel = None
    for clause in clauses:
        operator, name = clause.group(1), clause.group(2)
        value = next(g for g in clause.groups()[2:] if g is not None)
        if (operator, name) == ("equals", "messages.channel") and endpoint.name == "campaigns":
            channel = value
        elif name == endpoint.time_field and operator in endpoint.operators:
            low, high = _narrowed(operator, _seconds(value), low, high)
        else:
            raise _BadRequestError(f"Cannot filter {endpoint.name} by {operator}({name}).")
    if endpoint.name == "campaigns" and channel is None:
        raise _BadRequestError("A channel filter is required to list campaigns.")
    return (low, high) if channel in (None, "email") else (0, 0)


def _narrowed(operator: str, moment: float, low: int, high: int) -> tuple[int, int]:
    whole = int(moment)
    if operator == "greater-than":
        return max(low, whole + 1), high
    if operator == "greater-or-equal":
        return max(low, whole + (moment > whole)), high
    return low, min(high, whole + (operator == "less-or-equal" or moment > whole))


def _seconds(text: str) -> float:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise _BadRequestError("The filter needs an ISO 8601 time.") from error
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _size(endpoint: Endpoint, request: Request) -> int:
    text = request.query_params.get("page[size]", str(endpoint.default_size))
    if not text.isdigit() or not 1 <= int(text) <= endpoint.max_size:
        raise _BadRequestError(f"page[size] must be 1 to {endpoint.max_size}.")
    return int(text)


def _encode(key: Key) -> str:
    return base64.urlsafe_b64encode(f"{key[0]}|{key[1]}".encode()).decode()


def _decode(cursor: str) -> Key:
    try:
        at, _, key = base64.urlsafe_b64decode(cursor.encode()).decode().partition("|")
        return int(at), key
    except (ValueError, binascii.Error) as error:
        raise _BadRequestError("The cursor is invalid.") from error


def _with_subscriptions(row: Row) -> str:
    """The profile with its `subscriptions` spliced into the attributes."""
    return row.resource.replace(
        '"attributes":{', f'"attributes":{{"subscriptions":{row.subscriptions},', 1
    )


@lru_cache(maxsize=200_000)
def _sparse(text: str, fields: str) -> str:
    resource = json.loads(text)
    wanted = set(fields.split(","))
    resource["attributes"] = {k: v for k, v in resource["attributes"].items() if k in wanted}
    return json.dumps(resource, separators=(",", ":"))


def _error(status: int, code: str, detail: str) -> Response:
    error = {"id": "demo", "status": status, "code": code, "title": code, "detail": detail}
    body = {"errors": [error | {"source": {"pointer": "/data/"}, "links": {}, "meta": {}}]}
    return Response(json.dumps(body), status, media_type=MEDIA_TYPE)


def _spoil(kind: str, body: str, url: str) -> Response:
    """A page with a fault in it."""
    if kind == "truncated":
        return truncated(body.encode())
    content = json.loads(body)
    if kind == "error_in_200":
        content = {
            "errors": [
                {"id": "demo", "status": 500, "code": "error", "title": "error", "detail": "Half."}
            ]
        }
    elif kind == "empty_page":
        content["data"], content["links"] = [], {"self": url}
    elif kind == "short_page":
        content["data"] = content["data"][: len(content["data"]) // 2]
    elif kind == "missing_next":
        content["links"].pop("next", None)
    elif kind == "repeated_cursor":
        content["links"]["next"] = url
    return Response(json.dumps(content), media_type=MEDIA_TYPE)
