"""Shopify: orders, customers and products from the GraphQL Admin API, version 2026-07.

What: orders with lines, refunds, transactions and attributes; customers with marketing states;
products with variants. Each object is kept whole as `payload`.
Auth: client id and secret from the variables that the settings name, exchanged for a token that
lasts a day and is renewed when refused. Scopes: read_orders, read_all_orders (without it Shopify
shows 60 days), read_customers, read_products.
Paging: the first pull of a table is one bulk operation (JSON Lines, lines grouped under their
parents, counted against `objectCount`); later pulls page connections by `updated_at`, oldest change
first, and are counted against `<table>Count`. Longer inner connections are read to their end.
Limits: THROTTLED is waited out from the cost that Shopify states; a page that costs too much is
halved; 429 as Retry-After says (ingestion/http.py).
Lateness: each pull asks again for the last `lateness_hours`; unchanged objects are duplicates.
Bad day: an object without id or times goes to quarantine; a repeated cursor, a short page with a
next one, an error inside a 200 or a count that does not match is asked for again, then fails the
source, and nothing of it is loaded.
Data flow: Shopify -> raw_shopify.{orders,customers,products}
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from ingestion.api_source import ApiSource, Page, Pull
from ingestion.config import Settings
from ingestion.connection import Check, credential_check
from ingestion.errors import RegularsError, SourceError
from ingestion.fields import Column, TableSpec
from ingestion.paging import Cursor, PageError, retried_page
from ingestion.shopify_graphql import CostTooHighError, GraphqlClient
from ingestion.sources import shopify_queries as queries

Node = dict[str, Any]

SCOPES = {
    "orders": ("read_orders", "read_all_orders"),
    "customers": ("read_customers",),
    "products": ("read_products",),
}
BULK_POLL_SECONDS = (0.05, 0.2, 0.5, 1.0, 2.0, 5.0)
BULK_POLLS = 2_000
BULK_ROWS = 500
REFUNDS_AT_ONCE = 20
SMALLEST_PAGE = 1

ORDERS = TableSpec(
    name="orders",
    description="One row per version of an order.",
    columns=(
        Column("order_id", required=True),
        Column("created_at", "timestamp", required=True),
        Column("processed_at", "timestamp"),
        Column("updated_at", "timestamp", required=True),
        Column("currency", required=True, currency=True),
        Column("payload", "json"),
    ),
)
CUSTOMERS = TableSpec(
    name="customers",
    description="One row per version of a customer.",
    columns=(
        Column("shopify_customer_id", required=True),
        Column("email"),
        Column("phone"),
        Column("first_name"),
        Column("last_name"),
        Column("created_at", "timestamp"),
        Column("updated_at", "timestamp", required=True),
        Column("payload", "json"),
    ),
)
PRODUCTS = TableSpec(
    name="products",
    description="One row per version of a product.",
    columns=(
        Column("product_id", required=True),
        Column("title"),
        Column("vendor"),
        Column("product_type"),
        Column("updated_at", "timestamp", required=True),
        Column("payload", "json"),
    ),
)


def pull(request: Pull) -> Iterator[Page]:
    """Every object of one table that is new or may have changed."""
    settings = request.settings.sources.shopify
    cursor = Cursor(request.state, settings.start_date, settings.lateness_hours, request.as_of)
    client = GraphqlClient(settings)
    try:
        if cursor.is_first and settings.bulk_backfill:
            pages = _bulk(client, request.table, cursor.since)
        else:
            pages = _connection(client, request.table, cursor.since, settings.page_size)
        for nodes in pages:
            for node in nodes:
                cursor.saw(node.get("updatedAt"))
            yield f"graphql/{request.table}", [_ROWS[request.table](node) for node in nodes]
    finally:
        client.close()
    cursor.save()


def _search(since: datetime) -> str:
    return f"updated_at:>='{since:%Y-%m-%dT%H:%M:%SZ}'"


# Connections -------------------------------------------------------------------------------------


def _connection(
    client: GraphqlClient, table: str, since: datetime, page_size: int
) -> Iterator[list[Node]]:
    """Page by page, then count."""
    search = _search(since)
    expected = _count(client, table, search)
    seen: set[str] = set()
    visited: set[str] = set()
    after: str | None = None
    size = page_size
    while True:
        page, size = _page(client, table, search, after, size, visited)
        nodes = [_complete(client, table, node) for node in page["nodes"]]
        seen.update(node["id"] for node in nodes)
        yield nodes
        if not page["pageInfo"]["hasNextPage"]:
            break
        after = page["pageInfo"]["endCursor"]
        visited.add(str(after))
    if len(seen) < expected and len(seen) < _count(client, table, search):
        raise SourceError(
            f"shopify: {table} ended after {len(seen):,} of {expected:,} objects.",
            "Run again; nothing of this table was loaded.",
        )


def _page(
    client: GraphqlClient, table: str, search: str, after: str | None, size: int, visited: set[str]
) -> tuple[Node, int]:
    """One page, with smaller pages where one costs too much; also the size that worked."""
    while True:
        try:
            page = retried_page(
                lambda size=size: _checked(  # type: ignore[misc]
                    client.query(
                        queries.page_query(table), first=size, after=after, query=search
                    ).get(table),
                    size,
                    visited,
                ),
                f"shopify: {table}",
                client.http,
            )
            return page, size
        except CostTooHighError:
            if size <= SMALLEST_PAGE:
                raise SourceError(
                    f"shopify: even one object of {table} costs more than one query may.",
                    "Report it; Shopify's limits have changed.",
                ) from None
            size = max(SMALLEST_PAGE, size // 2)


def _checked(page: Any, size: int | None, visited: set[str]) -> Node:
    """The page as it came.

    Raises:
        PageError: it cannot be trusted.
    """
    if not isinstance(page, dict) or not isinstance(page.get("nodes"), list):
        raise PageError("a page without nodes")
    info = page.get("pageInfo") or {}
    if "hasNextPage" not in info:
        raise PageError("a page that does not say whether there are more")
    if info["hasNextPage"]:
        if not info.get("endCursor") or info["endCursor"] in visited:
            raise PageError("the same page cursor again")
        if size is not None and len(page["nodes"]) < size:
            raise PageError("a short page that says there are more")
    return page


def _count(client: GraphqlClient, table: str, search: str) -> int:
    """How many objects the search finds; 0 where Shopify gives no exact number."""

    def ask() -> int:
        found = client.query(queries.count_query(table), query=search).get(f"{table}Count") or {}
        return int(found.get("count", 0)) if found.get("precision") == "EXACT" else 0

    return retried_page(ask, f"shopify: the count of {table}", client.http)


def _complete(client: GraphqlClient, table: str, node: Node) -> Node:
    """The object with its inner connections read to their end and without page details."""
    if table in queries.INNER:
        _fill(client, node, queries.INNER[table])
    for refund in node.get("refunds") or []:
        _fill(client, refund, "refundLineItems")
    return node


def _fill(client: GraphqlClient, owner: Node, connection: str) -> None:
    page = owner[connection]
    nodes, visited = list(page["nodes"]), set[str]()
    while page["pageInfo"]["hasNextPage"]:
        after = page["pageInfo"]["endCursor"]
        visited.add(after)
        page = retried_page(
            lambda after=after: _checked(  # type: ignore[misc]
                (
                    client.query(queries.inside_query(connection), id=owner["id"], after=after).get(
                        "node"
                    )
                    or {}
                ).get(connection),
                None,
                visited,
            ),
            f"shopify: {connection}",
            client.http,
        )
        nodes += page["nodes"]
    owner[connection] = {"nodes": nodes}


# Bulk operation ----------------------------------------------------------------------------------


def _bulk(client: GraphqlClient, table: str, since: datetime) -> Iterator[list[Node]]:
    """Everything since a date in one operation, then counted."""
    job = _run_bulk(client, queries.bulk_query(table, _search(since)))
    expected, roots, received = int(job["objectCount"]), int(job["rootObjectCount"]), 0
    found = 0
    if job["url"]:
        lines = client.http.lines(job["url"], int(job["fileSize"]) + 1024)
        for chunk in _chunks(_grouped(table, lines)):
            found += len(chunk)
            received += sum(1 + _inner_count(table, node) for node in chunk)
            if table == "orders":
                _add_refund_lines(client, chunk)
            yield chunk
    if (received, found) != (expected, roots):
        raise SourceError(
            f"shopify: the bulk result of {table} holds {received:,} of {expected:,} objects.",
            "Run again; nothing of this table was loaded.",
        )


def _run_bulk(client: GraphqlClient, query: str) -> Node:
    """Start the operation and wait for its end."""

    def start() -> Node:
        return client.query(queries.START_BULK, query=query).get("bulkOperationRunQuery") or {}

    started = retried_page(start, "shopify: a bulk operation", client.http)
    if started.get("userErrors") or not started.get("bulkOperation"):
        raise SourceError(
            "shopify: the bulk operation was refused; another one may still be running.",
            "Wait for it and run again, or set bulk_backfill = false for this source.",
        )
    key = started["bulkOperation"]["id"]

    def look() -> Node:
        return client.query(queries.POLL_BULK, id=key).get("node") or {}

    for poll in range(BULK_POLLS):
        job = retried_page(look, "shopify: the bulk operation", client.http)
        status = job.get("status")
        if status == "COMPLETED":
            return job
        if status not in ("CREATED", "RUNNING"):
            raise SourceError(
                f"shopify: the bulk operation ended as {status or 'unknown'}.", "Run again later."
            )
        client.http.sleep(BULK_POLL_SECONDS[min(poll, len(BULK_POLL_SECONDS) - 1)])
    raise SourceError("shopify: the bulk operation did not end.", "Run again later.")


def _grouped(table: str, lines: Iterable[str]) -> Iterator[Node]:
    """Objects with their inner ones, from lines in which these follow their parent."""
    inner = queries.INNER.get(table)
    node: Node | None = None
    for line in lines:
        if not line:
            continue
        try:
            item = json.loads(line)
        except ValueError:
            raise SourceError(
                f"shopify: the bulk result of {table} is cut off in a line.", "Run again."
            ) from None
        parent = item.pop("__parentId", None)
        if parent is None:
            if node is not None:
                yield node
            node = item
            if inner:
                node[inner] = {"nodes": []}
        elif node is None or parent != node["id"] or inner is None:
            raise SourceError(f"shopify: the bulk result of {table} is not grouped by parent.")
        else:
            node[inner]["nodes"].append(item)
    if node is not None:
        yield node


def _chunks(nodes: Iterable[Node]) -> Iterator[list[Node]]:
    chunk: list[Node] = []
    for node in nodes:
        chunk.append(node)
        if len(chunk) == BULK_ROWS:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _inner_count(table: str, node: Node) -> int:
    inner = queries.INNER.get(table)
    return len(node[inner]["nodes"]) if inner else 0


def _add_refund_lines(client: GraphqlClient, orders: list[Node]) -> None:
    """What a bulk operation cannot give: the lines of refunds."""
    refunded = [order for order in orders if order["refunds"]]
    for start in range(0, len(refunded), REFUNDS_AT_ONCE):
        batch = refunded[start : start + REFUNDS_AT_ONCE]
        ids = [order["id"] for order in batch]

        def ask(ids: list[str] = ids) -> list[Node]:
            found = client.query(queries.REFUNDS_QUERY, ids=ids).get("nodes")
            if not isinstance(found, list) or len(found) != len(ids) or None in found:
                raise PageError("an answer that lacks orders")
            return found

        for order, found in zip(
            batch, retried_page(ask, "shopify: refunds", client.http), strict=True
        ):
            order["refunds"] = found["refunds"]
            for refund in order["refunds"]:
                _fill(client, refund, "refundLineItems")


# Rows --------------------------------------------------------------------------------------------


def number_of(gid: Any) -> str | None:
    """The number at the end of a global id: gid://shopify/Order/42 is 42."""
    return str(gid).rsplit("/", 1)[-1] if gid else None


