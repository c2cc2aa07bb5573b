{#- Orders from JSON and from line files in one shape, without who placed them. -#}
with documents as (
    select *
    from {{ ref('int_order_documents') }}
),

line_orders as (
    select *
    from {{ ref('int_order_line_orders') }}
    -- An order that came as JSON too is told better there
    where document_order_id is null
),

line_sums as (
    select
        order_id,
        order_source,
        {{ money('sum(gross_sales)') }} as gross_sales,
        {{ money('sum(discounts)') }} as discounts,
        {{ money('sum(returns)') }} as returns,
        {{ money("sum(case when line_kind = 'gift_card' then other_amount else 0 end)") }} as gift_cards_sold,
        {{ money("sum(case when line_kind = 'tip' then other_amount else 0 end)") }} as tips,
        {{ money('sum(adjustments)') }} as adjustments
    from {{ ref('int_order_lines_unioned') }}
    group by order_id, order_source
),

line_goods as (
    select
        order_id,
        {{ money('sum(gross_sales - discounts)') }} as net
    from {{ ref('int_order_line_items') }}
    group by order_id
),

refunds as (
    select
        order_id,
        max(refunded_at) as refunded_at,
        {{ money('sum(goods_back)') }} as goods_back,
        {{ money('sum(shipping_back)') }} as shipping_back,
        {{ money('sum(other_taxes_back)') }} as other_taxes_back,
        bool_or(is_unknown) as is_unknown
    from {{ ref('int_order_refunds') }}
    group by order_id
),

goods_returned as (
    select
        order_id,
        {{ money('sum(amount_back)') }} as amount_back,
        {{ money('sum(returned_taxes)') }} as returned_taxes
    from {{ ref('int_order_returns') }}
    group by order_id
),

-- Money back beyond all goods was for shipping, and beyond that for its tax
left_over as (
    select
        documents.*,
        refunds.refunded_at,
        documents.is_cancelled or documents.is_voided as is_never_sold,
        coalesce(refunds.is_unknown, false)
        and not (documents.is_cancelled or documents.is_voided) as is_refund_unknown,
        greatest(coalesce(documents.shipping, 0) - coalesce(refunds.shipping_back, 0), 0) as shipping_left,
        greatest(
            coalesce(documents.taxes, 0)
            - coalesce(goods_returned.returned_taxes, 0)
            - coalesce(refunds.other_taxes_back, 0),
            0
        ) as taxes_left,
        greatest(coalesce(refunds.goods_back, 0) - coalesce(goods_returned.amount_back, 0), 0) as beyond_goods
    from documents
    left join refunds on documents.order_id = refunds.order_id
    left join goods_returned on documents.order_id = goods_returned.order_id
),

country_names as (
    select *
    from {{ ref('country_names') }}
),

occasions as (
    {{ occasion_words() }}
),

unioned as (
    select
        documents.order_id,
        documents.order_source,
        documents.id_scope,
        documents.ordered_at,
        documents.created_at,
        case when documents.is_cancelled then documents.cancelled_at end as cancelled_at,
        documents.refunded_at,
        documents.is_cancelled,
        documents.is_voided,
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
        cast(null as {{ dbt.type_string() }}) as orders_customer_id,
        documents.payment_fingerprint,
        documents.device_id,
        documents.first_name,
        documents.last_name,
        documents.payment_gateways,
        documents.has_card_payment,
        documents.accepts_marketing,
        -- What is given back takes its tax with it, an order that is no sale its shipping too
        case
            when documents.is_never_sold then 0
            else greatest(documents.shipping_left - documents.beyond_goods, 0)
        end as shipping,
        case
            when documents.is_never_sold then 0
            else greatest(documents.taxes_left - greatest(documents.beyond_goods - documents.shipping_left, 0), 0)
        end as taxes,
        documents.country_code,
        documents.region,
        documents.city,
        documents.landing_site,
        documents.referring_site,
        documents.discount_code,
        documents.cart_token,
        documents.checkout_token,
        documents.checkout_id,
        documents.tips as stated_tips,
        documents.is_refund_unknown,
        documents.tags,
        documents.is_gift,
        documents.ships_elsewhere,
        occasions.occasion,
        documents.occasion_word is not null and occasions.occasion is null as is_occasion_unknown,
        documents.currency as written_currency
    from left_over as documents
    left join occasions on {{ word_form('documents.occasion_word') }} = occasions.word
    union all
    select
        line_orders.order_id,
        'order_lines' as order_source,
        line_orders.id_scope,
        line_orders.ordered_at,
        line_orders.ordered_at as created_at,
        line_orders.cancelled_at,
        case when line_orders.is_return_document then line_orders.ordered_at end as refunded_at,
        line_orders.is_cancelled,
        line_orders.is_voided,
        false as is_test,
        line_orders.is_return_document,
        case when line_orders.is_voided then 'voided' else 'paid' end as financial_status,
        coalesce(line_orders.sales_channel, 'online') as sales_channel,
        line_orders.store_id,
        line_orders.email,
        {{ phone_with_country('line_orders.phone', 'line_orders.country') }} as phone,
        null as shopify_customer_id,
        line_orders.orders_customer_id,
        line_orders.payment_fingerprint,
        null as device_id,
        line_orders.first_name,
        line_orders.last_name,
        null as payment_gateways,
        false as has_card_payment,
        null as accepts_marketing,
        case
            when line_orders.is_cancelled or line_orders.is_voided then 0
            else greatest(line_orders.shipping - greatest(line_orders.refunded_amount - line_goods.net, 0), 0)
        end as shipping,
        case when line_orders.is_cancelled or line_orders.is_voided then 0 else line_orders.taxes end as taxes,
        country_names.country_code,
        line_orders.region,
        null as city,
        null as landing_site,
        null as referring_site,
        null as discount_code,
        null as cart_token,
        null as checkout_token,
        null as checkout_id,
        0 as stated_tips,
        false as is_refund_unknown,
        null as tags,
        null as is_gift,
        null as ships_elsewhere,
        null as occasion,
        false as is_occasion_unknown,
        line_orders.currency as written_currency
    from line_orders
    inner join line_goods on line_orders.order_id = line_goods.order_id
    left join country_names on lower(line_orders.country) = country_names.country_name
)

select
    unioned.*,
    coalesce(unioned.written_currency, '{{ var("shop_currency") }}') as currency,
    coalesce(line_sums.gross_sales, 0) as gross_sales,
    coalesce(line_sums.discounts, 0) as discounts,
    case when not unioned.is_refund_unknown then coalesce(line_sums.returns, 0) end as returns,
    coalesce(line_sums.gift_cards_sold, 0) as gift_cards_sold,
    {{ money('greatest(coalesce(line_sums.tips, 0), unioned.stated_tips)') }} as tips,
    coalesce(line_sums.adjustments, 0) as adjustments
from unioned
left join line_sums
    on unioned.order_id = line_sums.order_id and unioned.order_source = line_sums.order_source
