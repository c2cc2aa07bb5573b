"""The pretend shop's Klaviyo: the read side of its API, revision 2026-07-15.

Answers: GET /api/{profiles,events,campaigns,lists,flows,metrics} and /api/lists/{id}/profiles with
JSON:API cursor paging
(`page[cursor]`, `page[size]`, `links.next`), `filter`, `sort`, `include`, sparse `fields[…]` and
`additional-fields[profile]=subscriptions`. Needs `Authorization: Klaviyo-API-Key …` and `revision`.
Limits: burst and steady windows per endpoint, 429 with Retry-After.
Not implemented: writing, every other endpoint, `prev` links.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_left, insort
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ingestion.demo.faults import Fault, Faults, as_response, parse, too_many, truncated
from ingestion.demo.klaviyo_filters import (
    ENDPOINTS,
    BadRequestError,
    Endpoint,
    Key,
    bounds,
    decode,
    encode,
)
from ingestion.demo.throttle import Throttle
from ingestion.duckdb import connect

REVISION = "2026-07-15"
MEDIA_TYPE = "application/vnd.api+json"


@dataclass
class Row:
    """One resource as the JSON text that is sent, with what else may be asked for."""

    id: str
    at: int
    resource: str
    subscriptions: str = ""
    profile_id: str = ""
    metric_id: str = ""
    channel: str = "email"
    list_id: str = ""


@dataclass
class Klaviyo:
    """The content and the rules of one pretend account."""

    api_key: str
    scopes: frozenset[str] = frozenset(e.scope for e in ENDPOINTS.values())
    limits: bool = True
    faults: Faults[Fault] = field(default_factory=Faults)
    rows: dict[str, dict[str, Row]] = field(
        default_factory=lambda: {name: {} for name in ENDPOINTS}
    )
    order: dict[str, list[Key]] = field(default_factory=lambda: {name: [] for name in ENDPOINTS})
    requests: list[str] = field(default_factory=list)
    _throttles: dict[str, Throttle] = field(
        default_factory=lambda: {e.name: Throttle(e.burst, e.steady) for e in ENDPOINTS.values()}
    )

    @classmethod
    def load(cls, folder: Path, api_key: str) -> Klaviyo:
        """Read what write_klaviyo wrote."""
        shop = cls(api_key)
        for name in ENDPOINTS:
            if not (folder / name).is_dir():
                continue  # written before the shop had it
            query = f"select * from '{folder}/{name}/*.parquet'"
            with connect() as con:
                result = con.execute(query)
                columns = [column[0] for column in result.description]
                rows = [dict(zip(columns, row, strict=True)) for row in result.fetchall()]
            for item in rows:
                shop.rows[name][item["id"]] = Row(
                    id=item["id"],
                    at=int(item.get("updated") or item.get("happened") or item.get("joined") or 0),
                    resource=item["resource"],
                    subscriptions=item.get("subscriptions") or "",
                    profile_id=item.get("profile_id") or "",
                    list_id=item.get("list_id") or "",
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
                Route("/api/lists/{list_id}/profiles", self._collection, methods=["GET"]),
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
        endpoint = ENDPOINTS.get(request.path_params.get("name", "list_members"))
        self.requests.append(f"{request.url.path}?{request.url.query}")
        fault = self.faults.next_for(f"{request.url.path}?{request.url.query}")
        if fault and (response := await as_response(fault)):
            return response
        list_id = request.path_params.get("list_id", "")
        if endpoint is None or (list_id and list_id not in self.rows["lists"]):
            return _error(404, "not_found", "There is no such resource.")
        if refusal := self._refusal(endpoint, request):
            return refusal
        try:
            page, following = self._page(endpoint, request)
            body = self._body(endpoint, request, page, following)
        except BadRequestError as error:
            return _error(400, "invalid", str(error))
        if fault:
            return _spoil(fault.kind, body, str(request.url))
        headers = self._throttles[endpoint.name].headers if self.limits else {}
        return Response(body, media_type=MEDIA_TYPE, headers=headers)

    def _refusal(self, endpoint: Endpoint, request: Request) -> Response | None:
        """Why this request gets no page, if there is a reason."""
        if request.headers.get("authorization") != f"Klaviyo-API-Key {self.api_key}":
            return _error(401, "not_authenticated", "Incorrect authentication credentials.")
        if not request.headers.get("revision"):
            return _error(400, "missing_revision", "The revision header is required.")
        if endpoint.scope not in self.scopes:
            return _error(403, "permission_denied", f"The key lacks the scope {endpoint.scope}.")
        wait = self._throttles[endpoint.name].wait() if self.limits else 0
        return too_many(str(wait)) if wait else None

    def _page(self, endpoint: Endpoint, request: Request) -> tuple[list[Row], Key | None]:
        """The rows of this page and the key after which the next one begins."""
        size = _size(endpoint, request)
        low, high, channel = bounds(endpoint, request.query_params.get("filter", ""))
        sort = request.query_params.get("sort", endpoint.sorts[0] if endpoint.sorts else "")
        if endpoint.sorts and sort not in endpoint.sorts:
            raise BadRequestError(f"Cannot sort by {sort}.")
        keys = self.order[endpoint.name]
        if list_id := request.path_params.get("list_id"):
            keys = [key for key in keys if self.rows[endpoint.name][key[1]].list_id == list_id]
        if channel:
            keys = [key for key in keys if self.rows[endpoint.name][key[1]].channel == channel]
        start, end = bisect_left(keys, (low, "")), bisect_left(keys, (high, ""))
        cursor = request.query_params.get("page[cursor]")
        after = decode(cursor) if cursor else None
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
            parameters.append(("page[cursor]", encode(following)))
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
        resources: list[str] = []
        for kind, name, ids in (
            ("metric", "metrics", {row.metric_id for row in page}),
            ("profile", "profiles", {row.profile_id for row in page}),
        ):
            if kind in wanted:
                fields = query.get(f"fields[{kind}]")
                texts = [
                    self.rows[name][key].resource for key in sorted(ids) if key in self.rows[name]
                ]
                resources += [_sparse(text, fields) for text in texts] if fields else texts
        return resources


_METRIC_ID = re.compile(r'"type":"metric","id":"([^"]+)"')


def _size(endpoint: Endpoint, request: Request) -> int:
    text = request.query_params.get("page[size]", str(endpoint.default_size))
    if not text.isdigit() or not 1 <= int(text) <= endpoint.max_size:
        raise BadRequestError(f"page[size] must be 1 to {endpoint.max_size}.")
    return int(text)


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
