"""The pretend shop's online orders, customers and products: as GraphQL nodes and as Order JSON.

Data flow: tables of a block -> api/shopify/{orders,customers,products}/ (nodes with every field of
our schema, for the server) or orders/part-BBB.jsonl.gz (Shopify's REST and webhook shape).
Does not belong here: paging, filters and throttling (the server's).
"""

from __future__ import annotations

from pathlib import Path

from ingestion.demo import write_gifts
from ingestion.demo.catalogue import CURRENCIES, PRICE_FACTOR, SHOP_URL
from ingestion.demo.json_text import Quoted, Shape, Word, json_sql, rows, text, when
from ingestion.demo.purchases import DISCOUNTS
from ingestion.demo.tables import Connection, copy_lines


def _bag(minor: str) -> Shape:
    """A MoneyBag: the same amount as the shop and as the buyer sees it."""
    money: Shape = {"amount": Quoted(f"money({minor})"), "currencyCode": Quoted("o.currency_name")}
    return {"shopMoney": money, "presentmentMoney": money}


_REFUNDED = "l.price * l.returned - l.discount * l.returned // l.quantity"
_FACTS = """
create or replace temp table order_facts as
select
    o.*,
    t.total,
    order_id(o.number) as id,
    coalesce(nullif(o.refunded, 0), nullif(o.cancelled, 0), o.placed + 30) as updated,
    case when o.cancelled > 0 then 'REFUNDED' when r.returned = r.quantity then 'REFUNDED'
        when r.returned > 0 then 'PARTIALLY_REFUNDED' else 'PAID' end as financial_status,
    r.returned,
    r.refunded_amount,
    r.gross,
    r.discount as discount_total,
    r.tax as tax_total,
    r.refunded_tax,
    p.person_id,
    case when o.name_is_initial then p.first_name[1] || '.' else p.first_name end as first_name,
    p.last_name, p.street, p.postcode, p.country,
    case when o.is_test then 'test.order@shop.example.com' else e.value end as email_value,
    h.value as phone_value,
    case when o.is_test then null else e.shopify_customer_id end as customer_id,
    w.anonymous_id,
    w.referrer,
    w.landing_query,
    coalesce(g.attributes, []) as gift_attributes,
    u.name as currency_name,
    k.name as payment_name
from orders o
join order_totals t on t.o = o.o
join people p on p.p = o.person
join currencies u on u.code = o.currency
join payment_kinds k on k.code = o.payment
join (
    select order_row, sum(returned)::bigint as returned, sum(quantity)::bigint as quantity,
        sum(case when returned > 0 then price * returned - discount * returned // quantity
            else 0 end)::bigint
            as refunded_amount,
        sum(price * quantity)::bigint as gross, sum(discount)::bigint as discount,
        sum(round((price * quantity - discount) / 6.0))::bigint as tax,
        sum(case when returned > 0
            then round((price * returned - discount * returned // quantity) / 6.0) else 0 end)
            ::bigint as refunded_tax
    from lines group by order_row
) r on r.order_row = o.o
left join emails e on e.e = o.email
left join phones h on h.k = o.phone
left join (select order_row, anonymous_id, referrer, landing_query from web_visits
    join visits using (v)
    where order_row >= 0) w on w.order_row = o.o
left join gifts g on g.o = o.o
where o.is_online
"""

