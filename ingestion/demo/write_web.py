"""The pretend shop's web events as Segment-spec JSON Lines, one file per month of arrival.

Data flow: visits + events of a block -> web/YYYY/MM/part-BBB.jsonl.gz
Does not belong here: deciding what happens in a visit (clickstream).
"""

from __future__ import annotations

from pathlib import Path

from ingestion.demo.browsing import BROWSE
from ingestion.demo.catalogue import INTERNAL_IP, SHOP_URL
from ingestion.demo.clickstream import IN_VAIN
from ingestion.demo.tables import Connection, copy_lines

# How much a search of a visit finds.
_RESULTS = f"case when v.depth = {BROWSE} and v.v % {IN_VAIN} = 0 then 0 else 1 + v.v % 23 end"

_VISITS = f"""
create or replace temp table web_visits as
select
    v.v,
    v.start,
    {_RESULTS} as results,
    d.value as anonymous_id,
    l.value as user_id,
    case v.sign
        when 1 then json_object('email', e.value, 'firstName', p.first_name, 'lastName',
            p.last_name)
        when 2 then json_object('email', e.value)
    end as traits,
    case when v.order_row >= 0 then order_id(o.number)::text end as order_id,
    o.currency as order_currency,
    t.total,
    o.discount_percent,
    'c' || md5(concat_ws(':', seed(), block(), 'cart', v.v))[1:12] as cart_id,
    coalesce(p.interest, 'coffee') as interest,
    '"userAgent":' || to_json(a.name)
        || ',"ip":"' || case d.role when 'internal' then '{INTERNAL_IP}'
            when 'bot' then '198.51.100.' || (d.d % 200 + 20) else '203.0.113.'
                || (d.d % 250 + 1) end
        || '","locale":"en-GB","device":{{"type":"' || a.device_type || '"}}'
        || case s.name
            when 'paid_search'
                then ',"campaign":{{"source":"google","medium":"cpc","name":"brand-always-on"}}'
            when 'paid_social'
                then ',"campaign":{{"source":"facebook","medium":"paid_social","name":"lookalike"}}'
            when 'affiliate'
                then ',"campaign":{{"source":"partner","medium":"affiliate","name":"blog-offers"}}'
            when 'display'
                then ',"campaign":{{"source":"display","medium":"display","name":"retargeting"}}'
            when 'sms' then ',"campaign":{{"source":"sms","medium":"sms","name":"flash"}}'
            when 'email' then ',"campaign":{{"source":"klaviyo","medium":"email","name":'
                || to_json(coalesce(c.name, 'flow')) || '}}'
            else '' end
        || ',"consent":{{"categoryPreferences":{{"Advertising":' || d.accepts_ads::text
            || ',"Personalisation":' || d.accepts_personalisation::text || ',"Analytics":true}}}}'
        || case when d.gpc then ',"gpc":true' else '' end as context_tail,
    case s.name
        when 'organic_search' then 'https://www.google.com/'
        when 'paid_search' then 'https://www.google.com/'
        when 'paid_social' then 'https://www.facebook.com/'
        when 'organic_social' then 'https://www.instagram.com/'
        when 'referral' then 'https://www.gardenblog.example/'
        when 'affiliate' then 'https://offers.example/'
        else '' end as referrer,
    case s.name
        when 'paid_search'
            then '?utm_source=google&utm_medium=cpc&utm_campaign=brand-always-on&gclid=' || md5('g'
            || v.v)[1:10]
        when 'paid_social' then '?utm_source=facebook&utm_medium=paid_social&utm_campaign=lookalike'
        when 'affiliate' then '?utm_source=partner&utm_medium=affiliate&utm_campaign=blog-offers'
        when 'display' then '?utm_source=display&utm_medium=display&utm_campaign=retargeting'
        when 'sms' then '?utm_source=sms&utm_medium=sms&utm_campaign=flash'
        when 'email' then '?utm_source=klaviyo&utm_medium=email&utm_campaign='
            || replace(lower(coalesce(c.name, 'flow')), ' ', '-')
        else '' end as landing_query
from visits v
join devices d on d.d = v.device
join agents a on a.code = d.agent
join sources s on s.code = v.source
left join people p on p.p = v.person
left join logins l on l.k = v.login
left join emails e on e.e = v.email
left join campaigns c on c.index = v.campaign
left join orders o on o.o = v.order_row
left join order_totals t on t.o = v.order_row
"""

_ORDER_TOTALS = """
create or replace temp table order_totals as
select o.o, any_value(o.shipping) + sum(l.price * l.quantity - l.discount)::bigint as total
from orders o join lines l on l.order_row = o.o group by o.o
"""

_SHELF = """
create or replace temp table shelf as
select index, sku, s.since, s.until,
    '{"product_id":"' || product_id || '","sku":"' || sku || '","name":' || to_json(name)
    || ',"category":"' || category || '","brand":' || to_json(brand)
    || ',"price":' || money(s.price) || ',"currency":"GBP"' as product_json
from products join product_states s using (index)
"""

SEARCHES = f"""
select p.person_id, moment(s.occurred) as searched_at, {_RESULTS} as results
from (select distinct visit, occurred from events where kind = 2) s
join visits v on v.v = s.visit
join people p on p.p = v.person
order by s.occurred, p.p
"""

