-- The floor: what a good engineer would write by hand to get the same tables from the same raw rows and
-- the product's answer to who is who, once, in one process. Plain DuckDB, no dbt: nothing is kept for the
-- next day, no other engine has to run it, no other shop's settings, no tests, no documentation.
-- Sources that the benchmark's shop does not have (Klaviyo, Shopify's API) are left out.
-- Variables: as_of (naive UTC), exports (ops as Parquet), seeds (the project's lists as CSV). Attached:
-- raw, and the warehouse as `product`, of which the section "Who is who" reads three tables, and the loyal
-- customers their colour: what people are like is none of the floor's.
-- Every choice among rows has a total order, so the same input gives the same tables.

create temp macro as_of() as getvariable('as_of')::timestamp;
create temp macro shop_day(t) as timezone('Europe/London', timezone('UTC', t))::date;
create temp macro today() as shop_day(as_of());
create temp macro money(x) as x::decimal(18, 4);
create temp macro money_of(t) as try_cast(t as decimal(18, 4));
create temp macro filled(t) as nullif(trim(t), '');
create temp macro host(url) as
    nullif(regexp_replace(lower(split_part(split_part(url, '/', 3), ':', 1)), '^www[.]', ''), '');
create temp macro site() as '[hH][tT][tT][pP][sS]?://shop[.]example[.]com(?:/[A-Za-z0-9_.~%/+,-]*)?';
create temp macro own_link(url) as
    case when length(url) <= 2000 and not regexp_matches(url, '[^!-~]|%[01]|%7[fF]') then coalesce(
        nullif(regexp_extract(url, '^(' || site() || '(?:[?][A-Za-z0-9_.~=&+-]*)?)(?:#.*)?$', 1), ''),
        nullif(regexp_extract(url, '^(' || site() || ')[?].*$', 1), '')
    ) end;
create temp macro plain_code(code) as nullif(regexp_extract(code, '^[A-Za-z0-9_-]{1,64}$'), '');
create temp macro plain_words(words) as case
    when length(trim(words)) <= 80
        and regexp_full_match(trim(words), '[\p{L}\p{N}][\p{L}\p{M}\p{N} .,&()+/%°"''’-]*')
        and not regexp_matches(words, '[\p{L}\p{N}-][.]\p{L}{2}|\p{M}{3}|[\x{115F}\x{1160}\x{3164}\x{FFA0}]')
        and not regexp_matches(words, '[wW]{3}[.]|//|[0-9][0-9 ()/+-]{5,}[0-9]')
        then trim(words) end;
create temp macro cart(token) as
    nullif(regexp_replace(regexp_replace(trim(token), '^gid://.*/', ''), '[?].*$', ''), '');
create temp macro counted(n, one, many) as n::text || ' ' || case when n = 1 then one else many end;
create temp macro since(day) as 'on ' || day;
create temp macro came(channel) as case channel
    when 'direct' then 'came directly' when 'organic_search' then 'from a search engine'
    when 'paid_search' then 'from a search ad' when 'organic_social' then 'from social media'
    when 'paid_social' then 'from a social ad' when 'email' then 'from an email'
    when 'sms' then 'from a text message' when 'push' then 'from a push message'
    when 'referral' then 'from another site' when 'affiliate' then 'from an affiliate'
    when 'display' then 'from a display ad' else 'from ' || replace(channel, '_', ' ') end;
create temp macro grade(rank) as
    (['card_paid_order', 'verified_login', 'checkout', 'store_till', 'newsletter', 'import'])[rank];

create schema marts;
create schema segments;

-- Web: JSON read once ------------------------------------------------------------------------------
create temp table web as
with repeated as (
    select _row_id
    from raw.raw_web.events
    where hash(message_id) in (
        select hash(message_id) from raw.raw_web.events group by 1 having count(*) > 1
    )
    qualify row_number() over (
        partition by message_id, coalesce(filled(anonymous_id), 'login ' || trim(user_id))
        order by received_at nulls last, occurred_at, _row_id
    ) > 1
), read as (
    select
        message_id as event_id,
        filled(anonymous_id) as device_id,
        filled(user_id) as login_id,
        type,
        case when type in ('page', 'screen') then 'Page Viewed' else event end as event_name,
        case
            when occurred_at > received_at + interval 5 minute
                then received_at - greatest(coalesce(sent_at - occurred_at, interval 0 second), interval 0 second)
            when sent_at < received_at - interval 2 day and occurred_at <= sent_at
                then received_at - (sent_at - occurred_at)
            else occurred_at
        end as occurred_at,
        json_extract_string(properties, [
            '$.product_id', '$.sku', '$.name', '$.category', '$.price', '$.quantity',
            '$.order_id', '$.cart_id', '$.email'
        ]) as p,
        json_extract_string(context, [
            '$.page.url', '$.page.referrer', '$.campaign.source', '$.campaign.medium',
            '$.campaign.name', '$.userAgent', '$.device.type', '$.traits.email'
        ]) as c,
        traits
    from raw.raw_web.events
    where _row_id not in (from repeated)
)
select
    event_id, coalesce(device_id, 'login ' || login_id) as visitor_id, device_id, login_id, type,
    event_name, occurred_at, c[1] as page_url, nullif(c[2], '') as referrer, lower(c[3]) as utm_source,
    lower(c[4]) as utm_medium, c[5] as utm_campaign, c[6] as user_agent, lower(c[7]) as device_type,
    p[1] as product_id, p[2] as sku, p[3] as product_name, p[4] as category, money_of(p[5]) as price,
    money_of(p[6]) as quantity, p[7] as order_id, p[8] as cart_id,
    coalesce(traits ->> '$.email', p[9], c[8]) as email, traits ->> '$.phone' as phone,
    case when type = 'identify' then traits end as traits
from read
where coalesce(device_id, login_id) is not null and occurred_at <= as_of();

create temp table visits as
with beside as (
    select
        hash(visitor_id) as visitor, visitor_id, occurred_at, login_id, event_name,
        lag(occurred_at) over in_order as previous_at,
        lead(occurred_at) over in_order as next_at,
        lag(login_id ignore nulls) over in_order as previous_login_id,
        hash(event_id) as tie
    from web
    window in_order as (
        partition by hash(visitor_id) order by occurred_at, login_id nulls last, hash(event_id)
    )
), started as (
    select
        *,
        previous_at is null or occurred_at > previous_at + interval 30 minute
        or (occurred_at > previous_at and coalesce(login_id <> previous_login_id, false)) as is_start
    from beside
), numbered as (
    select
        *,
        count(*) filter (where is_start) over (
            partition by visitor order by occurred_at, login_id nulls last, tie
            rows unbounded preceding
        ) as visit
    from started
), summed as (
    select
        min(visitor_id) as visitor_id,
        min(occurred_at) as started_at,
        max(occurred_at) as ended_at,
        count(*) as event_count,
        max(login_id) as login_id,
        nullif(min(login_id), max(login_id)) as other_login_id,
        min(occurred_at) filter (where login_id is not null) as login_at,
        bool_or(is_start and coalesce(next_at = occurred_at, false)) as has_shared_start,
        count(*) filter (where event_name = 'Page Viewed') as page_view_count,
        count(*) filter (where event_name = 'Product Viewed') as product_view_count,
        min(occurred_at, 3) filter (where event_name = 'Product Viewed') as views,
        max(occurred_at) filter (where event_name = 'Product Viewed') as last_product_view_at,
        min(occurred_at) filter (where event_name = 'Product Added to Wishlist') as first_wishlist_at,
        min(occurred_at) filter (
            where event_name in ('Product Added', 'Product Removed', 'Cart Viewed')
        ) as first_cart_at,
        max(occurred_at) filter (
            where event_name in ('Product Added', 'Product Removed', 'Cart Viewed')
        ) as last_cart_at,
        min(occurred_at) filter (where event_name = 'Checkout Started') as first_checkout_at,
        count(*) filter (where event_name = 'Order Completed') as order_completed_count
    from numbered
    group by visitor, visit
), landings as (
    select visitor_id, occurred_at, event_id, page_url, referrer, utm_source, utm_medium, utm_campaign,
        user_agent, device_type, has_shared_start, started_at
    from web
    inner join summed using (visitor_id)
    where occurred_at = started_at
), first_landings as (
    select * from landings where not has_shared_start
    union all
    select * from (
        select * from landings where has_shared_start
        qualify row_number() over (
            partition by visitor_id, occurred_at order by page_url is null, event_id
        ) = 1
    )
)
select
    md5(concat_ws('|', visitor_id, started_at)) as session_id,
    summed.*,
    case when visitor_id not like 'login %' then visitor_id end as device_id,
    page_url as landing_page_url, referrer, utm_source, utm_medium, utm_campaign, user_agent,
    device_type,
    host(referrer) as referrer_host,
    host(page_url) as landing_host
from summed
inner join first_landings using (visitor_id, started_at);

-- Orders -------------------------------------------------------------------------------------------
create temp table documents as
with newest as (
    select _row_id
    from raw.raw_orders.orders
    where coalesce(processed_at, created_at) <= as_of() and (updated_at <= as_of() or updated_at is null)
    qualify row_number() over (
        partition by order_id
        order by updated_at desc nulls last, _dlt_load_id desc, _file desc, _line desc, _row_id desc
    ) = 1
), read as (
    select
        order_id, created_at, coalesce(processed_at, created_at) as ordered_at, currency, payload,
        json_extract_string(payload, [
            '$.cancelled_at', '$.test', '$.financial_status', '$.taxes_included', '$.email', '$.phone',
            '$.customer.id', '$.customer.email', '$.customer.phone', '$.customer.first_name',
            '$.customer.last_name', '$.buyer_accepts_marketing', '$.total_tax', '$.total_discounts',
            '$.total_shipping_price_set.shop_money.amount', '$.payment_gateway_names', '$.source_name',
            '$.location_id', '$.landing_site', '$.referring_site', '$.discount_codes[0].code',
            '$.billing_address.country_code', '$.shipping_address.country_code',
            '$.payment_fingerprint', '$.note_attributes', '$.refunds', '$.billing_address.first_name',
            '$.billing_address.last_name', '$.cart_token', '$.checkout_token', '$.total_tip_received',
            '$.billing_address.province_code', '$.shipping_address.province_code'
        ]) as f
    from raw.raw_orders.orders
    where _row_id in (from newest)
)
select
    order_id, created_at, ordered_at, upper(trim(currency)) as currency, payload,
    case when timezone('UTC', try_cast(f[1] as timestamptz)) <= as_of()
        then timezone('UTC', try_cast(f[1] as timestamptz)) end as cancelled_at,
    coalesce(try_cast(f[2] as boolean), false) as is_test,
    lower(f[3]) as financial_status,
    coalesce(try_cast(f[4] as boolean), false) as is_taxes_included,
    coalesce(filled(f[5]), filled(f[8])) as email,
    coalesce(filled(f[6]), filled(f[9])) as phone,
    f[7] as shopify_customer_id,
    coalesce(filled(f[10]), f[27]) as first_name,
    coalesce(filled(f[11]), f[28]) as last_name,
    try_cast(f[12] as boolean) as accepts_marketing,
    money_of(f[13]) as taxes,
    money_of(f[14]) as discounts,
    money_of(f[15]) as shipping,
    lower(f[16]) as payment_gateways,
    case lower(f[17]) when 'web' then 'online' when 'pos' then 'store'
        else coalesce(lower(f[17]), 'online') end as sales_channel,
    f[18] as store_id, f[19] as landing_site, f[20] as referring_site, f[21] as discount_code,
    upper(coalesce(f[22], f[23])) as country_code,
    case when f[22] is not null then filled(f[32]) else filled(f[33]) end as region,
    f[24] as payment_fingerprint,
    nullif(coalesce(
        nullif(regexp_extract(f[25], '"name" *: *"_?(?i:anonymous_?id)" *, *"value" *: *"([^"]+)"', 1), ''),
        regexp_extract(f[25], '"value" *: *"([^"]+)" *, *"name" *: *"_?(?i:anonymous_?id)"', 1)
    ), '') as device_id,
    cart(f[29]) as cart_token, cart(f[30]) as checkout_token, coalesce(money_of(f[31]), 0) as tips,
    nullif(f[26], '[]') as refunds
from read;

create temp table refunds as
with read as (
    select
        order_id, is_taxes_included,
        timezone('UTC', try_cast(item ->> '$.created_at' as timestamptz)) as refunded_at,
        coalesce(item ->> '$.refund_line_items', '[]') as refund_lines,
        coalesce(
            money_of(item ->> '$.transactions[0].amount')
            + coalesce(money_of(item ->> '$.transactions[1].amount'), 0), 0
        ) as amount
    from (
        select order_id, is_taxes_included, unnest(json_extract(refunds, '$[*]')) as item
        from documents where refunds is not null
    )
)
select
    order_id, refunded_at, item ->> '$.line_item_id' as line_id,
    money_of(item ->> '$.quantity') as returned_quantity,
    coalesce(money_of(item ->> '$.subtotal'), 0)
    - case when is_taxes_included then coalesce(money_of(item ->> '$.total_tax'), 0) else 0 end as returns,
    coalesce(money_of(item ->> '$.total_tax'), 0) as returned_taxes, money(0) as amount
from (
    select *, unnest(json_extract(refund_lines, '$[*]')) as item
    from read where refund_lines <> '[]'
)
where refunded_at <= as_of() or refunded_at is null
union all
select order_id, refunded_at, null, null, money(0), money(0), amount
from read
where refund_lines = '[]' and (refunded_at <= as_of() or refunded_at is null);

create temp macro part(whole, upto, own, total) as
    case when whole = 0 or total = 0 then money(0) else
        money(round(whole * upto / total, 4)) - money(round(whole * (upto - own) / total, 4)) end;

create temp table items as
with unnested as (
    select
        order_id, is_taxes_included, cancelled_at is not null as is_cancelled, currency, ordered_at,
        coalesce(taxes, 0) as order_taxes, coalesce(discounts, 0) as order_discounts,
        unnest(json_extract(payload, '$.line_items[*]')) as item,
        generate_subscripts(json_extract(payload, '$.line_items[*]'), 1) as line_number
    from documents
), read as (
    select *, json_extract_string(item, [
        '$.id', '$.product_id', '$.sku', '$.title', '$.vendor', '$.quantity', '$.price',
        '$.total_discount', '$.tax_lines[0].price', '$.tax_lines[1].price', '$.product_type',
        '$.gift_card'
    ]) as f
    from unnested
), lines as (
    select
        read.* exclude (item, f),
        coalesce(f[1], line_number::text) as line_id,
        f[2] as product_id, filled(f[3]) as sku, f[4] as product_name, f[5] as brand, f[11] as category,
        money_of(f[6]) as quantity, money_of(f[7]) as unit_price,
        coalesce(f[12] = 'true', false) as is_gift_card,
        coalesce(money_of(f[8]), 0) as line_discount,
        money_of(f[9]) + coalesce(money_of(f[10]), 0) as line_tax,
        coalesce(money_of(f[7]) < 0, false) as is_adjustment,
        money(coalesce(money_of(f[6]), 0) * greatest(coalesce(money_of(f[7]), 0), 0)) as full_price,
        case when is_gift_card then money(0) else full_price end as written,
        money(coalesce(money_of(f[6]), 0) * least(coalesce(money_of(f[7]), 0), 0)) as adjustments
    from read
), with_refunds as (
    select
        lines.*,
        case when is_gift_card then 0 else coalesce(by_line.returns, 0) end as line_returns,
        coalesce(by_line.returned_quantity, 0) as returned_quantity,
        coalesce(by_order.amount, 0) as refunded_amount,
        sum(written) over whole as total,
        greatest(order_discounts - sum(line_discount) over whole, 0) as discount_left,
        case when count(line_tax) over whole > 0 then 0 else order_taxes end as tax_left,
        sum(written) over (partition by lines.order_id order by line_number, lines.line_id
            rows unbounded preceding) as upto
    from lines
    left join (
        select order_id, line_id, money(sum(returns)) as returns,
            money(sum(returned_quantity)) as returned_quantity
        from refunds where line_id is not null group by all
    ) as by_line on lines.order_id = by_line.order_id and lines.line_id = by_line.line_id
    left join (
        select order_id, money(sum(amount)) as amount from refunds where line_id is null group by all
    ) as by_order on lines.order_id = by_order.order_id
    window whole as (partition by lines.order_id)
), valued as (
    select
        * exclude (written, total, upto), money(written) as written,
        case when is_adjustment or is_gift_card then 0
            else line_discount + part(discount_left, money(upto), money(written), money(total))
        end as discounts,
        part(refunded_amount, money(upto), money(written), money(total)) as amount_returned,
        written - case when is_taxes_included and not is_adjustment and not is_gift_card
            then coalesce(line_tax, 0)
            + part(tax_left, money(upto), money(written), money(total)) else 0 end as gross
    from with_refunds
)
select
    order_id, line_id, line_number, product_id, sku, product_name, category, brand, quantity,
    unit_price, money(gross) as gross_sales, money(discounts) as discounts,
    money(case when is_cancelled then gross - discounts else least(
        line_returns + case when written = 0 then 0 else amount_returned * gross / written end,
        gross - discounts
    ) end) as returns,
    case when is_cancelled then quantity else returned_quantity end as returned_quantity,
    case when is_gift_card then 'gift_card' else 'goods' end as line_kind,
    case when is_gift_card then full_price - line_discount else money(0) end as other_amount,
    adjustments, coalesce(currency, 'GBP') as currency, ordered_at
from valued;

create temp table till_lines as
select
    order_id, coalesce(line_key, line_id, _row_id) as line_id, ordered_at,
    filled(customer_ref) as orders_customer_id, filled(email) as email, filled(phone) as phone,
    filled(payment_fingerprint) as payment_fingerprint, filled(sku) as sku,
    filled(product_name) as product_name, filled(category) as category, quantity, unit_price,
    coalesce(upper(filled(currency)), 'GBP') as currency, filled(country) as country,
    filled(region) as region, lower(filled(sales_channel)) as sales_channel, filled(store_id) as store_id,
    unit_price < 0 as is_adjustment,
    unit_price >= 0 and (coalesce(is_return, false) or quantity < 0) as is_return_line,
    money(round(quantity * unit_price, 4)) as line_value
from raw.raw_orders.order_lines
where ordered_at <= as_of() and order_id not in (select order_id from documents)
qualify row_number() over (
    partition by order_id, coalesce(line_key, line_id, _row_id)
    order by _dlt_load_id desc, _file desc, _line desc, _row_id desc
) = 1;

create temp table all_lines as
select
    'orders_json' as order_source, *, false as is_return_line
from items
union all by name
select
    'order_lines' as order_source, order_id, line_id,
    row_number() over (partition by order_id order by ordered_at, line_id) as line_number,
    null as product_id, sku, product_name, category, null as brand, quantity, unit_price,
    case when is_return_line or is_adjustment then money(0) else line_value end as gross_sales,
    money(0) as discounts,
    case when is_return_line then money(abs(line_value)) else money(0) end as returns,
    case when is_return_line then abs(quantity) else money(0) end as returned_quantity,
    currency, ordered_at, 'goods' as line_kind, money(0) as other_amount,
    case when is_adjustment then line_value else money(0) end as adjustments, is_return_line
from till_lines;

create temp table payments as
select
    order_id, lower(trim(provider)) as provider, filled(fingerprint) as payment_fingerprint,
    filled(billing_email) as billing_email, filled(billing_name) as billing_name, paid_at
from raw.raw_payments.payments
where (paid_at <= as_of() or paid_at is null)
    and lower(trim(status)) in ('succeeded', 'success', 'paid', 'captured', 'settled')
    and _row_id in (
        select _row_id from raw.raw_payments.payments
        where paid_at <= as_of() or paid_at is null
        qualify row_number() over (
            partition by order_id, provider, fingerprint, paid_at
            order by _dlt_load_id desc, _file desc, _line desc, _row_id desc
        ) = 1
    );

create temp table orders as
with sums as (
    select order_source, order_id, min(currency) as currency, money(sum(gross_sales)) as gross_sales,
        money(sum(discounts)) as discounts, money(sum(returns)) as returns,
        money(sum(other_amount)) as gift_cards_sold, money(sum(adjustments)) as adjustments
    from all_lines group by all
), written as (
    select
        'orders_json' as order_source, documents.order_id, ordered_at, created_at, cancelled_at,
        refunded_at, is_test, false as is_return_document, financial_status, sales_channel, store_id,
        email, phone, shopify_customer_id, null::text as orders_customer_id, payment_fingerprint,
        device_id, first_name, last_name, payment_gateways, accepts_marketing,
        case when cancelled_at is null then coalesce(shipping, 0) else 0 end as shipping,
        case when cancelled_at is null then greatest(coalesce(taxes, 0) - coalesce(returned_taxes, 0), 0)
            else 0 end as taxes, country_code, region, landing_site,
        referring_site, discount_code, currency, cart_token, checkout_token, tips
    from documents
    left join (
        select order_id, max(refunded_at) as refunded_at, money(sum(returned_taxes)) as returned_taxes
        from refunds group by all
    ) using (order_id)
    union all by name
    select
        'order_lines' as order_source, order_id, min(ordered_at) as ordered_at,
        min(ordered_at) as created_at, false as is_test,
        bool_and(is_return_line or is_adjustment) and bool_or(is_return_line) as is_return_document,
        case when bool_and(is_return_line or is_adjustment) and bool_or(is_return_line)
            then min(ordered_at) end as refunded_at,
        'paid' as financial_status, coalesce(min(sales_channel), 'online') as sales_channel,
        min(store_id) as store_id, min(email) as email, min(phone) as phone,
        min(orders_customer_id) as orders_customer_id,
        min(payment_fingerprint) as payment_fingerprint, money(0) as shipping, money(0) as taxes,
        money(0) as tips, any_value(names.country_code) as country_code,
        case when min(region) = max(region) and min(country) = max(country)
            then min(region) end as region
    from (select *, min(country) over (partition by order_id) as first_country from till_lines)
    left join read_csv(getvariable('seeds') || '/country_names.csv') as names
        on lower(first_country) = names.country_name
    group by order_id
), gateways as (
    select gateway from read_csv(getvariable('seeds') || '/card_gateways.csv')
), paid as (
    select order_id, min(payment_fingerprint) as payment_fingerprint,
        bool_or(payment_fingerprint is not null or provider in (from gateways)) as is_by_card
    from payments group by all
), named_gateways as (
    select payment_gateways, bool_or(strpos(payment_gateways, gateway) > 0) as is_by_card
    from (select distinct payment_gateways from written where payment_gateways is not null)
    cross join gateways group by all
)
select
    written.* exclude (currency, payment_fingerprint),
    coalesce(written.currency, sums.currency, 'GBP') as currency,
    shop_day(ordered_at) as ordered_date,
    coalesce(sums.gross_sales, 0) as gross_sales, coalesce(sums.discounts, 0) as discounts,
    coalesce(sums.returns, 0) as returns, coalesce(sums.gift_cards_sold, 0) as gift_cards_sold,
    coalesce(sums.adjustments, 0) as adjustments,
    coalesce(written.payment_fingerprint, paid.payment_fingerprint) as payment_fingerprint,
    coalesce(
        financial_status in ('paid', 'partially_paid', 'partially_refunded', 'refunded')
        and not is_return_document
        and (
            written.payment_fingerprint is not null or coalesce(paid.is_by_card, false)
            or coalesce(named_gateways.is_by_card, false)
        ), false
    ) as is_card_paid
from written
left join sums on written.order_id = sums.order_id and written.order_source = sums.order_source
left join paid on written.order_id = paid.order_id
left join named_gateways on written.payment_gateways = named_gateways.payment_gateways;

-- Mail, contacts, feedback -------------------------------------------------------------------------
create temp table mail as
with repeated as (
    select _row_id
    from raw.raw_email.events
    where occurred_at <= as_of() and hash(coalesce(sg_event_id, _row_id)) in (
        select hash(coalesce(sg_event_id, _row_id)) from raw.raw_email.events
        where occurred_at <= as_of() group by 1 having count(*) > 1
    )
    qualify row_number() over (
        partition by coalesce(sg_event_id, _row_id)
        order by _dlt_load_id desc, _file desc, _line desc, _row_id desc
    ) > 1
)
select
    coalesce(sg_event_id, _row_id) as event_id,
    coalesce(sg_message_id, sg_event_id, _row_id) as sg_message_id,
    filled(email) as email, lower(event) as event_name, occurred_at, lower(type) as bounce_type,
    coalesce(sg_machine_open, false) as is_machine_open,
    coalesce(campaign_id, marketing_campaign_id) as campaign_id, lower(message_kind) as message_kind,
    variant, url, useragent as user_agent
from raw.raw_email.events
where occurred_at <= as_of() and _row_id not in (from repeated);

-- What scanners opened and clicked: by their name, within ten seconds, three links within ten seconds.
create temp table machines as
with touched as (
    select * from mail where event_name in ('open', 'click') and not is_machine_open
), arrivals as (
    select sg_message_id, email, coalesce(
        min(occurred_at) filter (where event_name = 'delivered'), min(occurred_at)
    ) as arrived_at
    from mail where event_name in ('delivered', 'processed') group by all
), scanners as (
    select user_agent
    from (select distinct user_agent from touched)
    where regexp_matches(lower(user_agent), (
        select string_agg(pattern, '|') from read_csv(getvariable('seeds') || '/bot_patterns.csv')
    ))
), links_clicked as (
    select sg_message_id, email, url, min(occurred_at) as occurred_at
    from touched where event_name = 'click' and url is not null and email is not null group by all
), thirds as (
    select *, count(*) over (
        partition by sg_message_id, email order by occurred_at
        range between interval 10 second preceding and current row
    ) > 2 as is_third
    from links_clicked
), at_once as (
    select sg_message_id, email, url, occurred_at
    from thirds
    qualify bool_or(is_third) over (
        partition by sg_message_id, email order by occurred_at
        range between current row and interval 10 second following
    )
)
select event_id from touched semi join scanners using (user_agent)
union
select event_id
from touched inner join arrivals using (sg_message_id, email)
where occurred_at <= arrived_at + interval 10 second
union
select event_id from touched semi join at_once using (sg_message_id, email, url, occurred_at);

create temp table messages as
with judged as (
    select * replace (is_machine_open or event_id in (from machines) as is_machine_open) from mail
)
select
    sg_message_id as id, email, max(message_kind) as message_kind,
    max(campaign_id) as campaign_id, max(variant) as variant,
    coalesce(
        min(occurred_at) filter (where event_name = 'processed'),
        min(occurred_at) filter (where event_name = 'delivered'), min(occurred_at)
    ) as sent_at,
    min(occurred_at) filter (where event_name = 'delivered') as delivered_at,
    min(occurred_at) filter (where event_name = 'open' and not is_machine_open) as opened_at,
    min(occurred_at) filter (where event_name = 'open' and is_machine_open) as machine_opened_at,
    min(occurred_at) filter (where event_name = 'click' and not is_machine_open) as clicked_at,
    min(occurred_at) filter (where event_name = 'click' and is_machine_open) as machine_clicked_at,
    min(occurred_at) filter (where event_name in ('unsubscribe', 'group_unsubscribe'))
        as unsubscribed_at,
    min(occurred_at) filter (where event_name in ('bounce', 'dropped')) as bounced_at,
    coalesce(bool_or(event_name = 'bounce' and coalesce(bounce_type, 'bounce') <> 'blocked'), false)
        as is_hard_bounce,
    min(occurred_at) filter (where event_name = 'spamreport') as complained_at
from judged
group by sg_message_id, email;

create temp table contacts as
select
    _row_id as contact_key, filled(email) as email, filled(phone) as phone,
    filled(first_name) as first_name, filled(last_name) as last_name, filled(country) as country,
    filled(region) as region,
    filled(loyalty_id) as loyalty_id, coalesce(lower(filled(source)), 'import') as source, created_at,
    coalesce(grades.evidence_grade, 'import') as evidence_grade
from (
    select * from raw.raw_contacts.contacts
    where created_at <= as_of() or created_at is null
    qualify row_number() over (
        partition by coalesce(email, phone, loyalty_id, _row_id), coalesce(source, '')
        order by created_at desc nulls last, _dlt_load_id desc, _file desc, _line desc, _row_id desc
    ) = 1
) as newest
left join read_csv(getvariable('seeds') || '/contact_source_grades.csv') as grades
    on coalesce(lower(filled(newest.source)), 'import') = grades.contact_source;

create temp table feedback as
select
    _row_id as feedback_key, lower(trim(identifier_type)) as identifier_type,
    filled(identifier_value) as identifier_value, lower(trim(kind)) as kind, occurred_at,
    score, product_id, closed_at
from raw.raw_feedback.feedback
where occurred_at <= as_of();

create temp table consents as
select * from read_parquet(getvariable('exports') || '/consent_events.parquet')
where occurred_at <= as_of();

create temp table completions as
select order_id, event_id, device_id, login_id, occurred_at
from web
where event_name = 'Order Completed' and order_id is not null;

-- Who is who: the product's answer, which is measured by itself (tests.benchmarks.identity) -----------
create temp view owners as
select identifier_type as type, raw_value, identifier_value as value, customer_id, is_shared
from product.intermediate.int_raw_identifier_customers;

create temp view members as
select identifier_type as type, identifier_value as value, customer_id, evidence_rank as rank,
    first_seen_at, last_seen_at, observation_count as n, is_shared
from product.intermediate.int_customer_identifiers
where customer_id is not null;

create temp view people as
select customer_id, first_seen_at, last_seen_at, identifier_count, has_known_identifier as is_known
from product.intermediate.int_customers;

-- What visitors typed, by its last day
create temp table stated as
select
    *, md5(concat_ws('|', event_id, coalesce(device_id, '~'), coalesce(login_id, '~'))) as contact_key,
    coalesce(names[1], names[2]) as first_name, coalesce(names[3], names[4]) as last_name
from (
    select event_id, device_id, login_id, trim(email) as email, trim(phone) as phone, occurred_at,
        json_extract_string(traits, ['$.firstName', '$.first_name', '$.lastName', '$.last_name'])
            as names
    from web where type = 'identify' and (email is not null or phone is not null)
    qualify row_number() over (
        partition by device_id, login_id, trim(email), trim(phone) order by occurred_at desc, event_id
    ) = 1
);

-- Marts --------------------------------------------------------------------------------------------
create temp table conversions as
select days.currency, days.ordered_date, rates.rate,
    case when days.currency not in (
            select currency from read_csv(getvariable('seeds') || '/currencies.csv')
        ) then 'unknown_currency' when rates.rate is null then 'missing_rate' end as conversion_issue
    from (select distinct currency, ordered_date from orders where currency <> 'GBP') as days
    asof left join (
        select "date" as rate_date, upper(trim(currency)) as currency, rate
        from raw.raw_rates.rates
        where "date" <= as_of()::date
        qualify row_number() over (
            partition by "date", upper(trim(currency))
            order by _dlt_load_id desc, _file desc, _line desc, _row_id desc
        ) = 1 and rate > 0
    ) as rates on days.currency = rates.currency and days.ordered_date >= rates.rate_date;

create table marts.fct_orders as
with done as (
    select order_id, min(device_id) as device_id, min(login_id) as login_id
    from completions group by order_id
), valued as (
    select
        orders.*,
        coalesce(shopify.customer_id, till.customer_id, login.customer_id, mail.customer_id,
            card.customer_id, phone.customer_id, device.customer_id) as customer_id,
        case when orders.currency = 'GBP' then 1 else rate end as rate,
        conversion_issue,
        money(gross_sales - discounts - returns) as net_sales,
        case
            when is_test then 'test' when cancelled_at is not null then 'cancelled'
            when is_return_document or (returns > 0 and returns >= gross_sales - discounts)
                then 'returned'
            when returns > 0 then 'partially_returned' else 'placed'
        end as status
    from orders
    left join done using (order_id)
    left join conversions using (currency, ordered_date)
    left join owners as shopify
        on trim(orders.shopify_customer_id) = shopify.raw_value and shopify.type = 'shopify_customer_id'
    left join owners as till
        on trim(orders.orders_customer_id) = till.raw_value and till.type = 'orders_customer_id'
    left join owners as login on trim(done.login_id) = login.raw_value and login.type = 'login'
    left join owners as mail on trim(orders.email) = mail.raw_value and mail.type = 'email'
    left join owners as card
        on trim(orders.payment_fingerprint) = card.raw_value and card.type = 'payment_card'
    left join owners as phone on trim(orders.phone) = phone.raw_value and phone.type = 'phone'
    left join owners as device
        on trim(coalesce(orders.device_id, done.device_id)) = device.raw_value
        and device.type = 'device' and not device.is_shared
), judged as (
    select *, not is_test and cancelled_at is null and not is_return_document
        and gross_sales - discounts > 0 as is_kept
    from valued
)
select
    order_id, customer_id, 'shop' as shop_id, store_id, order_source, status, is_kept,
    status not in ('cancelled', 'test') as is_counted,
    case when customer_id is not null and is_kept then row_number() over (
        partition by customer_id, is_kept order by ordered_at, order_id
    ) end as customer_order_number,
    sales_channel, country_code, is_card_paid, discount_code, landing_site, referring_site,
    accepts_marketing, gross_sales, discounts, returns, net_sales, money(shipping) as shipping,
    money(taxes) as taxes, money(net_sales + shipping + taxes) as total_sales,
    gift_cards_sold, tips, adjustments, currency,
    money(gross_sales * rate) as gross_sales_shop, money(discounts * rate) as discounts_shop,
    money(returns * rate) as returns_shop,
    money(gross_sales * rate) - money(discounts * rate) - money(returns * rate) as net_sales_shop,
    money((net_sales + shipping + taxes) * rate) as total_sales_shop, 'GBP' as shop_currency,
    conversion_issue, ordered_date, ordered_at, created_at, cancelled_at, refunded_at
from judged;

create temp table product_keys as
with catalogue as (
    select filled(sku) as sku, min(coalesce(filled(product_id), filled(sku))) as listed_id
    from raw.raw_products.products where filled(sku) is not null group by 1
), written as (
    select distinct product_id as line_product_id, sku as line_sku
    from all_lines where product_id is not null or sku is not null
)
select line_product_id, line_sku, coalesce(line_product_id, listed_id, line_sku) as product_id
from written left join catalogue on line_sku = catalogue.sku;

create temp table products as
with sold as (
    select keys.product_id, sku, product_name, category, brand, unit_price, currency,
        max(ordered_at) as sold_at
    from all_lines as lines
    inner join product_keys as keys on lines.product_id is not distinct from keys.line_product_id
        and lines.sku is not distinct from keys.line_sku
    group by all
), listed as (
    select 1 as priority, 'products' as product_source,
        coalesce(filled(product_id), filled(sku)) as product_id, filled(sku) as sku,
        name as product_name, category, brand, price, cost, 'GBP' as currency,
        replenish_after_days, in_stock, substitute_group, _row_id as tie
    from raw.raw_products.products
    where coalesce(filled(product_id), filled(sku)) is not null
    qualify row_number() over (
        partition by products.product_id, products.sku
        order by _dlt_load_id desc, _file desc, _line desc, _row_id desc
    ) = 1
    union all by name
    select 3 as priority, 'orders' as product_source, product_id, min(sku) as sku,
        arg_max(product_name, row(sold_at, product_name)) as product_name,
        arg_max(category, row(sold_at, category)) as category, arg_max(brand, row(sold_at, brand)) as brand,
        arg_max(unit_price, row(sold_at, unit_price::text)) filter (where unit_price <> 0) as price,
        min(currency) as currency, product_id as tie
    from sold group by product_id
)
select
    product_id,
    arg_min(product_source, row(priority, sku, tie)) as product_source,
    arg_min(sku, row(priority, sku, tie)) as sku,
    arg_min(product_name, row(priority, sku, tie)) as product_name,
    arg_min(category, row(priority, sku, tie)) as category,
    arg_min(brand, row(priority, sku, tie)) as brand,
    arg_min(price, row(priority, sku, tie)) as price,
    arg_min(cost, row(priority, sku, tie)) as cost,
    arg_min(currency, row(priority, sku, tie)) as currency,
    arg_min(replenish_after_days, row(priority, sku, tie)) as replenish_after_days,
    arg_min(in_stock, row(priority, sku, tie)) as in_stock,
    arg_min(substitute_group, row(priority, sku, tie)) as substitute_group
from listed group by product_id;

create table marts.fct_order_lines as
select
    md5(concat_ws('|', lines.order_source, lines.order_id, line_id)) as order_line_id,
    lines.order_id, customer_id, keys.product_id, lines.order_source, line_number, lines.sku,
    coalesce(lines.product_name, products.product_name) as product_name,
    coalesce(lines.category, products.category) as category,
    coalesce(lines.brand, products.brand) as brand,
    line_kind, is_return_line, quantity, returned_quantity, unit_price, lines.gross_sales, lines.discounts,
    lines.returns, money(lines.gross_sales - lines.discounts - lines.returns) as net_sales,
    lines.other_amount, lines.adjustments, lines.currency,
    case when lines.currency = 'GBP' then money(lines.gross_sales - lines.discounts - lines.returns)
        else money(money(lines.gross_sales - lines.discounts - lines.returns) * rates.rate) end
        as net_sales_shop,
    lines.ordered_at
from all_lines as lines
inner join marts.fct_orders as orders
    on lines.order_id = orders.order_id and lines.order_source = orders.order_source
left join (
    select distinct currency, ordered_date, rate from conversions
) as rates on lines.currency = rates.currency and orders.ordered_date = rates.ordered_date
left join product_keys as keys
    on coalesce(lines.product_id, '') = coalesce(keys.line_product_id, '')
    and coalesce(lines.sku, '') = coalesce(keys.line_sku, '')
left join products on keys.product_id = products.product_id;

create table marts.dim_products as
select
    products.product_id, sku, product_name, category, brand, substitute_group, product_source,
    in_stock, price, cost, currency, replenish_after_days, coalesce(order_count, 0) as order_count,
    coalesce(sold_quantity, 0) as sold_quantity, coalesce(sold_back, 0) as returned_quantity,
    last_ordered_at
from products
left join (
    select lines.product_id, count(distinct lines.order_id) as order_count,
        sum(quantity) as sold_quantity, sum(returned_quantity) as sold_back,
        max(lines.ordered_at) as last_ordered_at
    from marts.fct_order_lines as lines
    inner join marts.fct_orders as orders using (order_id, order_source)
    where is_kept and not is_return_line
    group by lines.product_id
) as sales using (product_id);

create table marts.fct_messages as
select
    md5(concat_ws('|', 'email', messages.id, coalesce(messages.email, '~'), '~')) as message_id,
    customer_id, 'email' as channel,
    coalesce(message_kind, case when campaign_id is not null then 'promo' end) as message_kind,
    campaign_id, null::text as campaign_name, variant, 'email' as message_source,
    coalesce(owners.value, messages.email) as email, is_hard_bounce, sent_at, delivered_at,
    opened_at, machine_opened_at, clicked_at, machine_clicked_at, unsubscribed_at, bounced_at,
    complained_at
from messages
left join owners on messages.email = owners.raw_value and owners.type = 'email'
union all
-- Texts and pushes of the shop's own sender, from their events
select
    md5(concat_ws('|', 'messages', concat_ws('|', message_id, channel, identifier_type, identifier_value), '~', '~')),
    any_value(owners.customer_id), channel,
    coalesce(max(message_kind), case when max(campaign_id) is not null then 'promo' end),
    max(campaign_id), null, max(variant), 'messages',
    case when identifier_type = 'email' then coalesce(any_value(owners.value), identifier_value) end,
    bool_or(event = 'bounced'),
    coalesce(
        min(occurred_at) filter (where event = 'sent'),
        min(occurred_at) filter (where event = 'delivered'), min(occurred_at)
    ),
    min(occurred_at) filter (where event = 'delivered'), min(occurred_at) filter (where event = 'opened'), null,
    min(occurred_at) filter (where event = 'clicked'), null,
    min(occurred_at) filter (where event = 'unsubscribed' or (event = 'replied' and is_opt_out_reply)),
    min(occurred_at) filter (where event = 'bounced'), null
from (
    select message_id, lower(trim(channel)) as channel, lower(trim(identifier_type)) as identifier_type,
        filled(identifier_value) as identifier_value, lower(trim(event)) as event, occurred_at,
        filled(campaign_id) as campaign_id, lower(filled(message_kind)) as message_kind,
        filled(variant) as variant, coalesce(is_opt_out_reply, false) as is_opt_out_reply
    from raw.raw_messages.messages where occurred_at <= as_of()
) as events
left join owners on events.identifier_value = owners.raw_value and events.identifier_type = owners.type
group by message_id, channel, identifier_type, identifier_value;

create table marts.bridge_customer_identifiers as
with mail_signs as (
    select 'email' as type, email as value,
        max(greatest(opened_at, clicked_at)) as read_at,
        max(case when is_hard_bounce then bounced_at end) as hard_bounced_at,
        max(greatest(delivered_at, opened_at, clicked_at)) as arrived_at
    from marts.fct_messages where email is not null group by email
), order_signs as (
    select 'email' as type, email as value, max(ordered_at) as ordered_at, count(*) as order_count
    from orders where email is not null group by email
), logins as (
    select login_id, ended_at from visits
    union all
    select other_login_id, ended_at from visits
    union all
    select identifier_value, occurred_at from feedback where identifier_type = 'login'
    union all
    select identifier_value, occurred_at from consents where identifier_type = 'login'
), login_signs as (
    select 'email' as type, value, max(last_login_at) as login_at
    from (
        select login_id, max(ended_at) as last_login_at
        from logins where login_id is not null group by login_id
    )
    inner join (
        select distinct login_id, trim(email) as email
        from web where type = 'identify' and login_id is not null
    ) as opened using (login_id)
    inner join owners on opened.email = owners.raw_value and owners.type = 'email'
    group by value
), emails as (
    select customer_id, value, n, split_part(value, '@', 1) as mailbox,
        split_part(value, '@', 2) as domain, order_count,
        count(*) over (partition by split_part(value, '@', 2)) as domain_count
    from members left join order_signs using (type, value)
    where type = 'email'
), ranked as (
    select *, rank() over (
        partition by customer_id, mailbox
        order by coalesce(order_count, 0) > 1 desc, domain_count desc, n desc
    ) as oddity
    from emails
), slips as (
    select distinct 'email' as type, slip.value
    from ranked as slip
    inner join ranked as meant on slip.customer_id = meant.customer_id
        and slip.mailbox = meant.mailbox and slip.oddity > meant.oddity
    where slip.domain <> meant.domain and levenshtein(slip.domain, meant.domain) <= 2
), signs as (
    select
        members.*, slips.value is not null as is_slip, read_at is not null as is_read,
        coalesce(order_count, 0) as order_count,
        coalesce(hard_bounced_at > coalesce(arrived_at, '1900-01-01'::timestamp), false)
            as is_undeliverable,
        greatest(members.first_seen_at, read_at, ordered_at, login_at) as alive_at
    from members
    left join mail_signs using (type, value)
    left join order_signs using (type, value)
    left join login_signs using (type, value)
    left join slips using (type, value)
), silences as (
    select *, coalesce(
        type = 'email' and alive_at < as_of() - interval 365 day, false
    ) as is_silent
    from signs
), judged as (
    select *, type = 'email' and (
        is_undeliverable
        or (is_silent and not bool_and(is_undeliverable or is_silent) over (partition by customer_id, type))
    ) as is_dormant
    from silences
)
select
    customer_id, type as identifier_type, value as identifier_value, grade(rank) as evidence_grade,
    row_number() over (
        partition by customer_id, type
        order by is_undeliverable, is_slip, is_dormant, rank, order_count desc, is_read desc,
            last_seen_at desc, n desc, value
    ) = 1 as is_primary,
    is_dormant, is_undeliverable, is_shared, n as observation_count, first_seen_at, last_seen_at
from judged;

-- The shop's own rhythm: gaps between order days, orders of those who came back.
create table marts.shop_rhythm as
with kept as (
    select customer_id, ordered_date from marts.fct_orders
    where customer_id is not null and is_counted and is_kept
), gaps as (
    select customer_id, date_diff('day',
        lag(ordered_date) over (partition by customer_id order by ordered_date), ordered_date) as gap
    from (select distinct customer_id, ordered_date from kept)
), repeats as (
    select count(gap) as n, count(distinct customer_id) filter (where gap is not null) as people,
        quantile_disc(gap, 0.5)::int as usual, quantile_disc(gap, 0.95)::int as long
    from gaps
), counts as (
    select quantile_disc(n, 0.5)::int as typical, quantile_disc(n, 0.75)::int as high
    from (select count(*) as n from kept group by customer_id having count(*) >= 2)
), worked_out as (
    select *, n >= 200 and people >= 50 as is_enough, greatest(4, high, typical + 1) as many
    from repeats, counts
)
select
    threshold, unit, fixed as fixed_value, case when is_enough then worked else fixed end::int as threshold_value,
    case when is_enough then 'auto' else 'floor' end as basis, n as repeat_count,
    people as repeat_buyer_count, usual as median_gap_days, long as long_gap_days,
    typical as median_order_count, high as high_order_count
from worked_out, lateral (values
    ('loyal_min_orders', 'orders', many, 4), ('advocacy_min_orders', 'orders', many, 4),
    ('at_risk_min_orders', 'orders', greatest(3, typical), 3),
    ('overdue_min_days', 'days', long + 14, 180),
    ('recent_buyer_days', 'days', least(30, greatest(2, usual // 2)), 14),
    ('quiet_time_days', 'days', least(30, greatest(2, usual // 2)), 14),
    ('win_back_60_days', 'days', greatest(12, long) * 2 // 3, 60),
    ('win_back_75_days', 'days', greatest(12, long) * 5 // 6, 75),
    ('win_back_90_days', 'days', greatest(12, long), 90)
) as t(threshold, unit, worked, fixed);

create temp macro threshold(name) as (
    select threshold_value from marts.shop_rhythm as r where r.threshold = name
);

create table marts.fct_customer_order_summary as
with kept as (
    select * from marts.fct_orders where customer_id is not null and is_counted
), usual_gaps as (
    select customer_id, median(gap)::decimal(10, 1) as usual_gap_days
    from (
        select customer_id, date_diff('day',
            lag(ordered_date) over (partition by customer_id order by ordered_date), ordered_date) as gap
        from (select distinct customer_id, ordered_date from kept where is_kept)
    )
    where gap is not null group by customer_id
), totals as (
    select
        customer_id,
        arg_max(order_id, row(ordered_at, order_id)) filter (where is_kept) as last_order_id,
        count(*) filter (where is_kept) as order_count,
        count(*) filter (where is_kept and returns > 0) as returned_order_count,
        count(*) filter (where net_sales_shop is null) as unconverted_order_count,
        coalesce(sum(gross_sales_shop) filter (where is_kept), 0) as gross,
        sum(returns_shop) as returned, sum(net_sales_shop) as net,
        min(conversion_issue) filter (where net_sales_shop is null) as issue,
        min(ordered_date) filter (where is_kept) as first_ordered_date,
        max(ordered_date) filter (where is_kept) as last_ordered_date,
        min(ordered_at) filter (where is_kept) as first_ordered_at,
        max(ordered_at) filter (where is_kept) as last_ordered_at
    from kept group by customer_id
)
select
    customer_id, last_order_id, order_count, returned_order_count, unconverted_order_count,
    case when unconverted_order_count = 0 then gross end as lifetime_gross_sales,
    case when unconverted_order_count = 0 then returned end as lifetime_returns,
    case when unconverted_order_count = 0 then net end as lifetime_net_sales,
    case when unconverted_order_count > 0 then coalesce(issue, 'unknown_amount') end
        as lifetime_net_sales_issue,
    'GBP' as currency, usual_gap_days,
    date_diff('day', last_ordered_date, today()) as days_since_last_order,
    greatest(coalesce(2 * usual_gap_days, 0), threshold('overdue_min_days')) as overdue_after_days,
    first_ordered_date, last_ordered_date, first_ordered_at, last_ordered_at
from totals left join usual_gaps using (customer_id);

create temp table known_contacts as
with written as (
    select contact_key, 'contacts' as contact_source, source, email, phone, first_name, last_name,
        country, region, created_at, evidence_grade, loyalty_id as own_id, 'loyalty_id' as own_type
    from contacts
    union all
    select
        contact_key, 'web_traits',
        case when login_id is not null then 'account' else 'newsletter' end, email, phone,
        first_name, last_name, null, null, occurred_at,
        case when login_id is not null then 'verified_login' else 'newsletter' end,
        coalesce(login_id, device_id), case when login_id is not null then 'login' else 'device' end
    from stated
)
select
    written.* exclude (country),
    coalesce(own.customer_id, mail.customer_id, phones.customer_id) as customer_id,
    coalesce(names.country_code, case when length(country) = 2 then upper(country) end) as country_code
from written
left join owners as own on own_id = own.raw_value and own_type = own.type
left join owners as mail on written.email = mail.raw_value and mail.type = 'email'
left join owners as phones on written.phone = phones.raw_value and phones.type = 'phone'
left join read_csv(getvariable('seeds') || '/country_names.csv') as names
    on lower(country) = names.country_name;

create table marts.dim_customers as
with written as (
    select marts_orders.customer_id, order_id as record, first_name, last_name,
        orders.country_code, orders.region, true as is_order,
        case when orders.is_card_paid then 1 else 3 end as rank, orders.ordered_at as seen_at
    from orders
    inner join marts.fct_orders as marts_orders using (order_id, order_source)
    where marts_orders.customer_id is not null and not is_test
    union all
    select customer_id, contact_key, first_name, last_name, country_code, region, false,
        coalesce(list_position(['card_paid_order', 'verified_login', 'checkout', 'store_till',
            'newsletter'], evidence_grade), 6), created_at
    from known_contacts where customer_id is not null
), claims as (
    select written.*, case when countries.country_code is not null
        then concat_ws('-', written.country_code, regions.region) end as region_code
    from written
    left join read_csv(getvariable('seeds') || '/region_names.csv') as regions
        on written.country_code = regions.country_code
        and lower(trim(written.region)) = regions.region_name
    left join (
        select distinct country_code from read_csv(getvariable('seeds') || '/region_names.csv')
    ) as countries on written.country_code = countries.country_code
), names as (
    select customer_id, first_name, last_name
    from claims where first_name is not null or last_name is not null
    qualify row_number() over (
        partition by customer_id
        order by rank, coalesce(length(replace(first_name, '.', '')), 0) < 2
            or coalesce(length(replace(last_name, '.', '')), 0) < 2, seen_at desc nulls last, record
    ) = 1
), countries as (
    select customer_id, country_code
    from claims where country_code is not null
    qualify row_number() over (
        partition by customer_id order by not is_order, seen_at desc nulls last, rank, record
    ) = 1
), regions as (
    select customer_id, region_code
    from claims where region_code is not null
    qualify row_number() over (
        partition by customer_id order by not is_order, seen_at desc nulls last, rank, record
    ) = 1
), addresses as (
    select customer_id,
        max(identifier_value) filter (where identifier_type = 'email') as email,
        max(evidence_grade) filter (where identifier_type = 'email') as email_evidence_grade,
        max(identifier_value) filter (where identifier_type = 'phone') as phone
    from marts.bridge_customer_identifiers
    where is_primary and identifier_type in ('email', 'phone') group by customer_id
)
select
    customer_id,
    case when order_count > 0 then 'buyer' when is_known then 'prospect' else 'anonymous' end
        as customer_type,
    is_known, first_name, last_name, email, email_evidence_grade, phone, country_code,
    case when region_code like country_code || '-%'
        then substr(region_code, length(country_code) + 2) end as region,
    identifier_count, coalesce(order_count, 0) as order_count,
    case when sales.order_count is null then 0::decimal(18, 4) else lifetime_net_sales end
        as lifetime_net_sales,
    lifetime_net_sales_issue, 'GBP' as currency, people.first_seen_at, people.last_seen_at,
    first_ordered_at, last_ordered_at
from people
left join addresses using (customer_id)
left join marts.fct_customer_order_summary as sales using (customer_id)
left join names using (customer_id)
left join countries using (customer_id)
left join regions using (customer_id);

create temp table owned_visits as
with agents as (
    select
        user_agent,
        regexp_matches(lower(user_agent), (
            select string_agg(pattern, '|' order by pattern)
            from read_csv(getvariable('seeds') || '/bot_patterns.csv')
        )) as is_bot,
        case
            when regexp_matches(lower(user_agent), 'ipad|tablet|kindle|silk/') then 'tablet'
            when regexp_matches(lower(user_agent), 'mobi|iphone|ipod|android') then 'mobile'
            else 'desktop'
        end as agent_device_type
    from (select distinct user_agent from visits where user_agent is not null)
)
select
    visits.* exclude (device_type), devices.customer_id as device_customer_id,
    coalesce(logins.customer_id, devices.customer_id) as customer_id,
    coalesce(is_bot, false) as is_bot, coalesce(device_type, agent_device_type) as device_type
from visits
left join owners as devices on device_id = devices.raw_value and devices.type = 'device'
left join owners as logins on login_id = logins.raw_value and logins.type = 'login'
left join agents using (user_agent);

create table marts.fct_web_sessions as
with sources as (
    select distinct coalesce(utm_source, '') as source, coalesce(utm_medium, '') as medium,
        coalesce(case when referrer_host is distinct from landing_host then referrer_host end, '')
            as referrer_domain
    from visits
), channels as (
    select source, medium, referrer_domain,
        arg_min(marketing_channel, row(priority, marketing_channel)) as marketing_channel
    from (
        select sources.*, rules.*, case field
            when 'utm_medium' then medium when 'utm_source' then source
            when 'referrer_domain' then referrer_domain
            when 'paid_source' then case when regexp_matches(medium, '^(cpc|ppc|cpv|paid.*)$')
                then coalesce(nullif(source, ''), 'unnamed') else '' end
        end as tested
        from sources
        cross join read_csv(getvariable('seeds') || '/marketing_channel_rules.csv') as rules
    )
    where tested <> '' and case match_kind
        when 'exact' then tested = value when 'pattern' then regexp_matches(tested, value)
        else true end
    group by all
)
select
    session_id, customer_id, device_id, login_id,
    case when customer_id is not null and not is_bot then row_number() over (
        partition by customer_id, is_bot order by started_at, session_id
    ) end as customer_visit_number,
    not is_bot as is_human, is_bot, false as is_internal,
    coalesce(marketing_channel, 'direct') as marketing_channel, utm_source, utm_medium, utm_campaign,
    referrer, landing_page_url, device_type, event_count, page_view_count, product_view_count,
    order_completed_count, views[1] as product_view_1_at, views[2] as product_view_2_at,
    views[3] as product_view_3_at, last_product_view_at, first_wishlist_at, first_cart_at,
    last_cart_at, first_checkout_at, started_at, ended_at
from owned_visits
left join channels
    on coalesce(utm_source, '') = source and coalesce(utm_medium, '') = medium
    and coalesce(case when referrer_host is distinct from landing_host then referrer_host end, '')
        = referrer_domain;

create table marts.fct_customer_rfm as
with dates as (
    select today() as as_of_date
    union all
    select (date_trunc('month', today()) - interval (n) month - interval 1 day)::date
    from range(12) as months (n)
), changes as (
    select customer_id, ordered_date as changed_date,
        case when is_kept then ordered_date end as kept_date, is_kept::int as frequency,
        case when is_kept then gross_sales_shop else 0 end as gross,
        case when is_kept then net_sales_shop + returns_shop else net_sales_shop end as net,
        (net_sales_shop is null)::int as unconverted
    from marts.fct_orders where customer_id is not null and is_counted
    union all
    select customer_id, greatest(coalesce(shop_day(refunded_at), ordered_date), ordered_date),
        null, 0, 0, -returns_shop, 0
    from marts.fct_orders
    where customer_id is not null and is_counted and is_kept and returns_shop <> 0
), by_period as (
    select customer_id, as_of_date as period_end, max(kept_date) as last_kept,
        sum(frequency) as frequency, sum(gross) as gross, sum(net) as net,
        sum(unconverted) as unconverted
    from (
        select changes.*, coalesce(dates.as_of_date, today()) as as_of_date
        from changes asof left join dates on changed_date <= dates.as_of_date
    )
    group by all
), measured as (
    select customer_id, dates.as_of_date, max(last_kept) as last_ordered_date,
        sum(frequency)::bigint as frequency,
        case when sum(unconverted) = 0 then money(sum(net)) end as monetary,
        case when sum(unconverted) = 0 then money(sum(gross)) end as gross_monetary
    from by_period inner join dates on period_end <= dates.as_of_date
    group by all
), buyers as (
    select *, date_diff('day', last_ordered_date, as_of_date) as recency_days
    from measured where frequency > 0
), cuts as (
    select as_of_date, quantile_disc(recency_days, [0.2, 0.4, 0.6, 0.8]) as r,
        quantile_disc(frequency, [0.2, 0.4, 0.6, 0.8]) as f,
        quantile_disc(monetary, [0.2, 0.4, 0.6, 0.8]) as m
    from buyers group by as_of_date
), scored as (
    select buyers.*,
        5 - (recency_days > r[1])::int - (recency_days > r[2])::int
        - (recency_days > r[3])::int - (recency_days > r[4])::int as r_score,
        1 + (frequency > f[1])::int + (frequency > f[2])::int
        + (frequency > f[3])::int + (frequency > f[4])::int as f_score,
        case when monetary is null then null when monetary <= 0 then 1 else
            1 + (monetary > m[1])::int + (monetary > m[2])::int
            + (monetary > m[3])::int + (monetary > m[4])::int end as m_score
    from buyers inner join cuts using (as_of_date)
)
select
    customer_id, as_of_date, as_of_date = today() as is_current, recency_days, frequency, monetary,
    gross_monetary, 'GBP' as currency, r_score, f_score, m_score,
    r_score::text || f_score::text || m_score::text as rfm_score,
    (case r_score
        when 5 then ['new', 'new', 'active', 'champions', 'champions']
        when 4 then ['promising', 'promising', 'active', 'loyal', 'loyal']
        when 3 then ['promising', 'needs_attention', 'needs_attention', 'needs_attention', 'loyal']
        when 2 then ['almost_lost', 'almost_lost', 'at_risk', 'at_risk', 'previously_loyal']
        else ['dormant', 'dormant', 'almost_lost', 'previously_loyal', 'previously_loyal']
    end)[(f_score + m_score + 1) // 2] as rfm_segment,
    last_ordered_date
from scored;

create temp table interactions as
select
    web.event_id, web.occurred_at, event_name, session_id, product_id, sku, product_name, category,
    price, quantity, cart_id, page_url,
    case
        when web.login_id is not null then coalesce(logins.customer_id, device_customer_id)
        when web.occurred_at >= login_at then visits.customer_id
        else device_customer_id
    end as customer_id
from web
inner join owned_visits as visits on web.visitor_id = visits.visitor_id
    and web.occurred_at >= started_at and web.occurred_at <= ended_at
left join owners as logins on web.login_id = logins.raw_value and logins.type = 'login'
where not is_bot and (
    event_name in ('Product Reviewed', 'Product Shared')
    or (web.occurred_at >= as_of() - interval 8 day and event_name in (
        'Product Viewed', 'Product Added', 'Product Removed', 'Cart Viewed', 'Checkout Started',
        'Order Completed'
    ))
);

create table marts.fct_customer_journey_stages as
with humans as (
    select * from marts.fct_web_sessions where customer_visit_number is not null
), visited as (
    select customer_id, min(started_at) as first_visit_at,
        max(marketing_channel) filter (where customer_visit_number = 1) as channel,
        min(started_at) filter (where customer_visit_number >= 2) as enough_visits_at,
        min(first_wishlist_at) as wishlist_at, min(first_cart_at) as cart_at,
        min(first_checkout_at) as checkout_at
    from humans group by customer_id
), viewed as (
    select customer_id, min(at_time, 3) as views
    from (
        select customer_id, unnest([product_view_1_at, product_view_2_at, product_view_3_at]) as at_time
        from humans
    )
    where at_time is not null group by customer_id
), ordered as (
    select customer_id, min(ordered_at) as purchase_at,
        min(ordered_at) filter (where customer_order_number >= 2) as some_orders_at,
        min(ordered_at) filter (where customer_order_number >= threshold('advocacy_min_orders'))
            as many_orders_at
    from marts.fct_orders where customer_order_number is not null group by customer_id
), signals as (
    select customer_id, min(row(occurred_at, kind, tie)) as first
    from (
        select customer_id, kind, occurred_at, feedback_key as tie
        from feedback
        inner join owners on identifier_type = type and identifier_value = raw_value
        where kind in ('referral', 'review', 'share')
        union all
        select customer_id, case event_name when 'Product Reviewed' then 'review' else 'share' end,
            occurred_at, md5(event_id || '|' || session_id)
        from interactions
        where event_name in ('Product Reviewed', 'Product Shared') and customer_id is not null
    )
    group by customer_id
), reached as (
    select
        customer_id, channel, first_visit_at, enough_visits_at, wishlist_at, cart_at, many_orders_at,
        signals.first[2] as kind,
        people.first_seen_at as awareness_at,
        least(enough_visits_at, views[3]) as consideration_at,
        least(wishlist_at, cart_at, checkout_at) as acquisition_at,
        purchase_at,
        least(many_orders_at, case when some_orders_at is not null and signals.first is not null
            then greatest(some_orders_at, signals.first[1]) end) as advocacy_at
    from people
    left join visited using (customer_id)
    left join viewed using (customer_id)
    left join ordered using (customer_id)
    left join signals using (customer_id)
), staged as (
    select
        customer_id,
        unnest(['awareness', 'consideration', 'acquisition', 'purchase', 'advocacy']) as stage,
        unnest([1, 2, 3, 4, 5]) as stage_number,
        unnest([awareness_at, consideration_at, acquisition_at, purchase_at, advocacy_at]) as entered_at,
        unnest([
            least(consideration_at, acquisition_at, purchase_at, advocacy_at),
            least(acquisition_at, purchase_at, advocacy_at), least(purchase_at, advocacy_at),
            advocacy_at, null
        ]) as exited_at,
        unnest([
            case when first_visit_at <= awareness_at
                then 'First visit' || coalesce(', ' || came(channel), '') else 'First contact' end,
            case when consideration_at = enough_visits_at then 'Came back: 2 visits'
                else 'Viewed 3 products' end,
            case when acquisition_at = cart_at then 'Put a product in the cart'
                when acquisition_at = wishlist_at then 'Saved a product to the wishlist'
                else 'Started the checkout' end,
            'First order',
            case when advocacy_at = many_orders_at
                then counted(threshold('advocacy_min_orders'), 'order', 'orders')
                else '2 orders and a ' || kind end
        ]) as entry_reason
    from reached
)
select *, exited_at is null as is_current
from staged
where entered_at is not null and (exited_at is null or entered_at < exited_at);

create temp macro stop_rank(reason) as list_position(['spam_report', 'unsubscribed', 'manual', 'gpc',
    'unknown_opt_out', 'revoked', 'denied', 'hard_bounce', 'unconfirmed', 'expired', 'no_consent',
    'no_address'], reason);

create table marts.contactability as
with policies as (
    select channel, purpose
    from (select unnest(['email', 'sms', 'push', 'ads', 'onsite']) as channel)
    cross join (
        select unnest(['marketing', 'personalisation', 'ads', 'sell_share', 'transactional']) as purpose
    )
), address_types (channel, identifier_type, position) as (
    values ('email', 'email', 1), ('sms', 'phone', 1), ('push', 'device', 1), ('ads', 'email', 1),
        ('ads', 'phone', 2), ('onsite', 'login', 1), ('onsite', 'device', 2)
), stops as (
    select identifier_type, identifier_value, policies.channel, policies.purpose, occurred_at,
        status as written
    from consents
    inner join policies on consents.channel in ('*', policies.channel)
        and consents.purpose in ('*', policies.purpose)
    where status <> 'granted'
    union all
    select identifier_type, identifier_value, policies.channel, policies.purpose, occurred_at, reason
    from read_parquet(getvariable('exports') || '/suppressions.parquet') as suppressions
    inner join policies on suppressions.channel in ('*', policies.channel) and (
        suppressions.purpose = policies.purpose
        or (suppressions.purpose = '*' and policies.purpose <> 'transactional')
    )
    where occurred_at <= as_of()
), grants as (
    select * from consents
    where status = 'granted' and trim(coalesce(source, '')) <> ''
        and (lawful_basis <> 'contract' or purpose = 'transactional')
), evidenced as (
    select identifier_type, identifier_value, channel, purpose, max(occurred_at) as evidenced_at
    from grants where coalesce(wording_version, '') <> '' or coalesce(proof, '') <> '' group by all
), in_force as (
    select identifier_type, identifier_value, channel, purpose,
        min(stop_rank(reason)) filter (where reason <> 'hard_bounce') as stop,
        bool_or(reason = 'hard_bounce') as is_bounced
    from (
        select stops.*, case when written in ('spam_report', 'unsubscribed', 'manual', 'gpc', 'revoked',
            'denied', 'hard_bounce') then written else 'unknown_opt_out' end as reason
        from stops
    )
    left join evidenced using (identifier_type, identifier_value, channel, purpose)
    where reason not in ('spam_report', 'unsubscribed', 'revoked', 'denied')
        or evidenced_at is null or evidenced_at <= occurred_at
    group by all
), latest as (
    select identifier_type, identifier_value, channel, purpose,
        case when expires_at <= as_of() then null else consent_event_id end as receipt,
        case when expires_at <= as_of() then 'expired' end as lacking
    from grants
    qualify row_number() over (
        partition by identifier_type, identifier_value, channel, purpose
        order by occurred_at desc, consent_event_id desc
    ) = 1
), ids as (
    select *, list_position(['card_paid_order', 'verified_login', 'checkout', 'store_till', 'newsletter',
        'import'], evidence_grade) as rank
    from marts.bridge_customer_identifiers
), standings as (
    select customer_id, identifier_type, identifier_value, rank, channel, purpose, receipt, lacking,
        stop, coalesce(is_bounced, false) as is_bounced, position is not null as is_address
    from latest
    full join in_force using (identifier_type, identifier_value, channel, purpose)
    inner join ids using (identifier_type, identifier_value)
    left join address_types using (channel, identifier_type)
), persons as (
    select customer_id, channel, purpose,
        min(case when stop is not null then stop when is_bounced and not is_address
            then stop_rank('hard_bounce') end) as stop,
        min(stop_rank(lacking)) as lacking,
        arg_min(receipt, rank::text || identifier_type || identifier_value) filter (
            where receipt is not null and channel <> 'push'
                and (not is_address or channel in ('ads', 'onsite'))
                and (identifier_type <> 'device' or channel in ('ads', 'onsite'))
        ) as personal
    from standings group by customer_id, channel, purpose
), candidates as (
    select persons.customer_id, persons.channel, persons.purpose, ids.identifier_type,
        ids.identifier_value, coalesce(own.receipt, personal) as receipt,
        coalesce(own.is_bounced, false) as is_bounced,
        row_number() over (
            partition by persons.customer_id, persons.channel, persons.purpose
            order by coalesce(own.is_bounced, false), own.receipt is null, position, is_dormant,
                ids.rank, not is_primary, last_seen_at desc, ids.identifier_value
        ) as preference
    from persons
    inner join address_types using (channel)
    inner join ids on persons.customer_id = ids.customer_id
        and address_types.identifier_type = ids.identifier_type
    left join standings as own on persons.channel = own.channel and persons.purpose = own.purpose
        and ids.identifier_type = own.identifier_type and ids.identifier_value = own.identifier_value
), addresses as (
    select customer_id, channel, purpose, true as has_address,
        bool_or(receipt is not null) as has_permitted, bool_or(not is_bounced) as has_living,
        max(receipt) filter (where preference = 1 and not is_bounced) as receipt,
        max(identifier_type) filter (where preference = 1 and not is_bounced) as address_type,
        max(identifier_value) filter (where preference = 1 and not is_bounced) as address
    from candidates group by customer_id, channel, purpose
), decided as (
    select customer_id, channel, purpose, receipt, address_type, address, case
        when stop is not null then ['spam_report', 'unsubscribed', 'manual', 'gpc', 'unknown_opt_out',
            'revoked', 'denied', 'hard_bounce'][stop]
        when receipt is not null then 'granted'
        when has_permitted and not has_living then 'hard_bounce'
        when lacking is not null and personal is null then 'expired'
        when has_address is null and personal is not null then 'no_address'
        when not has_living then 'hard_bounce' else 'no_consent' end as reason
    from persons left join addresses using (customer_id, channel, purpose)
)
select
    customer_id, channel, purpose, coalesce(reason = 'granted', false) as is_contactable,
    coalesce(reason, 'no_consent') as reason,
    case when reason = 'granted' then receipt end as consent_receipt_id,
    case when reason = 'granted' then address_type end as address_type,
    case when reason = 'granted' then address end as address,
    case when reason = 'granted' then receipts.lawful_basis end as lawful_basis,
    case when reason = 'granted' then receipts.occurred_at end as granted_at,
    case when reason = 'granted' then receipts.expires_at end as expires_at
from (
    select customer_id, channel, purpose
    from marts.dim_customers cross join policies where is_known
    union all
    select customer_id, channel, purpose
    from decided semi join (from marts.dim_customers where not is_known) using (customer_id)
    where channel in ('push', 'onsite', 'ads')
)
left join decided using (customer_id, channel, purpose)
left join consents as receipts on receipt = consent_event_id;

create table marts.customer_last_purchases as
with latest as (
    select customer_id, order_id, order_source, net_sales, orders.currency, ordered_at
    from marts.fct_customer_order_summary as sums
    inner join marts.fct_orders as orders using (customer_id)
    where order_id = last_order_id
), lines as (
    select latest.customer_id, product_id, sku, product_name, category, brand,
        count(*) over (partition by latest.customer_id) as line_count
    from marts.fct_order_lines as lines
    inner join latest using (order_id, order_source)
    where not is_return_line and quantity > 0
    qualify row_number() over (
        partition by latest.customer_id
        order by lines.net_sales desc nulls last, line_number, order_line_id
    ) = 1
)
select
    customer_id, order_id, product_id, sku, product_name, category, brand,
    coalesce(product_name, sku, 'a product')
    || case when line_count > 1 then ' and ' || (line_count - 1) || ' more' else '' end as product_words,
    coalesce(line_count, 0) as line_count, net_sales, currency, ordered_at
from latest left join lines using (customer_id);

create table marts.recent_interactions as
with recent as (
    select * from interactions
    where customer_id is not null and event_name not in ('Product Reviewed', 'Product Shared')
), placed as (
    select customer_id, max(ordered_at) as placed_at
    from marts.fct_orders
    where ordered_at >= as_of() - interval 8 day and status <> 'test'
        and (gross_sales > 0 or gift_cards_sold > 0)
    group by customer_id
), completed as (
    select customer_id, max(occurred_at) as completed_at
    from recent where event_name = 'Order Completed' group by customer_id
), bought as (
    select token, max(ordered_at) as bought_at
    from (
        select unnest([cart_token, checkout_token]) as token, ordered_at
        from orders
        where ordered_at >= as_of() - interval 8 day and not is_test
            and (gross_sales > 0 or gift_cards_sold > 0)
        union all
        select cart(cart_id), occurred_at from recent where event_name = 'Order Completed'
    )
    where token is not null group by token
), answered as (
    select customer_id, max(bought_at) as answered_at
    from recent inner join bought on cart(cart_id) = token group by customer_id
), codes as (
    select sku, arg_min(struct_pack(product_name, category), row(-order_count, product_id)) as known
    from marts.dim_products where sku is not null group by sku
)
select
    event_id, customer_id, session_id, event_name,
    event_name in ('Product Added', 'Product Removed', 'Cart Viewed', 'Checkout Started')
        as is_cart_event,
    token is null and occurred_at
        > coalesce(greatest(placed_at, completed_at, answered_at), '1900-01-01'::timestamp)
        as is_after_last_order,
    coalesce(sold.product_id, plain_code(recent.product_id)) as product_id,
    coalesce(sold.sku, codes.sku, plain_code(recent.sku)) as sku,
    coalesce(recent.product_id, recent.sku, recent.product_name) as product_key,
    coalesce(sold.product_name, known.product_name, plain_words(recent.product_name)) as product_name,
    coalesce(sold.category, known.category, plain_words(recent.category)) as category,
    plain_code(cart_id) as cart_id, own_link(page_url) as page_url, recent.price, quantity,
    greatest(placed_at, completed_at, answered_at) as last_order_at, occurred_at
from recent
left join marts.dim_products as sold on recent.product_id = sold.product_id
left join codes on sold.product_id is null and recent.sku = codes.sku
left join bought on cart(cart_id) = token
left join placed using (customer_id)
left join completed using (customer_id)
left join answered using (customer_id);

-- Segments -----------------------------------------------------------------------------------------
create temp table buyers as
select sums.*, last.* exclude (customer_id, currency), last.currency as order_currency
from marts.fct_customer_order_summary as sums
left join marts.customer_last_purchases as last using (customer_id)
where order_count > 0;

create temp macro rhythm(n, gap, day) as counted(n, 'order', 'orders')
    || coalesce(', usually every ' || counted(round(gap)::bigint, 'day', 'days'), '')
    || '; the last one ' || since(day) || '.';

create table segments.seg_one_time_buyers as
select customer_id,
    'Bought once, ' || since(last_ordered_date) || ': ' || product_words || '.' as reason,
    json_object('product', product_name, 'product_id', product_id, 'category', category,
        'value', lifetime_net_sales::decimal(18, 2), 'currency', currency,
        'last_ordered_on', last_ordered_date)::text as context
from buyers where order_count = 1;

create table segments.seg_recent_buyers as
select customer_id,
    'Ordered ' || product_words || ' ' || since(last_ordered_date) || '.' as reason,
    json_object('product', product_name, 'product_id', product_id, 'category', category,
        'order_id', order_id, 'value', net_sales::decimal(18, 2), 'currency', order_currency,
        'is_first_order', order_count = 1)::text as context
from buyers where days_since_last_order <= threshold('recent_buyer_days');

create table segments.seg_loyal_customers as
select customer_id, rhythm(order_count, usual_gap_days, last_ordered_date) as reason,
    json_object('product', product_name, 'product_id', product_id, 'category', category,
        'colour', colour, 'order_count', order_count, 'value', lifetime_net_sales::decimal(18, 2), 'currency', currency,
        'usual_gap_days', usual_gap_days, 'last_ordered_on', last_ordered_date)::text as context
from buyers
left join (select customer_id, colour from product.marts.customer_preferences) using (customer_id)
where order_count >= threshold('loyal_min_orders') and days_since_last_order <= overdue_after_days;

create table segments.seg_at_risk as
select customer_id, rhythm(order_count, usual_gap_days, last_ordered_date) as reason,
    json_object('product', product_name, 'product_id', product_id, 'category', category,
        'order_count', order_count, 'value', lifetime_net_sales::decimal(18, 2), 'currency', currency,
        'usual_gap_days', usual_gap_days, 'last_ordered_on', last_ordered_date)::text as context
from buyers
where order_count >= threshold('at_risk_min_orders') and days_since_last_order > overdue_after_days;

create table segments.seg_vip as
select customer_id,
    'Among the best 5 % of buyers by value: '
    || lifetime_net_sales::decimal(18, 2) || ' ' || currency || ' after returns, over '
    || counted(order_count, 'order', 'orders') || '.' as reason,
    json_object('product', product_name, 'product_id', product_id, 'category', category,
        'order_count', order_count,
        'value', lifetime_net_sales::decimal(18, 2), 'currency', currency)::text as context
from (
    select *, count(*) over () as buyer_count, row_number() over (
        order by lifetime_net_sales desc, order_count desc, last_ordered_at desc, customer_id
    ) as value_rank
    from buyers where lifetime_net_sales is not null
)
where value_rank <= ceil(0.05 * buyer_count) and order_count >= 3 and lifetime_net_sales > 0;

create table segments.seg_buyers_without_email_permission as
select customer_id,
    counted(order_count, 'order', 'orders') || case when order_count = 1 then ', ' else ', the last ' end
    || since(last_ordered_date) || ', but '
    || case permission when 'no_consent' then 'no permission for email is on record'
        when 'denied' then 'they said no to email'
        when 'revoked' then 'they withdrew permission for email'
        when 'unsubscribed' then 'they unsubscribed from email'
        when 'expired' then 'their permission for email has run out'
        when 'spam_report' then 'they reported an email as spam'
        when 'hard_bounce' then 'their email address no longer works'
        when 'no_address' then 'no email address is known'
        else 'email is switched off for them' end || '.' as reason,
    json_object('permission', permission, 'order_count', order_count,
        'value', lifetime_net_sales::decimal(18, 2), 'currency', currency,
        'last_ordered_on', last_ordered_date)::text as context
from (
    select buyers.*, coalesce(allowed.reason, 'no_consent') as permission,
        coalesce(is_contactable, false) as is_contactable
    from buyers
    left join marts.contactability as allowed on buyers.customer_id = allowed.customer_id
        and channel = 'email' and purpose = 'marketing'
)
where not is_contactable;

create table segments.seg_first_time_visitors as
select customer_id,
    'First visit ' || since(shop_day(started_at)) || coalesce(', ' || came(marketing_channel), '') || ', '
    || case when product_view_count = 0 then 'no product viewed.'
        else counted(product_view_count, 'product', 'products') || ' viewed.' end as reason,
    json_object('marketing_channel', marketing_channel, 'product_view_count', product_view_count,
        'visited_at', started_at)::text as context
from (
    select customer_id, any_value(started_at) as started_at,
        any_value(marketing_channel) as marketing_channel,
        sum(product_view_count)::bigint as product_view_count
    from marts.fct_web_sessions where customer_visit_number is not null
    group by customer_id having count(*) = 1
) as visitors
inner join marts.dim_customers using (customer_id)
where started_at >= as_of() - interval 30 day and first_ordered_at is null;

create table segments.seg_new_subscribers as
select customer_id,
    'Signed up for email ' || since(shop_day(signed_up_at)) || coalesce(' (' || replace(replace(source, '_', ' '), ':', ' ') || ')', '')
    || case when order_count = 0 then ', no order yet.'
        else ', ' || counted(order_count, 'order', 'orders') || ' so far.' end as reason,
    json_object('source', source, 'signed_up_at', signed_up_at, 'order_count', order_count)::text
        as context
from (
    select * from (
        select customer_id, source, created_at as signed_up_at, contact_key as tie
        from known_contacts
        where customer_id is not null and email is not null and contact_source = 'contacts'
            and source not in ('', 'checkout', 'import')
        union all
        select customer_id, source, occurred_at, consent_event_id
        from consents
        inner join marts.bridge_customer_identifiers using (identifier_type, identifier_value)
        where channel = 'email' and purpose = 'marketing' and status = 'granted'
    )
    where signed_up_at <= as_of()
    qualify row_number() over (partition by customer_id order by signed_up_at, tie) = 1
)
inner join marts.dim_customers using (customer_id)
where signed_up_at >= as_of() - interval 30 day;

create table segments.seg_abandoned_browse as
with last_views as (
    select * from marts.recent_interactions
    where event_name = 'Product Viewed'
    qualify row_number() over (partition by customer_id order by occurred_at desc, event_id desc) = 1
)
select customer_id,
    'Looked at ' || coalesce(product_name, sku, 'a product') || ' ' || since(shop_day(occurred_at))
    || ' and has not put it in the cart.' as reason,
    json_object('product', product_name, 'product_id', product_id, 'sku', sku, 'category', category,
        'value', price::decimal(18, 2), 'link', page_url, 'viewed_at', occurred_at)::text as context
from last_views as views
inner join marts.dim_customers using (customer_id)
where is_known and is_after_last_order
    and occurred_at between as_of() - interval 7 day and as_of() - interval 1 hour
    and not exists (
        from marts.recent_interactions as later
        where later.customer_id = views.customer_id and later.is_cart_event
            and later.occurred_at >= views.occurred_at
    );

create table segments.seg_retargeting as
with last_steps as (
    select * from marts.recent_interactions
    where event_name in ('Product Viewed', 'Product Added')
    qualify row_number() over (partition by customer_id order by occurred_at desc, event_id desc) = 1
)
select customer_id,
    case when is_cart_event then 'Put ' else 'Looked at ' end
    || coalesce(product_name, sku, 'a product') || case when is_cart_event then ' in the cart' else '' end
    || ' ' || since(shop_day(occurred_at)) || ' and has not ordered since.' as reason,
    json_object('product', product_name, 'product_id', product_id, 'sku', sku, 'category', category,
        'seen_at', occurred_at)::text as context
from last_steps
inner join marts.dim_customers using (customer_id)
where is_known and is_after_last_order
    and occurred_at between as_of() - interval 7 day and as_of() - interval 1 hour;

create table segments.seg_service_recovery as
with cases as (
    select customer_id, kind, product_id, occurred_at,
        count(*) over (partition by customer_id) as case_count
    from feedback
    inner join owners on identifier_type = type and identifier_value = raw_value
    where (kind in ('complaint', 'support') or (kind = 'review' and score <= 2))
        and (closed_at is null or closed_at > as_of())
    qualify row_number() over (partition by customer_id order by occurred_at desc, feedback_key) = 1
)
select customer_id,
    case kind when 'complaint' then 'Complained' when 'support' then 'Asked for help'
        else 'Wrote a bad review' end
    || coalesce(' about ' || product_name, '') || ' ' || since(shop_day(occurred_at))
    || ', and the case is open.' as reason,
    json_object('case', kind, 'case_at', occurred_at, 'case_count', case_count,
        'product', product_name, 'product_id', product_id)::text as context
from cases
left join marts.dim_products using (product_id)
where occurred_at >= as_of() - interval 30 day;

create table segments.seg_abandoned_cart as
with steps as (
    select * from marts.recent_interactions where is_cart_event and is_after_last_order
), carts as (
    select customer_id, max(occurred_at) as last_cart_at from steps group by customer_id
), products as (
    select * from steps
    where event_name in ('Product Added', 'Product Removed') and product_key is not null
    qualify row_number() over (
        partition by customer_id, product_key order by occurred_at desc, event_id desc
    ) = 1
), contents as (
    select customer_id,
        count(*) filter (where event_name = 'Product Added') as product_count,
        count(*) filter (where event_name = 'Product Removed') as removed_count,
        sum(price * coalesce(quantity, 1)) filter (where event_name = 'Product Added') as cart_value,
        arg_max(struct_pack(product_name, product_id, sku, category, cart_id, page_url),
            row(occurred_at, event_id)) filter (where event_name = 'Product Added') as last
    from products group by customer_id
)
select customer_id,
    'Left ' || coalesce(last.product_name, last.sku, 'a product')
    || case when product_count > 1 then ' and ' || (product_count - 1) || ' more' else '' end
    || ' in the cart ' || since(shop_day(last_cart_at)) || '.' as reason,
    json_object('product', last.product_name, 'product_id', last.product_id, 'sku', last.sku,
        'category', last.category, 'product_count', product_count,
        'value', cart_value::decimal(18, 2), 'cart_id', last.cart_id, 'link', last.page_url,
        'left_at', last_cart_at)::text as context
from carts
left join contents using (customer_id)
where last_cart_at between as_of() - interval 7 day and as_of() - interval 1 hour
    and (coalesce(product_count, 0) > 0 or coalesce(removed_count, 0) = 0);

create table segments.seg_high_intent as
with moments as (
    select customer_id, unnest([opened_at, clicked_at]) as touched_at,
        unnest([false, true]) as is_click
    from marts.fct_messages
    where customer_id is not null and channel = 'email'
        and greatest(opened_at, clicked_at) >= as_of() - interval 7 day
), views as (
    select * from marts.recent_interactions
    where event_name = 'Product Viewed' and is_after_last_order
), touched as (
    select customer_id, min(touched_at) as touched_at, bool_or(is_click) as has_clicked
    from moments
    inner join (select distinct customer_id, last_order_at from views) using (customer_id)
    where touched_at >= as_of() - interval 7 day
        and (last_order_at is null or last_order_at < touched_at)
    group by customer_id
), interest as (
    select customer_id, any_value(touched_at) as touched_at, any_value(has_clicked) as has_clicked,
        count(distinct product_key) as product_count, max(occurred_at) as last_viewed_at,
        arg_max(struct_pack(product_name, product_id, sku, category, price, page_url),
            row(occurred_at, event_id)) as last
    from touched
    inner join views using (customer_id)
    where touched_at <= occurred_at
    group by customer_id
)
select customer_id,
    case when has_clicked then 'Clicked' else 'Opened' end || ' an email, then viewed '
    || counted(product_count, 'product', 'products') || ', last '
    || coalesce(last.product_name, last.sku, 'a product') || ' ' || since(shop_day(last_viewed_at))
    || '; no order since.' as reason,
    json_object('product', last.product_name, 'product_id', last.product_id, 'sku', last.sku,
        'category', last.category, 'product_count', product_count,
        'value', last.price::decimal(18, 2), 'link', last.page_url, 'touched_at', touched_at,
        'viewed_at', last_viewed_at)::text as context
from interest where product_count >= 2;