_NAME = text("o.first_name || ' ' || o.last_name")
_ADDRESS = when(
    "not o.is_test",
    {
        "firstName": text("o.first_name"),
        "lastName": text("o.last_name"),
        "name": _NAME,
        "phone": text("o.phone_value"),
        "address1": text("o.street"),
        "city": None,
        "zip": text("o.postcode"),
        "provinceCode": None,
        "countryCodeV2": text("o.country"),
    },
)
_LINE_ID = Quoted("(o.id * 100 + l.place)", "gid://shopify/LineItem/")
_LINE: Shape = {
    "id": _LINE_ID,
    "title": text("r.name"),
    "name": text("r.name"),
    "sku": text("r.sku"),
    "vendor": text("r.brand"),
    "quantity": "l.quantity",
    "currentQuantity": "(l.quantity - l.returned)",
    "isGiftCard": "(r.name = 'Gift Card')",
    "product": {
        "id": Quoted("r.product_id", "gid://shopify/Product/"),
        "productType": text("r.category"),
    },
    "variant": {"id": Quoted("(r.product_id::bigint + 1)", "gid://shopify/ProductVariant/")},
    "originalUnitPriceSet": _bag("l.price"),
    "totalDiscountSet": _bag("l.discount"),
    "discountAllocations": when("l.discount > 0", [{"allocatedAmountSet": _bag("l.discount")}], []),
    "taxLines": [
        {
            "title": Word("VAT"),
            "rate": 0.2,
            "priceSet": _bag("round((l.price * l.quantity - l.discount) / 6.0)"),
        }
    ],
}
_REFUND_LINE: Shape = {
    "quantity": "l.returned",
    "subtotalSet": _bag(f"({_REFUNDED})"),
    "totalTaxSet": _bag(f"round(({_REFUNDED}) / 6.0)"),
    "lineItem": {"id": _LINE_ID},
}
_GATEWAY = when("o.payment_name = 'card'", Word("shopify_payments"), Quoted("o.payment_name"))


def _refund(moment: str, amount: str, line_nodes: Shape, shipping_nodes: Shape) -> Shape:
    """A refund of an amount at a moment, and what of it is for what."""
    repaid: Shape = {
        "id": Quoted("(o.id + 6)", "gid://shopify/OrderTransaction/"),
        "kind": Word("REFUND"),
        "status": Word("SUCCESS"),
        "test": "o.is_test",
        "amountSet": _bag(amount),
    }
    return {
        "id": Quoted("(o.id + 5)", "gid://shopify/Refund/"),
        "createdAt": Quoted(f"iso({moment})"),
        "totalRefundedSet": _bag(amount),
        "transactions": {"nodes": [repaid]},
        "refundLineItems": {"nodes": line_nodes},
        "refundShippingLines": {"nodes": shipping_nodes},
        "orderAdjustments": {"nodes": []},
        "duties": [],
    }


_SHIPPING_BACK: Shape = {"subtotalAmountSet": _bag("o.shipping"), "taxAmountSet": _bag("0")}
_ORDER: Shape = {
    "id": Quoted("o.id", "gid://shopify/Order/"),
    "name": Quoted("(1001 + o.number)", "#"),
    "createdAt": Quoted("iso(o.placed)"),
    "processedAt": Quoted("iso(o.placed)"),
    "updatedAt": Quoted("iso(o.updated)"),
    "cancelledAt": when("o.cancelled > 0", Quoted("iso(o.cancelled)")),
    "cancelReason": when("o.cancelled > 0", Word("CUSTOMER")),
    "test": "o.is_test",
    "displayFinancialStatus": Quoted("o.financial_status"),
    "currencyCode": Quoted("o.currency_name"),
    "presentmentCurrencyCode": Quoted("o.currency_name"),
    "taxesIncluded": True,
    "email": text("o.email_value"),
    "phone": text("o.phone_value"),
    "sourceName": Word("web"),
    "customerAcceptsMarketing": False,
    "paymentGatewayNames": [_GATEWAY],
    "discountCodes": when("o.discount_percent > 0", [Quoted("o.discount_percent", "SAVE")], []),
    "tags": when("o.is_test", [Word("test")], []),
    "subtotalPriceSet": _bag("(o.gross - o.discount_total)"),
    "totalPriceSet": _bag("o.total"),
    "totalTaxSet": _bag("o.tax_total"),
    "totalDiscountsSet": _bag("o.discount_total"),
    "totalShippingPriceSet": _bag("o.shipping"),
    "totalRefundedSet": _bag("(case when o.cancelled > 0 then o.total else o.refunded_amount end)"),
    "totalTipReceivedSet": _bag("0"),
    "customer": when(
        "o.customer_id is not null",
        {
            "id": Quoted("o.customer_id", "gid://shopify/Customer/"),
            "firstName": text("o.first_name"),
            "lastName": text("o.last_name"),
            "defaultEmailAddress": {"emailAddress": text("o.email_value")},
            "defaultPhoneNumber": when(
                "o.phone_value is not null", {"phoneNumber": text("o.phone_value")}
            ),
        },
    ),
    "billingAddress": _ADDRESS,
    "shippingAddress": _ADDRESS,
    "customAttributes": """to_json(o.gift_attributes
        || case when o.number % 5 < 3 and o.anonymous_id is not null
        then [{'key': 'anonymousId', 'value': o.anonymous_id}] else [] end)::text""",
    "customerJourneySummary": when(
        "o.anonymous_id is not null",
        {
            "firstVisit": {
                "landingPage": text(f"'{SHOP_URL}/' || o.landing_query"),
                "referrerUrl": text("nullif(o.referrer, '')"),
            }
        },
    ),
    "retailLocation": None,
    "transactions": [
        {
            "id": Quoted("(o.id + 3)", "gid://shopify/OrderTransaction/"),
            "kind": Word("SALE"),
            "status": Word("SUCCESS"),
            "gateway": _GATEWAY,
            "processedAt": Quoted("iso(o.placed)"),
            "test": "o.is_test",
            "amountSet": _bag("o.total"),
            "paymentDetails": when(
                "o.payment_name = 'card'",
                {
                    "company": Word("Visa"),
                    "bin": Word("424242"),
                    "expirationMonth": "(1 + o.person % 12)",
                    "expirationYear": "(2027 + o.person % 4)",
                    "number": Quoted(
                        "printf('%04d', (o.card * 7919 % 10000)::integer)", "•••• •••• •••• "
                    ),
                    "name": _NAME,
                    "wallet": None,
                },
            ),
        }
    ],
    "refunds": when(
        "o.cancelled > 0",
        [_refund("o.cancelled", "o.total", [], when("o.shipping > 0", [_SHIPPING_BACK], []))],
        when(
            "o.refunded > 0",
            [_refund("o.refunded", "o.refunded_amount", "n.refunded_nodes", [])],
            [],
        ),
    ),
    "lineItems": {"nodes": "n.nodes"},
    "shippingLines": {
        "nodes": when(
            "o.shipping > 0",
            [
                {
                    "title": Word("Standard"),
                    "discountedPriceSet": _bag("o.shipping"),
                    "taxLines": [],
                }
            ],
            [],
        )
    },
}

