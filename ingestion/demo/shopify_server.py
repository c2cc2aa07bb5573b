"""The pretend shop's Shopify: the GraphQL Admin API, as far as our source asks it.

Answers: POST /admin/oauth/access_token (client credentials; the token expires), POST
/admin/api/<version>/graphql.json (`shopify_schema`, run by graphql-core, so a wrong query fails)
and GET /bulk/<id>.jsonl (what `bulkOperationRunQuery` found; without a token, as the real one).
Limits: a leaky bucket of query cost; too much at once is THROTTLED, a query above 1,000 points is
MAX_COST_EXCEEDED. The costs are our own model: a point per object, sizes of connections multiplied.
Not implemented: writing, and everything that the schema leaves out.
"""

from __future__ import annotations

import json
import secrets
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    build_schema,
    execute_sync,
    parse,
    validate,
)
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from ingestion.demo import faults as faulty
from ingestion.demo.faults import Fault, Faults, as_response
from ingestion.demo.shopify_bulk import BulkError, run_bulk
from ingestion.demo.shopify_cost import cost_of
from ingestion.demo.shopify_nodes import Store, resolvers
from ingestion.demo.shopify_schema import SDL

SCOPES = ("read_orders", "read_all_orders", "read_customers", "read_products", "read_discounts")
MAX_QUERY_COST = 1000
UNFINISHED = ("CREATED", "RUNNING")


