"""Shopify's fake over HTTP: tokens that expire, versions that end, and points that run out.

A query is run by graphql-core against the schema of `rules`, so a field that Shopify does not have
is refused. Costs are the model of the pretend shop (`ingestion.demo.shopify_cost`): a point per
object, and ten for each mutation.

Belongs here: what is checked before a query runs, and how it is answered. Does not belong here:
what the queries do (`shop`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

from graphql import (
    DocumentNode,
    GraphQLError,
    OperationDefinitionNode,
    build_schema,
    execute_sync,
    parse,
    validate,
)
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ingestion.demo.shopify_cost import cost_of
from orchestration.fakes.faults import Fault
from orchestration.fakes.server import Clock
from orchestration.fakes.shop import ShopProfile
from orchestration.fakes.shopify.rules import RULES, SDL, VERSIONS
from orchestration.fakes.shopify.shop import Consent, Shop, bind
from orchestration.fakes.vendor import Vendor

CLIENT_ID = "fake-client"
CLIENT_SECRET = "fake-secret"  # noqa: S105 - of a fake
SCOPES = ("read_customers", "write_customers", "write_customer_data_erasure")
TOKEN_SECONDS = 86_399
MUTATION_COST = 10
_LIST_LIMIT = "inputs"


class Shopify(Vendor):
    """One shop behind the GraphQL Admin API."""

    name = "shopify"
    rules = RULES
    credentials: Mapping[str, str] = {
        "SHOPIFY_CLIENT_ID": CLIENT_ID,
        "SHOPIFY_CLIENT_SECRET": CLIENT_SECRET,
    }

    def __init__(self, seed: int, clock: Clock) -> None:
        """A shop without customers."""
        self._documents: dict[str, DocumentNode | list[GraphQLError]] = {}
        super().__init__(seed, clock)

    def begin_anew(self, seed: int) -> None:
        """Another shop without customers, with a full bucket of points."""
        super().begin_anew(seed)
        self.shop = Shop(self._clock)
        self.scopes: tuple[str, ...] = SCOPES
        self.tokens: dict[str, datetime] = {}
        self.refused = self.shop.refused
        self.available = float(RULES.number("throttle"))
        self._filled_at = self._clock()
        self._schema = build_schema(SDL)
        bind(self._schema, self.shop, self._needs)

    def routes(self) -> list[Route]:
        """The token endpoint and the one of GraphQL."""
        return [
            Route("/admin/oauth/access_token", self._grant, methods=["POST"]),
            Route("/admin/api/{version}/graphql.json", self._graphql, methods=["POST"]),
        ]

    def state(self) -> Mapping[str, Any]:
        """What the shop holds, as counts."""
        with self._lock:
            return {**self.shop.state(), **self.counts, "points": int(self.available)}

    def begin_with(self, profiles: Iterable[ShopProfile]) -> None:
        """Take over the people of the pretend shop who have an email, with what they refused."""
        for each in profiles:
            email, marketing = (
                each.attributes.get("email"),
                each.subscriptions["email"]["marketing"],
            )
            if email and self.shop.by_email(email) is None:
                at = each.joined_at or self._clock()
                self.shop.put(email, email_consent=Consent(_state(marketing, each), at))

    def trouble(self, fault: Fault) -> Response:
        """The answer of a bad day: a 429 is Shopify's throttle, which says 200."""
        if fault.kind == "429":
            lacking = fault.wait * RULES.number("restore")
            return JSONResponse(_failure("THROTTLED", self._cost(lacking, None, left=0)))
        headers = {"Retry-After": str(fault.wait)} if fault.kind == "503" else {}
        return JSONResponse({"errors": "Not now."}, int(fault.kind), headers)

    async def _grant(self, request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode()))
        credentials = (form.get("client_id"), form.get("client_secret"), form.get("grant_type"))
        if credentials != (CLIENT_ID, CLIENT_SECRET, "client_credentials"):
            self.refused["grant"] += 1
            return JSONResponse({"error": "invalid_client"}, 400)
        with self._lock:
            token = f"shpat_fake_{self._dice.randrange(16**12):012x}"
            self.tokens[token] = self._clock() + timedelta(seconds=TOKEN_SECONDS)
        scope = ",".join(self.scopes)
        body = {"access_token": token, "scope": scope, "expires_in": TOKEN_SECONDS}
        return JSONResponse(body)

    async def _graphql(self, request: Request) -> Response:
        content = await request.json()
        token = request.headers.get("x-shopify-access-token", "")
        with self._lock:
            if token not in self.tokens or self.tokens[token] < self._clock():
                self.refused["token"] += 1
                return JSONResponse({"errors": "[API] Invalid API key or access token"}, 401)
            body = self._answer(content.get("query", ""), content.get("variables") or {})
        version = request.path_params["version"]
        served_version = version if version in VERSIONS else VERSIONS[0]
        return JSONResponse(body, headers={"X-Shopify-API-Version": served_version})

    def _answer(self, query: str, variables: dict[str, Any]) -> dict[str, Any]:
        document = self._document(query)
        if isinstance(document, list):
            self.refused["schema"] += 1
            return _failure("undefinedField")
        if any(len(each) > RULES.number(_LIST_LIMIT) for each in _lists(variables)):
            self.refused[_LIST_LIMIT] += 1
            return _failure("MAX_INPUT_SIZE_EXCEEDED")
        cost = cost_of(self._schema, document, variables) + _of_mutations(document)
        if cost > RULES.number("max_cost"):
            self.refused["max_cost"] += 1
            return _failure("MAX_COST_EXCEEDED")
        self._refill()
        if cost > self.available:
            self.refused["throttle"] += 1
            return _failure("THROTTLED", self._cost(cost, None, self.available))
        self.available -= cost
        self.calls.update(_names(document))
        result = execute_sync(self._schema, document, variable_values=variables)
        body: dict[str, Any] = {"data": result.data}
        if result.errors:
            body["errors"] = [error.formatted for error in result.errors]
        return body | {"extensions": {"cost": self._cost(cost, cost, self.available)}}

    def _document(self, query: str) -> DocumentNode | list[GraphQLError]:
        if query not in self._documents:
            try:
                document = parse(query)
                self._documents[query] = validate(self._schema, document) or document
            except GraphQLError as error:
                self._documents[query] = [error]
        return self._documents[query]

    def _needs(self, scope: str) -> None:
        if scope not in self.scopes:
            self.refused["scope"] += 1
            raise GraphQLError("Access denied.", extensions={"code": "ACCESS_DENIED"})

    def _refill(self) -> None:
        now = self._clock()
        gained = (now - self._filled_at).total_seconds() * RULES.number("restore")
        full = float(RULES.number("throttle"))
        self.available, self._filled_at = min(full, self.available + gained), now

    def _cost(self, requested: int, actual: int | None, left: float) -> dict[str, Any]:
        status = {
            "maximumAvailable": RULES.number("throttle"),
            "currentlyAvailable": int(left),
            "restoreRate": RULES.number("restore"),
        }
        return {
            "requestedQueryCost": requested,
            "actualQueryCost": actual,
            "throttleStatus": status,
        }