_NODES = f"""
with line_nodes as (
    select l.order_row, {rows(_LINE, "l.place")} as nodes,
        {rows(_REFUND_LINE, "l.place", "l.returned > 0")} as refunded_nodes
    from lines l
    join order_facts o on o.o = l.order_row
    join products r on r.index = l.product
    group by l.order_row
)
select {json_sql(_ORDER)} as line
from order_facts o
join line_nodes n on n.order_row = o.o
order by o.placed, o.number
"""

_CUSTOMERS = """
with first_orders as (
    select customer_id, min(placed) as created, max(updated) as updated, count(*) as orders,
        max(phone_value) as phone
    from order_facts where customer_id is not null group by customer_id
),
wishes as (
    select email, max_by(status, (occurred, c)) as status, max(occurred) as occurred,
        max_by(expires, (occurred, c)) as expires
    from consents where channel = 0 and email >= 0 group by email
)
select to_json({
    'id': 'gid://shopify/Customer/' || f.customer_id,
    'firstName': p.first_name, 'lastName': p.last_name,
    'createdAt': iso(f.created), 'updatedAt': iso(greatest(f.updated, coalesce(w.occurred, 0))),
    'numberOfOrders': f.orders::text, 'state': 'ENABLED', 'verifiedEmail': true, 'locale': 'en',
        'tags': [],
    'dataSaleOptOut': e.e % 50 = 7,
    'defaultEmailAddress': {
        'emailAddress': e.value,
        'marketingState': case when w.status is null then 'NOT_SUBSCRIBED' when w.status = 0
            then 'SUBSCRIBED'
            when w.status = 1 then 'NOT_SUBSCRIBED' else 'UNSUBSCRIBED' end,
        'marketingOptInLevel': case when w.status = 0 then 'SINGLE_OPT_IN' end,
        'marketingUpdatedAt': case when w.status is not null then iso(w.occurred) end},
    'defaultPhoneNumber': case when f.phone is not null then {
        'phoneNumber': f.phone, 'marketingState': 'NOT_SUBSCRIBED',
            'marketingOptInLevel': 'UNKNOWN',
        'marketingUpdatedAt': null::text} end,
    'defaultAddress': {'firstName': p.first_name, 'lastName': p.last_name, 'address1': p.street,
        'city': null,
        'zip': p.postcode, 'provinceCode': null, 'countryCodeV2': p.country, 'phone': f.phone,
        'name': p.first_name || ' ' || p.last_name}
})::text as line
from first_orders f
join emails e on e.shopify_customer_id = f.customer_id
join (select customer_id, arg_min(person, (placed, number)) as person from order_facts
    group by customer_id) b
    on b.customer_id = f.customer_id
join people p on p.p = b.person
left join wishes w on w.email = e.e
order by f.created, f.customer_id
"""