# What the properties of each kind of event are; keys are the positions in clickstream.KINDS.
_PRODUCT = "e.product_json"
_PROPERTIES = f"""case e.kind
    when 4 then concat({_PRODUCT}, '}}')
    when 0 then concat('{{"path":"/","title":"Harbour & Pine","url":"', e.url, '","referrer":"',
        e.referrer, '"}}')
    when 1 then null
    when 2 then concat('{{"query":"', e.interest, case e.results when 0 then ' subscription' end,
        '","results":', e.results, '}}')
    when 3 then concat('{{"list_id":"', e.interest, '","category":"', e.interest, '"}}')
    when 5 then concat({_PRODUCT}, ',"wishlist_id":"', e.cart_id, '"}}')
    when 6 then concat({_PRODUCT}, ',"quantity":', e.quantity, ',"cart_id":"', e.cart_id, '"}}')
    when 7 then concat('{{"cart_id":"', e.cart_id, '"}}')
    when 8 then concat('{{"cart_id":"', e.cart_id, '"',
        case when e.order_id is not null then concat(',"order_id":"', e.order_id, '"') end, '}}')
    when 9 then concat('{{"order_id":"', e.order_id, '","cart_id":"', e.cart_id,
        '","coupon_id":"SAVE', e.discount_percent, '"}}')
    when 10 then concat('{{"order_id":"', e.order_id, '","cart_id":"', e.cart_id, '","total":',
        money(e.total), ',"currency":"', k.name, '"}}')
    when 11 then concat({_PRODUCT}, ',"rating":', 3 + e.visit % 3, '}}')
    when 12 then concat({_PRODUCT}, ',"share_via":"email"}}')
    when 13 then concat('{{"promotion_id":"promo-', e.visit % 6, '","name":"Seasonal offer"}}')
    when 14 then concat('{{"endpoint_id":"', md5(e.anonymous_id)[1:16], '"}}')
    when 15 then concat('{{"quiz_id":"find-your-taste","answers":{{"favourite_department":"',
        e.interest, '"}}}}')
end"""

_LINES = f"""
with e as (
    select events.*, w.* exclude (v), r.sku, r.product_json, md5(concat_ws(':', seed(), block(),
        'event', visit, place)) as h,
        '{SHOP_URL}' || case when kind in (4, 5, 6, 11, 12) then '/products/' || r.sku
            when kind in (7, 8, 9) then '/cart' when kind = 10 then '/thank-you'
            when kind in (2, 3) then '/collections' when place = 0 then '/' || w.landing_query
                else '/' end as url
    from events
    join (
        -- Nothing arrives more than two weeks after its visit.
        select * from web_visits
        where start >= getvariable('since') - 1209600 and start < getvariable('until')
    ) w on w.v = events.visit
    left join shelf r
        on r.index = case when events.kind in (11, 12) then (events.visit * 7) % 120
            else events.product end
        and r.since <= events.occurred and events.occurred < r.until
    where delivered >= getvariable('since') and delivered < getvariable('until')
)
select concat(
    '{{"type":"', case e.kind when 0 then 'page' when 1 then 'identify' else 'track' end,
    '","messageId":"', substr(e.h, 1, 8), '-', substr(e.h, 9, 4), '-', substr(e.h, 13, 4), '-',
        substr(e.h, 17, 4), '-', substr(e.h, 21),
    '","anonymousId":"', e.anonymous_id, '"',
    case when e.user_id is not null and e.place > 0 then concat(',"userId":"', e.user_id, '"') end,
    ',"timestamp":"', iso(e.clocked),
    '","sentAt":"', iso(e.received - 1 + e.clocked - e.occurred),
    '","receivedAt":"', iso(e.received), '"',
    case when e.kind > 1 then concat(',"event":"', n.name, '"')
        when e.kind = 0 then ',"name":"Home"' end,
    case when e.kind = 1 then concat(',"traits":', e.traits)
        else concat(',"properties":', {_PROPERTIES}) end,
    ',"context":{{"page":{{"url":"', e.url, '","referrer":"', e.referrer, '"}},', e.context_tail,
    '}}}}')
    as line
from e
join event_kinds n on n.code = e.kind
left join currencies k on k.code = e.order_currency
order by e.delivered, e.visit, e.place
"""


def prepare(con: Connection) -> None:
    """The per-visit part of every line, once per block."""
    con.execute(_ORDER_TOTALS)
    con.execute(_VISITS)
    con.execute(_SHELF)


def write_span(con: Connection, path: Path, since: int, until: int) -> None:
    """Write the events that came in between two moments into one file; `prepare` comes first."""
    con.execute(f"set variable since = {since}")
    con.execute(f"set variable until = {until}")
    copy_lines(con, _LINES, path)


def write_web(
    con: Connection, folder: Path, block: int, broken_line: float, ending: str = ".jsonl.gz"
) -> None:
    """Write the block's events, each month of arrival into its own file.

    A share of the last month's lines, `broken_line`, comes once more as a delivery that broke off
    after its first line.
    """
    prepare(con)
    months = con.execute(
        "select distinct date_trunc('month', moment(delivered)) as m from events order by m"
    ).fetchall()
    for (month,) in months:
        con.execute(f"set variable since = epoch(timestamp '{month}')::bigint")
        con.execute(f"set variable until = epoch(timestamp '{month}' + interval 1 month)::bigint")
        path = folder / f"{month:%Y}" / f"{month:%m}" / f"part-{block:03d}{ending}"
        copy_lines(con, _LINES, path)
        if (month,) == months[-1]:
            limit = f"{round(broken_line * 65536):04x}"
            again = f"select line from ({_LINES}) where md5(line)[:4] < '{limit}'"
            broken = (
                f"select min(line) as line from ({again}) having count(*) > 0 "
                f"union all select line[:400] from ({again})"
            )
            copy_lines(con, broken, path.with_name(f"interrupted-{block:03d}{ending}"))
