"""Shopify: what a shop's GraphQL Admin API, version 2026-07, tells of orders, people and products.

What: orders with lines, refunds, transactions and attributes; customers with marketing states;
products with variants; checkouts that were begun; discounts. Each is kept whole as `payload`.
Auth: client id and secret from the variables that the settings name, exchanged for a token that
lasts a day and is renewed when refused. Scopes: read_orders, read_all_orders (without it Shopify
shows 60 days), read_customers, read_products, read_discounts. Checkouts and discounts are left out
and said so where the app may not read them; any other refusal fails the source.
Paging: the first pull of a table is one bulk operation (JSON Lines, lines grouped under their
parents, counted against `objectCount`), and so is the first that asks for other fields; later pulls
page connections by `updated_at`, oldest change first, and are counted against `<table>Count`.
Longer inner connections are read to their end.
Limits: THROTTLED is waited out from the cost that Shopify states; a page that costs too much is
halved; 429 as Retry-After says (ingestion/apis/http.py).
Lateness: each pull asks again for the last `lateness_hours`; unchanged objects are duplicates. All
products are asked for once a week, because their costs change without them.
Bad day: an object without id or times goes to quarantine; a repeated cursor, a short page with a
next one, an error inside a 200 or a count that does not match is asked for again, then fails the
source, and nothing of it is loaded.
Several shops: each has its own section, credentials, cursor and client, and is pulled in turn; one
that cannot be trusted fails the source, so that no run knows half of the shops. The ids of a
further shop carry its name (`outlet:42`), because two shops may count alike; the payload is as the
shop has it.
Data flow: Shopify -> raw_shopify.{orders,customers,products,checkouts,discounts}
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from ingestion.apis.connection import Check, credential_check
from ingestion.apis.paging import Cursor, LookBack, PageError, parsed, retried_page
from ingestion.apis.source import ApiSource, Page, Pull, left_out_if_denied
from ingestion.errors import RegularsError, SourceError
from ingestion.landing.fields import Column, TableSpec
from ingestion.sources.shopify import queries
from ingestion.sources.shopify.bulk import bulk_pages
from ingestion.sources.shopify.graphql import (
    CostTooHighError,
    GraphqlClient,
    checked_page,
    fill,
    search_since,
)
from ingestion.sources.shopify.settings import ShopifySettings, ShopSettings

Node = dict[str, Any]

SCOPES = {
    "orders": ("read_orders", "read_all_orders"),
    "customers": ("read_customers",),
    "products": ("read_products",),
    "checkouts": ("read_orders",),
    "discounts": ("read_discounts",),
}
# Without them a shop's numbers are the same.
OPTIONAL = ("checkouts", "discounts")
SMALLEST_PAGE = 1
# What one costs the shop may change without the product: each is asked for again once a week.
LOOK_BACK = {"products": LookBack(timedelta(days=7), timedelta(days=36_500))}

ORDERS = TableSpec(
    name="orders",
    description="One row per version of an order.",
    columns=(
        Column("order_id", required=True),
        Column("created_at", "timestamp", required=True),
        Column("processed_at", "timestamp"),
        Column("updated_at", "timestamp", required=True),
        Column("currency", required=True, currency=True),
        Column("shop_id"),
        Column("id_scope"),
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
        Column("shop_id"),
        Column("id_scope"),
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
        Column("shop_id"),
        Column("id_scope"),
        Column("payload", "json"),
    ),
)
CHECKOUTS = TableSpec(
    name="checkouts",
    description="One row per version of a checkout that somebody began and gave an address in.",
    columns=(
        Column("checkout_id", required=True),
        Column("email"),
        Column("phone"),
        Column("created_at", "timestamp", required=True),
        Column("completed_at", "timestamp"),
        Column("updated_at", "timestamp", required=True),
        Column("shop_id"),
        Column("id_scope"),
        Column("payload", "json"),
    ),
)
DISCOUNTS = TableSpec(
    name="discounts",
    description="One row per version of a discount, with the first of its codes.",
    columns=(
        Column("discount_id", required=True),
        Column("title"),
        Column("status"),
        Column("starts_at", "timestamp"),
        Column("ends_at", "timestamp"),
        Column("updated_at", "timestamp", required=True),
        Column("shop_id"),
        Column("id_scope"),
        Column("payload", "json"),
    ),
)


def pull(request: Pull[ShopifySettings]) -> Iterator[Page]:
    """Every object of one table that is new or may have changed, shop after shop."""
    shops = request.settings.by_name()
    for name in request.settings.accounts():
        yield from _pull_shop(
            replace(request, state=_state(request.state, name)), name, shops[name]
        )


def _state(state: dict[str, Any], name: str) -> dict[str, Any]:
    """A shop's own memory; the shop without a name has what there was before there were several."""
    if not name:
        return state
    own: dict[str, Any] = state.setdefault("shops", {}).setdefault(name, {})
    return own


