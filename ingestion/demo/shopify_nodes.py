"""The pretend Shopify's objects: kept as they are sent, found by id, paged by cursor.

Belongs here: the store and what a GraphQL field resolves to. Does not belong here: HTTP, cost.
"""

from __future__ import annotations

import base64
import json
import re
from bisect import bisect_left, insort
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from graphql import GraphQLError, GraphQLInterfaceType, GraphQLSchema, GraphQLUnionType

Node = dict[str, Any]
Key = tuple[str, int]
ROOTS = {
    "orders": "Order",
    "customers": "Customer",
    "products": "Product",
    "abandonedCheckouts": "AbandonedCheckout",
    "discountNodes": "DiscountNode",
}
SCOPE_OF = {
    "orders": "read_orders",
    "customers": "read_customers",
    "products": "read_products",
    "abandonedCheckouts": "read_orders",
    "discountNodes": "read_discounts",
}
MAX_PAGE = 250


class BulkJobs(Protocol):
    """What the resolvers need of the server."""

    scopes: tuple[str, ...]

    def start_bulk(self, query: str) -> dict[str, Any]:
        """Start a bulk operation."""

    def poll_bulk(self, key: str) -> dict[str, Any] | None:
        """Look at a bulk operation."""


@dataclass
class Store:
    """Everything the shop holds, by kind; ordered by last change, then id."""

    nodes: dict[str, dict[str, Node]] = field(default_factory=lambda: {kind: {} for kind in ROOTS})
    order: dict[str, list[Key]] = field(default_factory=lambda: {kind: [] for kind in ROOTS})

    @classmethod
    def load(cls, folder: Path) -> Store:
        """Read the nodes that write_shopify wrote."""
        store = cls()
        for kind in ROOTS:
            for path in sorted((folder / kind).glob("*.jsonl")):
                with path.open(encoding="utf-8") as lines:
                    nodes = [json.loads(line) for line in lines]
                store.nodes[kind] |= {node["id"]: node for node in nodes}
            store.order[kind] = sorted(map(_key, store.nodes[kind].values()))
        return store

    def upsert(self, kind: str, node: Node) -> None:
        """Add or change an object while the server runs."""
        self.remove(kind, node["id"])
        self.nodes[kind][node["id"]] = node
        insort(self.order[kind], _key(node))

    def remove(self, kind: str, key: str) -> None:
        """Delete an object."""
        old = self.nodes[kind].pop(key, None)
        if old:
            self.order[kind].remove(_key(old))

    def find(self, key: str) -> Node | None:
        """The object with this global id: one of a kind that is listed, or a refund."""
        if "/Refund/" in key:
            refunds = (r for order in self.nodes["orders"].values() for r in order["refunds"])
            return next((refund for refund in refunds if refund["id"] == key), None)
        return next((nodes[key] for nodes in self.nodes.values() if key in nodes), None)

    def chosen(self, kind: str, query: str | None) -> list[Key]:
        """The keys that the search `updated_at:>=… updated_at:<…` leaves, in order."""
        keys = self.order[kind]
        for field_name, operator, value in _SEARCH.findall(query or ""):
            if field_name != "updated_at":
                raise GraphQLError(f"The pretend shop cannot search by {field_name}.")
            position = (
                bisect_left(keys, (value, -1))
                if operator in (">=", "<")
                else bisect_left(keys, (value, 1 << 62))
            )
            keys = keys[position:] if operator.startswith(">") else keys[:position]
        return keys


_SEARCH = re.compile(r"(\w+):(>=|<=|>|<)?'?([^'\s]+)'?")


def number_of(gid: str) -> int:
    """The number at the end of a global id."""
    return int(gid.rsplit("/", 1)[1])


def _key(node: Node) -> Key:
    return node["updatedAt"], number_of(node["id"])


def encode(key: object) -> str:
    """An opaque cursor."""
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode()


def decode(cursor: str) -> Any:
    """What a cursor stands for."""
    try:
        return json.loads(base64.urlsafe_b64decode(cursor.encode()))
    except ValueError as error:
        raise GraphQLError("Invalid cursor for current pagination sort.") from error


def connection(nodes: list[Node], cursors: list[str], has_next: bool) -> dict[str, Any]:
    """A connection's page."""
    return {
        "nodes": nodes,
        "edges": [
            {"node": node, "cursor": cursor} for node, cursor in zip(nodes, cursors, strict=True)
        ],
        "pageInfo": {
            "hasNextPage": has_next,
            "hasPreviousPage": False,
            "startCursor": cursors[0] if cursors else None,
            "endCursor": cursors[-1] if cursors else None,
        },
    }


def inner_nodes(parent: Node, name: str) -> list[Node]:
    """What an object's connection holds; none where nothing was written of it."""
    return (parent.get(name) or {}).get("nodes") or []