def _state(marketing: Mapping[str, Any], each: ShopProfile) -> str:
    reasons = {suppression["reason"] for suppression in marketing.get("suppression") or []}
    if marketing["consent"] == "UNSUBSCRIBED" or reasons - {"HARD_BOUNCE"}:
        return "UNSUBSCRIBED"
    if reasons:
        return "INVALID"
    return "SUBSCRIBED" if each.joined_at else "NOT_SUBSCRIBED"


def _failure(code: str, cost: Mapping[str, Any] | None = None) -> dict[str, Any]:
    body: dict[str, Any] = {"errors": [{"message": code, "extensions": {"code": code}}]}
    return body | ({"extensions": {"cost": dict(cost)}} if cost else {})


def _operations(document: DocumentNode) -> list[OperationDefinitionNode]:
    return [each for each in document.definitions if isinstance(each, OperationDefinitionNode)]


def _names(document: DocumentNode) -> list[str]:
    """The fields at the top of a document, under Shopify's names."""
    return [
        each.name.value
        for operation in _operations(document)
        for each in operation.selection_set.selections
    ]


def _of_mutations(document: DocumentNode) -> int:
    """What mutations cost beyond the ten that are counted for the first of a document."""
    fields = [
        len(operation.selection_set.selections) - 1
        for operation in _operations(document)
        if operation.operation.value == "mutation"
    ]
    return sum(fields) * MUTATION_COST


def _lists(value: Any) -> Iterable[list[Any]]:
    if isinstance(value, list):
        yield value
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for each in inner:
        yield from _lists(each)
