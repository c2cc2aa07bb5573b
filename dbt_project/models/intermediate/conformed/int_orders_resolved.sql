with orders as (
    select
        *,
        {{ shop_date('ordered_at') }} as ordered_date
    from {{ ref('int_orders_unioned') }}
),

order_customers as (
    select *
    from {{ ref('int_order_customers') }}
),

conversions as (
    select *
    from {{ ref('int_order_conversions') }}
),

-- What the settings call a shop, by its newest row; one that only files tell of is called by its name
shops as (
    select
        coalesce(id_scope, '') as id_scope,
        {{ last_value_by_time('shop_id', 'updated_at') }} as shop_id
    from {{ ref('stg_shopify__orders') }}
    group by 1
),

valued as (
    select
        orders.*,
        coalesce(shops.shop_id, orders.id_scope, 'shop') as shop_id,
        order_customers.customer_id,
        order_customers.is_card_paid,
        order_customers.payment_fingerprint as paid_with,
        case when orders.currency = '{{ var("shop_currency") }}' then 1 else conversions.rate end as rate,
        coalesce(conversions.conversion_issue, case when orders.is_refund_unknown then 'unknown_refund' end)
            as conversion_issue,
        {{ money('orders.gross_sales - orders.discounts - orders.returns') }} as net_sales
    from orders
    left join order_customers
        on orders.order_id = order_customers.order_id and orders.order_source = order_customers.order_source
    left join shops on coalesce(orders.id_scope, '') = shops.id_scope
    left join conversions
        on orders.currency = conversions.currency and orders.ordered_date = conversions.ordered_date
)

select
    order_id,
    order_source,
    customer_id,
    shop_id,
    ordered_at,
    ordered_date,
    created_at,
    cancelled_at,
    case
        when is_test then 'test'
        when is_cancelled then 'cancelled'
        when is_voided then 'voided'
        when is_return_document then 'returned'
        when returns > 0 and returns >= gross_sales - discounts then 'returned'
        when returns > 0 or is_refund_unknown then 'partially_returned'
        else 'placed'
    end as status,
    not is_test
    and not is_cancelled
    and not is_voided
    and not is_return_document
    and gross_sales - discounts > 0 as is_kept,
    is_return_document,
    sales_channel,
    store_id,
    gross_sales,
    discounts,
    returns,
    net_sales,
    {{ money('shipping') }} as shipping,
    {{ money('taxes') }} as taxes,
    {{ money('net_sales + shipping + taxes') }} as total_sales,
    {{ money('gift_cards_sold') }} as gift_cards_sold,
    tips,
    adjustments,
    currency,
    {{ money('gross_sales * rate') }} as gross_sales_shop,
    {{ money('discounts * rate') }} as discounts_shop,
    {{ money('returns * rate') }} as returns_shop,
    {{ money('gross_sales * rate') }} - {{ money('discounts * rate') }} - {{ money('returns * rate') }} as net_sales_shop,
    {{ money('(net_sales + shipping + taxes) * rate') }} as total_sales_shop,
    conversion_issue,
    is_refund_unknown,
    is_gift,
    ships_elsewhere,
    occasion,
    email,
    {{ phone_as_written('phone') }} as phone,
    paid_with as payment_fingerprint,
    coalesce(is_card_paid, false) as is_card_paid,
    first_name,
    last_name,
    country_code,
    region,
    city,
    is_test,
    accepts_marketing,
    landing_site,
    referring_site,
    discount_code,
    tags,
    cart_token,
    checkout_token,
    checkout_id,
    refunded_at
from valued