def _order(node: Node) -> Node:
    return {
        "order_id": number_of(node.get("id")),
        "created_at": node.get("createdAt"),
        "processed_at": node.get("processedAt"),
        "updated_at": node.get("updatedAt"),
        "currency": node.get("currencyCode"),
        "payload": node,
    }


def _customer(node: Node) -> Node:
    return {
        "shopify_customer_id": number_of(node.get("id")),
        "email": (node.get("defaultEmailAddress") or {}).get("emailAddress"),
        "phone": (node.get("defaultPhoneNumber") or {}).get("phoneNumber"),
        "first_name": node.get("firstName"),
        "last_name": node.get("lastName"),
        "created_at": node.get("createdAt"),
        "updated_at": node.get("updatedAt"),
        "payload": node,
    }


def _product(node: Node) -> Node:
    return {
        "product_id": number_of(node.get("id")),
        "title": node.get("title"),
        "vendor": node.get("vendor"),
        "product_type": node.get("productType"),
        "updated_at": node.get("updatedAt"),
        "payload": node,
    }


_ROWS = {"orders": _order, "customers": _customer, "products": _product}

SOURCE = ApiSource(
    "shopify",
    "Orders, customers and products from Shopify's GraphQL Admin API.",
    (ORDERS, CUSTOMERS, PRODUCTS),
    pull,
)