@dataclass
class Shopify:
    """The content and the rules of one pretend shop."""

    client_id: str
    client_secret: str
    scopes: tuple[str, ...] = SCOPES
    token_seconds: float = 86_399
    bucket_size: float = 200_000
    restore_rate: float = 20_000
    bulk_polls: int = 1
    faults: Faults[Fault] = field(default_factory=Faults)
    store: Store = field(default_factory=Store)
    requests: list[str] = field(default_factory=list)
    tokens: dict[str, float] = field(default_factory=dict)
    bulk_results: dict[str, str] = field(default_factory=dict)
    _bulk: dict[str, dict[str, Any]] = field(default_factory=dict)
    _available: float = -1.0
    _filled_at: float = 0.0
    _base: str = ""

    def __post_init__(self) -> None:
        """Build the schema once."""
        self._schema: GraphQLSchema = build_schema(SDL)
        resolvers(self._schema, self.store, self)
        self._documents: dict[str, DocumentNode | list[GraphQLError]] = {}

    @classmethod
    def load(cls, folder: Path, client_id: str, client_secret: str) -> Shopify:
        """Read what write_shopify wrote."""
        return cls(client_id, client_secret, store=Store.load(folder))

    def app(self) -> Starlette:
        """The ASGI application."""
        return Starlette(
            routes=[
                Route("/admin/oauth/access_token", self._token, methods=["POST"]),
                Route("/admin/api/{version}/graphql.json", self._graphql, methods=["POST"]),
                Route("/bulk/{name}", self._bulk_file, methods=["GET"]),
                Route("/_faults", self._control, methods=["POST", "DELETE"]),
            ]
        )

    async def _control(self, request: Request) -> Response:
        if request.method == "DELETE":
            self.faults.clear()
        else:
            self.faults.plan(*faulty.parse(await request.json()))
        return JSONResponse({"happened": self.faults.happened})

    async def _token(self, request: Request) -> Response:
        fault = self.faults.next_for("access_token")
        if fault and (response := await as_response(fault)):
            return response
        is_form = "form" in request.headers.get("content-type", "")
        text = (await request.body()).decode()
        form = dict(parse_qsl(text)) if is_form else json.loads(text)
        wanted = (self.client_id, self.client_secret, "client_credentials")
        if (form.get("client_id"), form.get("client_secret"), form.get("grant_type")) != wanted:
            return JSONResponse({"error": "invalid_client"}, 400)
        token = "shpat_demo_" + secrets.token_hex(8)
        self.tokens[token] = time.monotonic() + self.token_seconds
        return JSONResponse(
            {
                "access_token": token,
                "scope": ",".join(self.scopes),
                "expires_in": int(self.token_seconds),
            }
        )

    async def _graphql(self, request: Request) -> Response:
        content = await request.json()
        query, variables = content.get("query", ""), content.get("variables") or {}
        text = f"{query} {json.dumps(variables)}"
        self.requests.append(text)
        fault = self.faults.next_for(text)
        if fault and (response := await as_response(fault)):
            return response
        token = request.headers.get("x-shopify-access-token", "")
        if self.tokens.get(token, 0.0) < time.monotonic():
            return JSONResponse(
                {
                    "errors": "[API] Invalid API key or access token (unrecognized login or "
                    "wrong password)"
                },
                401,
            )
        self._base = str(request.base_url).rstrip("/")
        return self._answer(query, variables, fault)

    def _answer(self, query: str, variables: dict[str, Any], fault: Fault | None) -> Response:
        document = self._document(query)
        if isinstance(document, list):
            return JSONResponse({"errors": [error.formatted for error in document]})
        cost = cost_of(self._schema, document, variables)
        if cost > MAX_QUERY_COST:
            message = (
                f"Query cost is {cost}, which exceeds the single query max cost limit "
                f"({MAX_QUERY_COST})."
            )
            return _failure(message, "MAX_COST_EXCEEDED", {"cost": cost, "maxCost": MAX_QUERY_COST})
        self._refill()
        if cost > self._available:
            return _failure("Throttled", "THROTTLED", {}, self._cost(cost, None))
        result = execute_sync(self._schema, document, variable_values=variables)
        self._available -= cost
        body: dict[str, Any] = {"data": result.data, "extensions": {"cost": self._cost(cost, cost)}}
        if result.errors:
            body["errors"] = [error.formatted for error in result.errors]
        return _spoil(fault.kind, body, variables) if fault else JSONResponse(body)

    def _document(self, query: str) -> DocumentNode | list[GraphQLError]:
        """The parsed and validated query, or what is wrong with it."""
        if query not in self._documents:
            try:
                document = parse(query)
                self._documents[query] = validate(self._schema, document) or document
            except GraphQLError as error:
                self._documents[query] = [error]
        return self._documents[query]

    def _refill(self) -> None:
        now = time.monotonic()
        if self._available < 0:
            self._available, self._filled_at = self.bucket_size, now
        gained = (now - self._filled_at) * self.restore_rate
        self._available, self._filled_at = min(self.bucket_size, self._available + gained), now

    def _cost(self, requested: int, actual: int | None) -> dict[str, Any]:
        return {
            "requestedQueryCost": requested,
            "actualQueryCost": actual,
            "throttleStatus": {
                "maximumAvailable": self.bucket_size,
                "currentlyAvailable": int(self._available),
                "restoreRate": self.restore_rate,
            },
        }

    # Bulk operations ------------------------------------------------------------------------------

    def start_bulk(self, query: str) -> dict[str, Any]:
        """The payload of bulkOperationRunQuery."""
        running = [key for key, job in self._bulk.items() if job["status"] in UNFINISHED]
        for key in running:
            self.poll_bulk(key)
        if any(self._bulk[key]["status"] in UNFINISHED for key in running):
            return _user_error(
                "A bulk query operation for this app and shop is already in progress."
            )
        document = self._document(query)
        if isinstance(document, list):
            return _user_error(f"Invalid bulk query: {document[0].message}")
        try:
            lines, roots = run_bulk(self._schema, document, self.store)
        except BulkError as error:
            return _user_error(str(error))
        key = f"gid://shopify/BulkOperation/{720_000 + len(self._bulk)}"
        name = f"{len(self._bulk)}-{secrets.token_hex(6)}.jsonl"
        body = "".join(line + "\n" for line in lines)
        self.bulk_results[name] = body
        fault = self.faults.next_for("bulkResult")
        if fault and fault.kind == "truncated":
            self.bulk_results[name] = body[: len(body) // 2]
        self._bulk[key] = {
            "__typename": "BulkOperation", "id": key, "status": "CREATED", "polls": self.bulk_polls,
            "createdAt": "2026-07-01T00:00:00Z", "completedAt": None, "errorCode": None,
            "objectCount": str(len(lines)), "rootObjectCount": str(roots),
            "fileSize": str(len(body.encode())),
            "file": name, "url": None, "partialDataUrl": None,
            "fails": bool(fault and fault.kind == "failed_job"),
        }  # fmt: skip
        return {"bulkOperation": dict(self._bulk[key]), "userErrors": []}

    def poll_bulk(self, key: str) -> dict[str, Any] | None:
        """The state of a bulk operation; each look brings it nearer to its end."""
        job = self._bulk.get(key)
        if job is None:
            return None
        if job["polls"] > 0:
            job["polls"] -= 1
            job["status"] = "RUNNING"
        elif job["fails"]:
            job |= {"status": "FAILED", "errorCode": "INTERNAL_SERVER_ERROR"}
        else:
            empty = job["objectCount"] == "0"
            job |= {"status": "COMPLETED", "completedAt": "2026-07-01T00:00:00Z"}
            job["url"] = None if empty else f"{self._base}/bulk/{job['file']}"
        return dict(job)

    async def _bulk_file(self, request: Request) -> Response:
        fault = self.faults.next_for("/bulk/")
        if fault and (response := await as_response(fault)):
            return response
        body = self.bulk_results.get(request.path_params["name"])
        if body is None:
            return PlainTextResponse("Not found", 404)
        if fault and fault.kind == "truncated":
            return faulty.truncated(body.encode())
        return PlainTextResponse(body, media_type="application/jsonl")


def _user_error(message: str) -> dict[str, Any]:
    return {"bulkOperation": None, "userErrors": [{"field": ["query"], "message": message}]}


def _failure(
    message: str, code: str, more: dict[str, Any], cost: dict[str, Any] | None = None
) -> Response:
    body: dict[str, Any] = {"errors": [{"message": message, "extensions": {"code": code, **more}}]}
    if cost:
        body["extensions"] = {"cost": cost}
    return JSONResponse(body)


def _spoil(kind: str, body: dict[str, Any], variables: dict[str, Any]) -> Response:
    """A page with a fault in it."""
    if kind == "truncated":
        return faulty.truncated(json.dumps(body).encode())
    if kind == "error_in_200":
        body = {
            "data": None,
            "errors": [
                {"message": "Internal error.", "extensions": {"code": "INTERNAL_SERVER_ERROR"}}
            ],
        }
    for page in (body.get("data") or {}).values():
        if not isinstance(page, dict) or "pageInfo" not in page:
            continue
        if kind == "empty_page":
            page["nodes"] = []
        elif kind == "short_page":
            page["nodes"] = page["nodes"][: len(page["nodes"]) // 2]
        elif kind == "missing_next":
            page["pageInfo"] = {"hasNextPage": False, "endCursor": None}
        elif kind == "repeated_cursor":
            page["pageInfo"] |= {
                "hasNextPage": True,
                "endCursor": variables.get("after") or "repeated",
            }
    return JSONResponse(body)
