{#- Orders from JSON and from line files in one shape, without who placed them. -#}
with documents as (
    select *
    from {{ ref('int_order_documents') }}
),

line_orders as (
    select
        order_id,
        min(ordered_at) as ordered_at,
        min(orders_customer_id) as orders_customer_id,
        min(email) as email,
        min(phone) as phone,
        min(payment_fingerprint) as payment_fingerprint,
        min(country) as country,
        min(sales_channel) as sales_channel,
        min(store_id) as store_id,
        bool_and(is_return_line or is_adjustment) and bool_or(is_return_line) as is_return_document
    from {{ ref('stg_orders__order_lines') }}
    -- An order that came as JSON too is told better there
    where order_id not in (select order_id from {{ ref('int_order_versions') }})
    group by order_id
),

line_sums as (
    select
        order_id,
        order_source,
        min(currency) as currency,
        {{ money('sum(gross_sales)') }} as gross_sales,
        {{ money('sum(discounts)') }} as discounts,
        {{ money('sum(returns)') }} as returns,
        {{ money('sum(adjustments)') }} as adjustments
    from {{ ref('int_order_lines_unioned') }}
    group by order_id, order_source
),

refunds as (
    select
        order_id,
        max(refunded_at) as refunded_at,
        {{ money('sum(returned_taxes)') }} as returned_taxes
    from {{ ref('int_order_refunds') }}
    group by order_id
),

country_names as (
    select *
    from {{ ref('country_names') }}
),

unioned as (
    select
        documents.order_id,
        documents.order_source,
        documents.ordered_at,
        documents.created_at,
        case when documents.cancelled_at <= {{ as_of() }} then documents.cancelled_at end as cancelled_at,
        refunds.refunded_at,
        documents.is_test,
        false as is_return_document,
        documents.financial_status,
        case documents.sales_channel
            when 'web' then 'online' when 'pos' then 'store' else coalesce(documents.sales_channel, 'online')
        end as sales_channel,
        documents.store_id,
        documents.email,
        {{ phone_with_country('documents.phone', 'documents.country_code') }} as phone,
        documents.shopify_customer_id,
        cast(null as varchar) as orders_customer_id,
        documents.payment_fingerprint,
        documents.device_id,
        documents.first_name,
        documents.last_name,
        documents.payment_gateways,
        documents.has_card_payment,
        documents.accepts_marketing,
        -- What is given back takes its tax with it, a cancelled order its shipping too
        case when documents.cancelled_at <= {{ as_of() }} then 0 else coalesce(documents.shipping, 0) end as shipping,
        case
            when documents.cancelled_at <= {{ as_of() }} then 0
            else greatest(coalesce(documents.taxes, 0) - coalesce(refunds.returned_taxes, 0), 0)
        end as taxes,
        documents.country_code,
        documents.landing_site,
        documents.referring_site,
        documents.discount_code,
        documents.currency as written_currency
    from documents
    left join refunds on documents.order_id = refunds.order_id
    union all
    select
        line_orders.order_id,
        'order_lines' as order_source,
        line_orders.ordered_at,
        line_orders.ordered_at as created_at,
        null as cancelled_at,
        case when line_orders.is_return_document then line_orders.ordered_at end as refunded_at,
        false as is_test,
        line_orders.is_return_document,
        'paid' as financial_status,
        coalesce(line_orders.sales_channel, 'online') as sales_channel,
        line_orders.store_id,
        line_orders.email,
        {{ phone_with_country('line_orders.phone', 'line_orders.country') }} as phone,
        null as shopify_customer_id,
        line_orders.orders_customer_id,
        line_orders.payment_fingerprint,
        null as device_id,
        null as first_name,
        null as last_name,
        null as payment_gateways,
        false as has_card_payment,
        null as accepts_marketing,
        0 as shipping,
        0 as taxes,
        country_names.country_code,
        null as landing_site,
        null as referring_site,
        null as discount_code,
        null as written_currency
    from line_orders
    left join country_names on lower(line_orders.country) = country_names.country_name
)

select
    unioned.*,
    coalesce(unioned.written_currency, line_sums.currency, '{{ var("shop_currency") }}') as currency,
    coalesce(line_sums.gross_sales, 0) as gross_sales,
    coalesce(line_sums.discounts, 0) as discounts,
    coalesce(line_sums.returns, 0) as returns,
    coalesce(line_sums.adjustments, 0) as adjustments
from unioned
left join line_sums
    on unioned.order_id = line_sums.order_id and unioned.order_source = line_sums.order_source
