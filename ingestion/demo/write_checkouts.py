"""The pretend shop's checkouts that were begun and left, as its Shopify lists them, and the truth.

Data flow: checkouts of a block -> api/shopify/abandonedCheckouts/part-BBB.jsonl; truth/checkouts.
Does not belong here: who begins one (browsing, clickstream), or serving it (shopify_server).

What becomes of one depends on its visit, its day and later orders alone, so no other draw changes.
Shopify keeps them for three months.
"""

from __future__ import annotations

from pathlib import Path

from ingestion.demo.calendar import DAY, HOUR
from ingestion.demo.json_text import Quoted, Shape, Word, json_sql, text, when
from ingestion.demo.tables import Connection, copy_lines

_KEPT = 90 * DAY
_BOUGHT_WITHIN = 30 * DAY
_ID_BASE = 38_000_000_000_000

# Half are opened again from Shopify's reminder in the last hour of its day; some are paid.
_CHECKOUTS = f"""
create or replace temp table checkouts as
with begun as (
    select c.visit, c.began, v.person, v.email, r.*, s.price,
        {_ID_BASE} + block() * 1000000000 + c.visit * 11 as id,
        md5_number_lower(concat_ws(':', seed(), block(), 'checkout', c.visit)) as dice
    from begun_checkouts c
    join visits v on v.v = c.visit
    join products r on r.index = c.product
    join product_states s on s.index = c.product and s.since <= c.began and c.began < s.until
    where c.began >= getvariable('until') - {_KEPT}
),
ordered as (
    select b.id, min(o.placed) as next_placed,
        min(o.placed) filter (
            where o.is_online and o.placed < b.began + {_BOUGHT_WITHIN}
            and exists (
                select 1 from lines l where l.order_row = o.o and l.product = b.index
            )
        ) as completed
    from begun b join orders o on o.person = b.person and o.placed >= b.began and not o.is_test
    group by b.id
),
opened as (
    select *, (began // {DAY} + 1) * {DAY} - 60 * (1 + dice // 2 % 50)::bigint as again from begun
)
select b.*, o.completed, o.next_placed,
    greatest(
        b.began, coalesce(o.completed, 0),
        if(b.dice % 2 = 0 and b.again < getvariable('until'), b.again, 0)
    ) as updated
from opened b left join ordered o using (id)
"""

_MONEY: Shape = {"amount": Quoted("money(c.price)"), "currencyCode": Word("GBP")}
_PRICE: Shape = {"shopMoney": _MONEY, "presentmentMoney": _MONEY}
_NOTHING: Shape = {"amount": Word("0.00"), "currencyCode": Word("GBP")}
_CHECKOUT: Shape = {
    "id": Quoted("c.id", "gid://shopify/AbandonedCheckout/"),
    "name": Quoted("c.id", "#"),
    "createdAt": Quoted("iso(c.began)"),
    "updatedAt": Quoted("iso(c.updated)"),
    "completedAt": when("c.completed is not null", Quoted("iso(c.completed)")),
    "taxesIncluded": True,
    "discountCodes": [],
    "customAttributes": [],
    "customer": {
        "id": Quoted("e.shopify_customer_id", "gid://shopify/Customer/"),
        "firstName": text("p.first_name"),
        "lastName": text("p.last_name"),
        "defaultEmailAddress": {"emailAddress": text("e.value")},
        "defaultPhoneNumber": when("h.value is not null", {"phoneNumber": text("h.value")}),
    },
    "subtotalPriceSet": _PRICE,
    "totalPriceSet": _PRICE,
    "totalDiscountSet": {"shopMoney": _NOTHING, "presentmentMoney": _NOTHING},
    "lineItems": {
        "nodes": [
            {
                "id": Quoted("c.id", "gid://shopify/AbandonedCheckoutLineItem/"),
                "title": text("c.name"),
                "sku": text("c.sku"),
                "quantity": 1,
                "product": {"id": Quoted("c.product_id", "gid://shopify/Product/")},
                "originalUnitPriceSet": _PRICE,
            }
        ]
    },
}
# A number is typed now and then, where it is the person's own at that time.
_NODES = f"""
select {json_sql(_CHECKOUT)} as line
from checkouts c
join people p on p.p = c.person
join emails e on e.e = c.email
left join phones h
    on h.k = p.phone and c.dice % 4 = 0 and p.phone_from <= c.began and c.began < p.phone_until
order by c.began, c.id
"""

TRUTH = f"""
select c.id::text as checkout_id, p.person_id, moment(c.began) as started_at, c.product_id,
    (c.price / 100)::decimal(18, 2) as total_gbp,
    case
        when c.completed is not null then 'bought'
        when c.next_placed is not null then 'ordered_since'
        when c.updated > getvariable('until') - {HOUR} then 'open'
        else 'abandoned'
    end as status
from checkouts c join people p on p.p = c.person
order by c.began, c.id
"""


def prepare(con: Connection, until: int) -> None:
    """Make `checkouts`: what Shopify keeps of those begun before a moment, in seconds UTC."""
    con.execute(f"set variable until = {until}")
    con.execute(_CHECKOUTS)


def write_api_block(con: Connection, folder: Path, block: int, until: int) -> None:
    """Write the block's checkouts as GraphQL nodes, as they are at a moment."""
    prepare(con, until)
    copy_lines(con, _NODES, folder / "abandonedCheckouts" / f"part-{block:03d}.jsonl")