def _pull_shop(request: Pull[Any], name: str, shop: ShopSettings) -> Iterator[Page]:
    asked = queries.page_query(request.table)
    cursor = Cursor(
        *(request.state, shop.start_date, shop.lateness_hours, request.as_of, asked),
        look_back=LOOK_BACK.get(request.table),
    )
    client = GraphqlClient(shop, _label(name))
    endpoint = "/".join(part for part in ("graphql", name, request.table) if part)
    with closing(client), left_out_if_denied(request, is_optional=request.table in OPTIONAL):
        if cursor.is_first and shop.bulk_backfill and queries.has_bulk(request.table):
            pages = bulk_pages(client, request.table, cursor.since)
        else:
            pages = _connection(client, request.table, cursor.since, shop.page_size)
        for nodes in pages:
            for node in nodes:
                cursor.saw(parsed(_ROWS[request.table](node)["updated_at"]))
            yield endpoint, [_row(request.table, node, name, shop) for node in nodes]
        cursor.save()


def _label(name: str) -> str:
    return f"shopify.{name}" if name else "shopify"


# Connections -------------------------------------------------------------------------------------


def _connection(
    client: GraphqlClient, table: str, since: datetime, page_size: int
) -> Iterator[list[Node]]:
    """Page by page, then count."""
    search = search_since(since)
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
            f"{client.label}: {table} ended after {len(seen):,} of {expected:,} objects.",
            "Run again; nothing of this table was loaded.",
        )