_PRODUCTS = """
select to_json({
    'id': 'gid://shopify/Product/' || product_id, 'title': name, 'handle': replace(lower(name),
        ' ', '-'),
    'vendor': brand, 'productType': category, 'status': 'ACTIVE', 'tags': [substitute_group],
    'createdAt': iso(getvariable('since')),
    'updatedAt': iso(greatest(getvariable('since') + index * 3600, s.since)),
    'priceRangeV2': {'minVariantPrice': {'amount': money(own_price), 'currencyCode': own_currency},
        'maxVariantPrice': {'amount': money(own_price), 'currencyCode': own_currency}},
    'tracksInventory': true, 'totalInventory': case when s.in_stock then 20 + index % 30 else 0 end,
    'variants': {'nodes': [{
        'id': 'gid://shopify/ProductVariant/' || (product_id::bigint + 1), 'sku': sku,
            'title': 'Default Title',
        'price': money(own_price), 'availableForSale': s.in_stock,
        'inventoryQuantity': case when s.in_stock then 20 + index % 30 else 0 end,
        'inventoryItem': {'unitCost': {'amount': money(round(cost * getvariable('factor'))),
            'currencyCode': own_currency}}}]}
})::text as line
from products join (
    select *, round(price * getvariable('factor') / 5) * 5 as own_price,
        getvariable('currency') as own_currency
    from product_states
) s using (index)
where s.since < getvariable('until') and s.until >= getvariable('until')
order by index
"""

_REST = """
with line_items as (
    select l.order_row,
        list({
            'id': o.id * 100 + l.place, 'product_id': r.product_id::bigint,
                'variant_id': r.product_id::bigint + 1,
            'sku': r.sku, 'title': r.name, 'name': r.name, 'vendor': r.brand,
                'quantity': l.quantity,
            'price': money(l.price), 'total_discount': money(l.discount),
                'gift_card': r.name = 'Gift Card',
            'tax_lines': [{'title': 'VAT', 'rate': 0.2,
                'price': money(round((l.price * l.quantity - l.discount) / 6.0))}]
        } order by l.place) as items,
        list({
            'line_item_id': o.id * 100 + l.place, 'quantity': l.returned,
            'subtotal': money(l.price * l.returned - l.discount * l.returned // l.quantity),
            'total_tax': money(
                round((l.price * l.returned - l.discount * l.returned // l.quantity) / 6.0))
        } order by l.place) filter (where l.returned > 0) as refunded_items
    from lines l join order_facts o on o.o = l.order_row join products r on r.index = l.product
    group by l.order_row
)
select to_json({
    'id': o.id, 'name': '#' || (1001 + o.number),
    'created_at': iso(o.placed), 'processed_at': iso(o.placed), 'updated_at': iso(o.updated),
    'cancelled_at': case when o.cancelled > 0 then iso(o.cancelled) end,
    'cancel_reason': case when o.cancelled > 0 then 'customer' end,
    'test': o.is_test, 'financial_status': lower(o.financial_status),
    'currency': o.currency_name, 'presentment_currency': o.currency_name, 'taxes_included': true,
    'email': o.email_value, 'phone': o.phone_value, 'buyer_accepts_marketing': false,
    'customer': case when o.customer_id is not null
        then {'id': o.customer_id, 'email': o.email_value,
        'phone': o.phone_value, 'first_name': o.first_name, 'last_name': o.last_name} end,
    'line_items': n.items,
    'discount_codes': case when o.discount_percent > 0 then [{'code': 'SAVE' || o.discount_percent,
        'amount': money(o.discount_total), 'type': 'percentage'}] else [] end,
    'total_line_items_price': money(o.gross), 'subtotal_price': money(o.gross - o.discount_total),
    'total_price': money(o.total), 'total_tax': money(o.tax_total),
        'total_discounts': money(o.discount_total),
    'total_shipping_price_set': {'shop_money': {
        'amount': money(o.shipping), 'currency_code': o.currency_name}},
    'refunds': case
        when o.cancelled > 0
            then [{'id': o.id + 5, 'created_at': iso(o.cancelled), 'refund_line_items': [],
            'transactions': [{'id': o.id + 6, 'kind': 'refund', 'status': 'success',
                'amount': money(o.total)}]}]
        when o.refunded > 0 then [{'id': o.id + 5, 'created_at': iso(o.refunded),
            'refund_line_items': n.refunded_items,
            'transactions': [{'id': o.id + 6, 'kind': 'refund', 'status': 'success',
                'amount': money(o.refunded_amount)}]}]
        else [] end,
    'payment_gateway_names': [case when o.payment_name = 'card' then 'shopify_payments'
        else o.payment_name end],
    'payment_fingerprint': c.value,
    'source_name': 'web', 'location_id': null,
    'cart_token': 'c' || md5(concat_ws(':', seed(), block(), 'token', o.number))[1:12],
    'landing_site': case when o.anonymous_id is not null then '/' || o.landing_query end,
    'referring_site': nullif(o.referrer, ''),
    'billing_address': case when not o.is_test
        then {'first_name': o.first_name, 'last_name': o.last_name,
        'name': o.first_name || ' ' || o.last_name, 'phone': o.phone_value, 'address1': o.street,
        'zip': o.postcode, 'country_code': o.country} end,
    'note_attributes': [{'name': x.key, 'value': x.value} for x in o.gift_attributes]
        || case when o.number % 5 < 3 and o.anonymous_id is not null
        then [{'name': 'anonymousId', 'value': o.anonymous_id}] else [] end
})::text as line
from order_facts o
join line_items n on n.order_row = o.o
left join cards c on c.k = o.card
order by o.placed, o.number
"""


