"""Shopify's bulk operation: everything of one table since a date, as one counted file.

The result is JSON Lines in which inner objects follow their parent (`groupObjects`), so it is read
as a stream. A bulk operation takes no connection inside a list, so the lines of refunds are asked
for afterwards. Whatever does not add up fails the source.

Belongs here: starting, waiting, reading, counting. Does not belong here: increments (sources/).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from ingestion.apis.paging import PageError, retried_page
from ingestion.errors import SourceError
from ingestion.sources.shopify import queries
from ingestion.sources.shopify.graphql import GraphqlClient, fill, search_since

Node = dict[str, Any]

POLL_SECONDS = (0.05, 0.2, 0.5, 1.0, 2.0, 5.0)
POLLS = 10_000
START_TRIES = 120
ROWS_AT_ONCE = 500
REFUNDS_AT_ONCE = 20


def bulk_pages(client: GraphqlClient, table: str, since: datetime) -> Iterator[list[Node]]:
    """Everything since a date in one operation, then counted.

    Raises:
        SourceError: the operation was refused, failed or did not end; its result is incomplete.
    """
    job = _run_bulk(client, queries.bulk_query(table, search_since(since)))
    expected, roots, received = int(job["objectCount"]), int(job["rootObjectCount"]), 0
    root_count = 0
    if job["url"]:
        lines = client.http.lines(job["url"], int(job["fileSize"]) + 1024)
        for chunk in _chunks(_grouped(client.label, table, lines)):
            root_count += len(chunk)
            received += sum(1 + _inner_count(table, node) for node in chunk)
            if table == "orders":
                _add_refund_lines(client, chunk)
            yield chunk
    if (received, root_count) != (expected, roots):
        raise SourceError(
            f"{client.label}: the bulk result of {table} holds"
            f" {received:,} of {expected:,} objects.",
            "Run again; nothing of this table was loaded.",
        )


def _run_bulk(client: GraphqlClient, query: str) -> Node:
    """Start the operation and wait for its end."""

    def start() -> Node:
        return client.query(queries.START_BULK, query=query).get("bulkOperationRunQuery") or {}

    for attempt in range(START_TRIES):
        started = retried_page(start, f"{client.label}: a bulk operation", client.http)
        if not _is_busy(started):
            break
        # Another one is running: perhaps ours, whose first answer was lost on the way.
        client.http.sleep(POLL_SECONDS[min(attempt, len(POLL_SECONDS) - 1)])
    if started.get("userErrors") or not started.get("bulkOperation"):
        raise SourceError(
            f"{client.label}: the bulk operation was refused"
            + ("; another one is still running." if _is_busy(started) else "."),
            "Run again later, or set bulk_backfill = false for this source.",
        )
    key = started["bulkOperation"]["id"]

    def look() -> Node:
        return client.query(queries.POLL_BULK, id=key).get("node") or {}

    for poll in range(POLLS):
        job = retried_page(look, f"{client.label}: the bulk operation", client.http)
        status = job.get("status")
        if status == "COMPLETED":
            return job
        if status not in ("CREATED", "RUNNING"):
            raise SourceError(
                f"{client.label}: the bulk operation ended as {status or 'unknown'}.",
                "Run again later.",
            )
        client.http.sleep(POLL_SECONDS[min(poll, len(POLL_SECONDS) - 1)])
    raise SourceError(f"{client.label}: the bulk operation did not end.", "Run again later.")


def _is_busy(started: Node) -> bool:
    messages = [str(error.get("message", "")) for error in started.get("userErrors") or []]
    return any("in progress" in message for message in messages)


def _grouped(label: str, table: str, lines: Iterable[str]) -> Iterator[Node]:
    """Objects with their inner ones, from lines in which these follow their parent."""
    inner = queries.INNER[table]
    node: Node | None = None
    for line in lines:
        if not line:
            continue
        try:
            item = json.loads(line)
        except ValueError:
            raise SourceError(
                f"{label}: the bulk result of {table} is cut off in a line.", "Run again."
            ) from None
        parent = item.pop("__parentId", None)
        if parent is None:
            if node is not None:
                yield node
            node = item
            node |= {connection: {"nodes": []} for connection in inner.values()}
            continue
        connection = inner.get(item.pop("__typename", None))
        if node is None or parent != node["id"] or connection is None:
            raise SourceError(f"{label}: the bulk result of {table} is not grouped by parent.")
        node[connection]["nodes"].append(item)
    if node is not None:
        yield node


def _chunks(nodes: Iterable[Node]) -> Iterator[list[Node]]:
    chunk: list[Node] = []
    for node in nodes:
        chunk.append(node)
        if len(chunk) == ROWS_AT_ONCE:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _inner_count(table: str, node: Node) -> int:
    return sum(len(node[connection]["nodes"]) for connection in queries.INNER[table].values())


def _add_refund_lines(client: GraphqlClient, orders: list[Node]) -> None:
    """What a bulk operation cannot give: the lines of refunds, of goods and of shipping."""
    refunded = [order for order in orders if order["refunds"]]
    for start in range(0, len(refunded), REFUNDS_AT_ONCE):
        batch = refunded[start : start + REFUNDS_AT_ONCE]
        ids = [order["id"] for order in batch]

        def ask(ids: list[str] = ids) -> list[Node]:
            nodes = client.query(queries.REFUNDS_QUERY, ids=ids).get("nodes")
            if not isinstance(nodes, list) or len(nodes) != len(ids) or None in nodes:
                raise PageError("an answer that lacks orders")
            return nodes

        for order, nodes in zip(
            batch, retried_page(ask, f"{client.label}: refunds", client.http), strict=True
        ):
            order["refunds"] = nodes["refunds"]
            for refund in order["refunds"]:
                for connection in queries.OF_REFUNDS:
                    fill(client, refund, connection)