def _page(
    client: GraphqlClient, table: str, search: str, after: str | None, size: int, visited: set[str]
) -> tuple[Node, int]:
    """One page, with smaller pages where one costs too much; also the size that worked."""
    while True:
        try:
            page = retried_page(
                lambda size=size: checked_page(  # type: ignore[misc]
                    client.query(
                        queries.page_query(table), first=size, after=after, query=search
                    ).get(queries.root_of(table)),
                    size,
                    visited,
                ),
                f"{client.label}: {table}",
                client.http,
            )
            return page, size
        except CostTooHighError:
            if size <= SMALLEST_PAGE:
                raise SourceError(
                    f"{client.label}: even one object of {table} costs more than one query may.",
                    "Report it; Shopify's limits have changed.",
                ) from None
            size = max(SMALLEST_PAGE, size // 2)


def _count(client: GraphqlClient, table: str, search: str) -> int:
    """How many objects the search finds; 0 where Shopify gives no exact number."""

    def ask() -> int:
        answer = client.query(queries.count_query(table), query=search)
        count = answer.get(f"{queries.root_of(table)}Count") or {}
        return int(count.get("count", 0)) if count.get("precision") == "EXACT" else 0

    return retried_page(ask, f"{client.label}: the count of {table}", client.http)


def _complete(client: GraphqlClient, table: str, node: Node) -> Node:
    """The object with its inner connections read to their end and without page details."""
    for connection in queries.INNER[table].values():
        fill(client, node, connection)
    for refund in node.get("refunds") or []:
        for connection in queries.OF_REFUNDS:
            fill(client, refund, connection)
    return node


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


def _checkout(node: Node) -> Node:
    customer = node.get("customer") or {}
    return {
        "checkout_id": number_of(node.get("id")),
        "email": (customer.get("defaultEmailAddress") or {}).get("emailAddress"),
        "phone": (customer.get("defaultPhoneNumber") or {}).get("phoneNumber"),
        "created_at": node.get("createdAt"),
        "completed_at": node.get("completedAt"),
        "updated_at": node.get("updatedAt"),
        "payload": node,
    }


def _discount(node: Node) -> Node:
    discount = node.get("discount") or {}
    return {
        "discount_id": number_of(node.get("id")),
        "title": discount.get("title"),
        "status": discount.get("status"),
        "starts_at": discount.get("startsAt"),
        "ends_at": discount.get("endsAt"),
        "updated_at": discount.get("updatedAt"),
        "payload": discount,
    }


_ROWS = {
    "orders": _order,
    "customers": _customer,
    "products": _product,
    "checkouts": _checkout,
    "discounts": _discount,
}
_IDS = {
    "orders": "order_id",
    "customers": "shopify_customer_id",
    "products": "product_id",
    "checkouts": "checkout_id",
    "discounts": "discount_id",
}


def _row(table: str, node: Node, name: str, shop: ShopSettings) -> Node:
    """A table's row. Of the shop without a name, ids stay as they are and nothing is added."""
    row = _ROWS[table](node)
    key = _IDS[table]
    scoped = f"{name}:{row[key]}" if name and row[key] else row[key]
    return {**row, key: scoped, "shop_id": shop.shop_id or None, "id_scope": name or None}


def check_connection(own: ShopifySettings) -> list[Check]:
    """Of each shop, whether its credentials are set and accepted, and which scopes its app has."""
    shops = own.by_name()
    return [check for name in own.accounts() for check in _check_shop(_label(name), shops[name])]


def _check_shop(label: str, own: ShopSettings) -> list[Check]:
    checks = [credential_check(label, name) for name in (own.client_id_env, own.client_secret_env)]
    if any(check.status != "ok" for check in checks):
        return checks
    client = GraphqlClient(own, label)
    client.http.attempts = 2
    token = f"{label} token"
    try:
        installation = client.query(queries.SCOPES)["currentAppInstallation"]
    except (PageError, CostTooHighError, KeyError):
        hint = "Check base_url and api_version."
        return [*checks, Check(token, "failed", "The API answered with an error.", hint)]
    except RegularsError as error:
        return [*checks, Check(token, "failed", error.message, error.hint)]
    finally:
        client.close()
    checks.append(Check(token, "ok", "The API grants a token."))
    granted = {scope["handle"] for scope in installation["accessScopes"]}
    for table, scopes in SCOPES.items():
        missing = [scope for scope in scopes if scope not in granted]
        if missing and table in OPTIONAL:
            sentence = f"Left out, for want of {', '.join(missing)}."
            checks.append(Check(f"{label} {table}", "ok", sentence))
        elif missing:
            hint = f"Add {', '.join(missing)} to the app and install it again."
            sentence = f"Missing: {', '.join(missing)}."
            checks.append(Check(f"{label} {table}", "failed", sentence, hint))
        else:
            checks.append(Check(f"{label} {table}", "ok", f"Readable ({', '.join(scopes)})."))
    return checks


SOURCE = ApiSource(
    "shopify",
    "Orders, customers, products, checkouts and discounts from Shopify's GraphQL Admin API.",
    (ORDERS, CUSTOMERS, PRODUCTS, CHECKOUTS, DISCOUNTS),
    ShopifySettings,
    pull,
    check_connection,
)