def check_connection(settings: Settings) -> list[Check]:
    """Whether the credentials are set and accepted, and which scopes the app has."""
    own = settings.sources.shopify
    found = [
        credential_check("shopify", name) for name in (own.client_id_env, own.client_secret_env)
    ]
    if any(check.status != "ok" for check in found):
        return found
    client = GraphqlClient(own)
    client.http.attempts = 2
    try:
        installation = client.query(queries.SCOPES)["currentAppInstallation"]
    except (PageError, CostTooHighError, KeyError):
        hint = "Check base_url and api_version."
        return [*found, Check("shopify token", "failed", "The API answered with an error.", hint)]
    except RegularsError as error:
        return [*found, Check("shopify token", "failed", error.message, error.hint)]
    finally:
        client.close()
    found.append(Check("shopify token", "ok", "The API grants a token."))
    granted = {scope["handle"] for scope in installation["accessScopes"]}
    for table, scopes in SCOPES.items():
        missing = [scope for scope in scopes if scope not in granted]
        if missing:
            hint = f"Add {', '.join(missing)} to the app and install it again."
            sentence = f"Missing: {', '.join(missing)}."
            found.append(Check(f"shopify {table}", "failed", sentence, hint))
        else:
            found.append(Check(f"shopify {table}", "ok", f"Readable ({', '.join(scopes)})."))
    return found
