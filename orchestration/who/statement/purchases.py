"""What somebody ordered: how often, the last of it, and what each came to after what went back.

Belongs here: that section, and which order a return document belongs to. Does not belong here: what
counts as an order (`marts.fct_orders`).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal

from orchestration.who.statement.parts import Asked, Row, Section, Tables
from orchestration.words import amounts, codes
from orchestration.words import to_customers as words

MAX_ORDERS = 12
_COLUMNS = ("When", "Where", "What", "Goods, less returns", "With shipping and tax")

Goods = Counter[str]
Key = tuple[str, str]


def orders(tables: Tables, asked: Asked) -> Section:
    """How many there were, what they came to, and the last of them with what went back."""
    zone = asked.settings.shop.zone
    settled = _settled(tables)
    if not settled:
        return Section("Your orders", ["None."])
    kept = [order for order in settled if order["is_kept"]]
    sentences = [_counted(kept, [amounts.day(order["ordered_at"], zone) for order in kept])]
    if other := len(settled) - len(kept):
        sentences.append(
            f"{amounts.counted(other, 'other records')} beside them: cancelled, free, a test, or"
            " goods sent back from an order that we cannot name."
        )
    sentences += _altogether(tables)
    sentences.append("Each is kept as our shop system has it, with its addresses and payment.")
    if len(settled) > MAX_ORDERS:
        sentences.append(f"These are the last {MAX_ORDERS}:")
    rows = [
        (
            amounts.day(order["ordered_at"], zone),
            _where(order),
            words.ORDER_STATES.get(order["status"], codes.label(order["status"]).lower()),
            amounts.exact(order["net_sales"], order["currency"]),
            amounts.exact(order["total_sales"], order["currency"]),
        )
        for order in settled[:MAX_ORDERS]
    ]
    return Section("Your orders", sentences, _COLUMNS, rows)


def _counted(kept: Sequence[Row], days: Sequence[str]) -> str:
    """How many and from when to when, the newest being first."""
    if not kept:
        return "No order that counts."
    sentence = f"{amounts.counted(len(kept), 'orders')}, the first on {days[-1]}"
    return f"{sentence}, the last on {days[0]}." if len(kept) > 1 else f"{sentence}."


def _altogether(tables: Tables) -> list[str]:
    """What the reasons of groups speak of: goods, less discounts and returns."""
    return [
        f"Goods for {amounts.exact(person['lifetime_net_sales'], person['currency'])} in all, less"
        " discounts and returns, without shipping and tax."
        for person in tables.get("marts.dim_customers", ())
        if person.get("lifetime_net_sales")
    ]


def _settled(tables: Tables) -> list[Row]:
    """The orders, newest first, each with the return documents that belong to it taken off.

    A return document names no order. It belongs to the latest one before it that holds all of its
    goods; where there is none it stays a record of its own.
    """
    goods = _goods(tables)
    documents = sorted(
        tables.get("marts.fct_orders", ()),
        key=lambda row: (row["ordered_at"], row["order_id"]),
        reverse=True,
    )
    kept = [row for row in documents if row["is_kept"]]
    open_goods = {_key(row): goods[_key(row)] for row in kept}
    back: dict[Key, list[Row]] = defaultdict(list)
    settled = set()
    for document in reversed(documents):
        if document["is_kept"] or (document["net_sales"] or 0) >= 0:
            continue
        taken = goods[_key(document)]
        for order in kept:
            key = _key(order)
            if _is_before(order, document) and taken and taken <= open_goods[key]:
                open_goods[key] = open_goods[key] - taken
                back[key].append(document)
                settled.add(_key(document))
                break
    return [
        _less(row, back[_key(row)], is_whole=not open_goods.get(_key(row)))
        for row in documents
        if _key(row) not in settled
    ]


def _less(order: Row, documents: Sequence[Row], *, is_whole: bool) -> Row:
    """An order after its return documents."""
    if not documents:
        return order
    less: Mapping[str, Decimal | None] = {
        measure: _sum([order[measure], *(document[measure] for document in documents)])
        for measure in ("net_sales", "total_sales")
    }
    return {**order, **less, "status": "returned" if is_whole else "partially_returned"}


def _sum(parts: Sequence[Decimal | None]) -> Decimal | None:
    """Unknown where a part is."""
    known = [part for part in parts if part is not None]
    return sum(known, Decimal(0)) if len(known) == len(parts) else None


def _goods(tables: Tables) -> dict[Key, Goods]:
    """How many pieces of what each order still holds, or each return document took back."""
    goods: dict[Key, Goods] = defaultdict(Counter)
    for line in tables.get("marts.fct_order_lines", ()):
        product = line.get("product_id") or line.get("sku") or line.get("product_name")
        returned = line["returned_quantity"] or 0
        pieces = returned if line["is_return_line"] else (line["quantity"] or 0) - returned
        if product and pieces > 0:
            goods[_key(line)][str(product)] += pieces
    return goods


def _key(row: Row) -> Key:
    return str(row["order_source"]), str(row["order_id"])


def _is_before(order: Row, document: Row) -> bool:
    is_same = (order["order_source"], order["currency"]) == (
        document["order_source"],
        document["currency"],
    )
    return is_same and bool(order["ordered_at"] <= document["ordered_at"])


def _where(order: Row) -> str:
    if order.get("store_id"):
        return f"store {order['store_id']}"
    return codes.label(order.get("sales_channel")).lower()