def page(nodes: list[Node], first: int | None, after: str | None) -> dict[str, Any]:
    """A page of a list inside an object."""
    if first is None:
        raise GraphQLError("you must provide one of first or last")
    start = decode(after) + 1 if after else 0
    chosen = nodes[start : start + first]
    cursors = [encode(start + position) for position in range(len(chosen))]
    return connection(chosen, cursors, start + first < len(nodes))


def resolvers(schema: GraphQLSchema, store: Store, jobs: BulkJobs) -> None:
    """Give the schema its behaviour."""
    types: Any = schema.type_map
    query, mutation = types["Query"].fields, types["Mutation"].fields
    for kind in ROOTS:
        query[kind].resolve = _root(store, jobs, kind)
        query[f"{kind}Count"].resolve = _count(store, jobs, kind)
    query["order"].resolve = lambda _root, _info, id: store.find(id)  # noqa: A006
    query["node"].resolve = lambda _root, _info, id: _any_node(store, jobs, id)  # noqa: A006
    query["nodes"].resolve = lambda _root, _info, ids: [_any_node(store, jobs, key) for key in ids]
    query["shop"].resolve = lambda *_: {
        "id": "gid://shopify/Shop/1", "name": "Harbour & Pine", "currencyCode": "GBP",
        "ianaTimezone": "Europe/London", "myshopifyDomain": "harbour-and-pine.myshopify.com",
    }  # fmt: skip
    query["currentAppInstallation"].resolve = lambda *_: {
        "id": "gid://shopify/AppInstallation/1",
        "accessScopes": [{"handle": scope, "description": scope} for scope in jobs.scopes],
    }
    mutation["bulkOperationRunQuery"].resolve = lambda _root, _info, query, **_: jobs.start_bulk(
        query
    )
    for owner, name in (
        ("Order", "lineItems"), ("Order", "shippingLines"), ("Refund", "refundLineItems"),
        ("Refund", "refundShippingLines"), ("Refund", "orderAdjustments"), ("Product", "variants"),
        ("Refund", "transactions"), ("AbandonedCheckout", "lineItems"),
    ):  # fmt: skip
        types[owner].fields[name].resolve = _inner(name)
    for abstract in types.values():
        if isinstance(abstract, GraphQLInterfaceType | GraphQLUnionType):
            abstract.resolve_type = _type_of


def _inner(name: str) -> Any:
    def resolve(
        parent: Node, _info: Any, first: int | None = None, after: str | None = None
    ) -> Any:
        return page(inner_nodes(parent, name), first, after)

    return resolve


def _refuse_without_scope(jobs: BulkJobs, kind: str) -> None:
    if SCOPE_OF[kind] not in jobs.scopes:
        raise GraphQLError(
            f"Access denied for {kind} field. Required access: `{SCOPE_OF[kind]}`.",
            extensions={"code": "ACCESS_DENIED"},
        )


def _root(store: Store, jobs: BulkJobs, kind: str) -> Any:
    def resolve(_root: Any, _info: Any, **arguments: Any) -> Any:
        _refuse_without_scope(jobs, kind)
        first, after = arguments.get("first"), arguments.get("after")
        if first is None or not 1 <= first <= MAX_PAGE:
            raise GraphQLError("first must be between 1 and 250")
        keys = store.chosen(kind, arguments.get("query"))
        if arguments.get("reverse"):
            keys = keys[::-1]
            start = next(
                (i for i, key in enumerate(keys) if after and key < tuple(decode(after))), 0
            )
        else:
            last = tuple(decode(after)) if after else None
            start = bisect_left(keys, (last[0], last[1] + 1)) if last else 0
        chosen = keys[start : start + first]
        prefix = f"gid://shopify/{ROOTS[kind]}/"
        nodes = [store.nodes[kind][f"{prefix}{number}"] for _, number in chosen]
        return connection(nodes, [encode(key) for key in chosen], start + first < len(keys))

    return resolve


def _count(store: Store, jobs: BulkJobs, kind: str) -> Any:
    def resolve(
        _root: Any, _info: Any, query: str | None = None, limit: int | None = 10_000
    ) -> Any:
        _refuse_without_scope(jobs, kind)
        total = len(store.chosen(kind, query))
        capped = limit is not None and total > limit
        return {"count": limit if capped else total, "precision": "AT_LEAST" if capped else "EXACT"}

    return resolve


def _any_node(store: Store, jobs: BulkJobs, key: str) -> Node | None:
    return jobs.poll_bulk(key) if "/BulkOperation/" in key else store.find(key)


def _type_of(value: Node, _info: Any, _type: Any) -> str:
    if "__typename" in value:
        return str(value["__typename"])
    if "id" not in value:
        return "CardPaymentDetails"
    return str(value["id"]).split("/")[3]
