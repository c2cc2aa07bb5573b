"""The pretend shop's smaller files: till orders, payments, contacts, consents, feedback, and so on.

Data flow: tables of a block -> orders/, payments/, contacts/, consents/, feedback/,
messages/ (one part each);
the catalogue and calendar -> products/, promotions/, spend/, rates/.
"""

from __future__ import annotations

from pathlib import Path

from ingestion.demo import (
    catalogue,
    write_experiments,
    write_levels,
    write_offers,
    write_programmes,
)
from ingestion.demo.tables import Connection, copy_table
from ingestion.demo.world import World

MAPPING = """\
# Receipts of the tills in the four shops; one row per line. Returns are receipts of their own.
columns:
  order_id: receipt_no
  line_id: line_no
  ordered_at: sold_at
  customer_ref: customer_no
  email: e_mail
  phone: mobile
  payment_fingerprint: card_token
  sku: sku
  product_name: description
  category: department
  quantity: qty
  unit_price: unit_price
  store_id: shop
returns: {when: "order_id starts with R or quantity < 0"}
currency: GBP
timezone: Europe/London
sales_channel: store
"""

_PLACEHOLDERS = ", ".join(f"'{phone}'" for phone in catalogue.PLACEHOLDER_PHONES)
_TILL = f"""
with sold as (
    select o.*, l.*, false as is_return, o.sold_local as at_local, l.quantity as pieces
    from orders o join lines l on l.order_row = o.o where not o.is_online
    union all
    select o.*, l.*, true, o.refunded_local, -l.returned
    from orders o join lines l on l.order_row = o.o
    where not o.is_online and o.refunded > 0 and l.returned > 0
)
select
    case when s.is_return then 'R' else 'S' end || (200000 + s.number) as receipt_no,
    s.place + 1 as line_no,
    strftime(moment(s.at_local), '%Y-%m-%d %H:%M:%S') as sold_at,
    case when s.shows_loyalty then p.till_number end as customer_no,
    case when s.email = -2 then '{catalogue.PLACEHOLDER_EMAIL}' else e.value end as e_mail,
    case when s.phone = -2
        then ([{_PLACEHOLDERS}])[(s.number % 3 + 1)::integer]
        else as_written(h.value, s.number) end as mobile,
    c.value as card_token,
    r.sku,
    r.name as description,
    r.category as department,
    s.pieces as qty,
    money(s.price - s.discount // s.quantity) as unit_price,
    t.name as shop
from sold s
join people p on p.p = s.person
join products r on r.index = s.product
left join stores t on t.code = s.store
left join emails e on e.e = s.email
left join phones h on h.k = s.phone
left join cards c on c.k = s.card
order by s.at_local, s.number, s.is_return, s.place
"""

_PAYMENTS = """
select
    order_id(o.number) as order_id,
    k.name as method,
    case when k.name = 'card' then 'stripe' else k.name end as provider,
    c.value as fingerprint,
    e.value as billing_email,
    p.first_name || ' ' || p.last_name as billing_name,
    'succeeded' as status,
    money(t.total) as amount,
    u.name as currency,
    iso(o.placed) as paid_at
from orders o
join order_totals t on t.o = o.o
join people p on p.p = o.person
join payment_kinds k on k.code = o.payment
join currencies u on u.code = o.currency
left join emails e on e.e = o.email
left join cards c on c.k = o.card
where o.is_online and not o.is_test
order by o.number
"""

_CONTACTS = """
select
    e.value as email,
    as_written(h.value, n.n) as phone,
    case when n.has_loyalty = 1 or n.n % 4 > 0 then p.first_name end as first_name,
    case when n.has_loyalty = 1 or n.n % 3 > 0 then p.last_name end as last_name,
    case when n.has_loyalty = 1 and n.n % 5 > 1
        then (date '1970-01-01' + p.birthday::integer)::text end as birthday,
    nullif(p.gender, '') as gender,
    case when n.n % 6 = 0 then nullif(p.job, '') end as job,
    p.country,
    case when n.has_loyalty = 1 then p.postcode end as postcode,
    case when n.has_loyalty = 0 then p.timezone end as timezone,
    s.name as source,
    iso(n.created) as created_at,
    case when n.is_active = 1 then 'active' else 'unsubscribed' end as status,
    case when n.has_loyalty = 1 then p.loyalty_id end as loyalty_id,
    case when n.has_loyalty = 1 then (['bronze', 'silver',
        'gold'])[(n.n % 3 + 1)::integer] end as loyalty_tier,
    p.interest as favourite_department
from contacts n
join people p on p.p = n.person
join list_sources s on s.code = n.source
left join emails e on e.e = n.email
left join phones h on h.k = n.phone
where (e.value is not null or h.value is not null or n.has_loyalty = 1)
order by n.created, n.n
"""

_CONSENTS = """
select
    case when c.phone >= 0 then 'phone' else 'email' end as identifier_type,
    coalesce(h.value, e.value) as identifier_value,
    ch.name as channel,
    case when ch.name = 'ads' then 'ads' else 'marketing' end as purpose,
    st.name as status,
    iso(c.occurred) as occurred_at,
    so.name as source,
    'v' || (1 + (c.occurred > (select min(placed)
        from orders) + 20000000)::integer) as wording_version,
    case when c.expires > 0 then iso(c.expires) end as expires_at,
    case when st.name = 'granted' then 'form-' || md5(concat_ws(':', seed(), block(), 'proof',
        c.c))[1:12] end as proof,
    case when c.basis = 0 then 'soft_opt_in' else 'consent' end as lawful_basis
from consents c
join channels ch on ch.code = c.channel
join statuses st on st.code = c.status
join consent_sources so on so.code = c.source
left join emails e on e.e = c.email
left join phones h on h.k = c.phone
order by c.occurred, c.c
"""