def write_api_block(con: Connection, folder: Path, block: int) -> None:
    """Write the block's orders and customers as the GraphQL nodes that the server knows."""
    con.execute(write_gifts.GIFTS)
    con.execute(_FACTS)
    copy_lines(con, _NODES, folder / "orders" / f"part-{block:03d}.jsonl")
    copy_lines(con, _CUSTOMERS, folder / "customers" / f"part-{block:03d}.jsonl")


_DISCOUNTS = """
select to_json({
    'id': 'gid://shopify/DiscountNode/' || (7000 + percent), 'updatedAt': iso(getvariable('since')),
    'discount': {
        '__typename': 'DiscountCodeBasic', 'title': percent || ' % off', 'status': 'ACTIVE',
        'startsAt': iso(getvariable('since')), 'endsAt': null,
        'createdAt': iso(getvariable('since')), 'updatedAt': iso(getvariable('since')),
        'usageLimit': null, 'asyncUsageCount': 0, 'appliesOncePerCustomer': false,
        'codesCount': {'count': 1, 'precision': 'EXACT'},
        'codes': {'nodes': [{'code': 'SAVE' || percent}]},
        'customerGets': {'value': {
            '__typename': 'DiscountPercentage', 'percentage': percent / 100.0}}}
})::text as line
from (select unnest([PERCENTS]) as percent) order by percent
""".replace("PERCENTS", ", ".join(str(percent) for percent in DISCOUNTS if percent))


def write_api_fixed(
    con: Connection, folder: Path, since: int, until: int, currency: str = CURRENCIES[0]
) -> None:
    """Write the products as they are at `until`, and the discounts, as GraphQL nodes."""
    factor = float(PRICE_FACTOR[CURRENCIES.index(currency)])
    con.execute(f"set variable currency = '{currency}'")
    con.execute(f"set variable factor = {factor}")
    con.execute(f"set variable since = {since}")
    con.execute(f"set variable until = {until}")
    copy_lines(con, _DISCOUNTS, folder / "discountNodes" / "part-000.jsonl")
    copy_lines(con, _PRODUCTS, folder / "products" / "part-000.jsonl")


def write_order_files(con: Connection, folder: Path, block: int, ending: str = ".jsonl.gz") -> None:
    """Write the block's online orders as Shopify Order JSON."""
    con.execute(write_gifts.GIFTS)
    con.execute(_FACTS)
    copy_lines(con, _REST, folder / f"shopify-{block:03d}{ending}")