_FEEDBACK = """
select 'email' as identifier_type, e.value as identifier_value, k.name as kind,
    case when f.score >= 0 then f.score end as score, r.product_id,
    case when k.name = 'complaint' then 'delivery_late' end as text_key,
    case when k.name = 'quiz' then 'favourite_department' end as question,
    case when k.name = 'quiz' then p.interest end as answer,
        iso(f.occurred) as occurred_at,
    case when f.closed >= 0 then iso(f.closed) end as closed_at
from feedback f
join people p on p.p = f.person
join emails e on e.e = p.main_email
join feedback_kinds k on k.code = f.kind
left join products r on r.index = f.product
order by f.occurred, f.person, f.kind
"""

# An answer is open on its day; once it is settled it comes again.
_OPENED = f"select * replace (cast(null as varchar) as closed_at) from ({_FEEDBACK})"
_SETTLED = f"select * from ({_FEEDBACK}) where closed_at is not null"

# A product's row for each state that it was in
_STATES = """
select product_id, sku, name, category, brand, money(s.price) as price, money(cost) as cost,
    replenish_after_days, s.in_stock, substitute_group,
    case when category in ('kitchen', 'tableware', 'textiles', 'candles', 'garden', 'outdoor')
        then to_json({'colour': (['oat', 'sea', 'pine', 'slate', 'rust'])[(index % 5 + 1)::integer],
            'size': (['S', 'M', 'L'])[(index // 5 % 3 + 1)::integer]}) end as attributes,
    iso(greatest(s.since, getvariable('since'))) as updated_at
from products join product_states s using (index)
where s.since < getvariable('until') and {} order by index, s.since
"""
_PRODUCTS = _STATES.replace("{}", "s.until > getvariable('since')")
PRODUCTS_CHANGED = _STATES.replace("{}", "s.since >= getvariable('since')")

_SPEND = """
select d.day::date as date, s.channel as marketing_channel, campaign, programme,
    printf('%.2f',
        base * (0.8 + 0.4 * ((epoch(d.day)::bigint // 86400 * 37 + base) % 100) / 100.0)) as cost,
    'GBP' as currency, c.orders as claimed_orders, money(c.pence) as claimed_value
from (values ('paid_search', 'brand-always-on', null, 24), ('paid_social', 'lookalike', null, 17),
    ('affiliate', 'blog-offers', null, 6), ('display', 'retargeting', null, 5),
    ('email', null, 'newsletter', 8), ('sms', null, 'text-club', 4), ('push', null, 'push-news', 1),
    ('loyalty', null, 'harbour-card', 7), ('referral', null, 'bring-a-friend', 2))
    as s(channel, campaign, programme, base)
cross join
    range(moment(getvariable('since')), moment(getvariable('until')), interval 1 day) as d(day)
left join claims c on c.channel = s.channel and c.day = epoch(d.day)::bigint
order by d.day, s.channel
"""

_RATES = f"""
select day::date as date, currency,
    printf('%.6f',
        rate * (1 + 0.03 * sin(epoch(day) / 86400 / 60.0 + length(currency) + rate))) as rate
from (values {", ".join(f"('{c}', {r})" for c, r in catalogue.RATE_TO_GBP.items())}) as r(currency,
    rate),
    range(moment(getvariable('since')), moment(getvariable('until')), interval 1 day) as d(day)
order by day, currency
"""

# What comes in day by day once the shop lives on: folder, query and the column with its moment.
DATED = (
    ("orders/till", _TILL, "sold_at"),
    ("payments", _PAYMENTS, "paid_at"),
    ("consents", _CONSENTS, "occurred_at"),
    ("feedback", _OPENED, "occurred_at"),
    ("feedback/settled", _SETTLED, "closed_at"),
    ("messages", write_programmes.MESSAGES, "occurred_at"),
    *write_experiments.DATED,
    *write_levels.DATED,
    *write_offers.DATED,
)
DAILY = (("spend", _SPEND), ("rates", _RATES))


def write_block_folders(con: Connection, folder: Path, block: int) -> None:
    """Write the files that come from the block's people."""
    part = f"part-{block:03d}.csv"
    (folder / "orders").mkdir(parents=True, exist_ok=True)
    (folder / "orders" / "mapping.yml").write_text(MAPPING, "utf-8")
    copy_table(con, _TILL, folder / "orders" / "till" / part)
    copy_table(con, _PAYMENTS, folder / "payments" / part)
    copy_table(con, _CONTACTS, folder / "contacts" / part)
    copy_table(con, _CONSENTS, folder / "consents" / part)
    copy_table(con, _FEEDBACK, folder / "feedback" / part)
    copy_table(con, write_experiments.ASSIGNMENTS, folder / "experiments" / part)
    copy_table(con, write_levels.LEVELS, folder / "consents" / "levels" / part)
    copy_table(con, write_programmes.MESSAGES, folder / "messages" / part)
    write_offers.write_block_offers(con, folder, block)


def write_fixed_folders(con: Connection, world: World, folder: Path) -> None:
    """Write the files that are about the whole shop; needs `claims`."""
    con.execute(f"set variable since = {world.calendar.start}")
    con.execute(f"set variable until = {world.calendar.end}")
    copy_table(con, _PRODUCTS, folder / "products" / "products.csv")
    write_offers.write_fixed_offers(con, world, folder)
    copy_table(con, _SPEND, folder / "spend" / "spend.csv")
    copy_table(con, _RATES, folder / "rates" / "rates.csv")
