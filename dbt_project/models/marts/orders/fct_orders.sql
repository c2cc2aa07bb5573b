with orders as (
    select
        *,
        status not in ('cancelled', 'test') as is_counted
    from {{ ref('int_orders_resolved') }}
),

final as (
    select
        order_id,
        customer_id,
        shop_id,
        store_id,
        order_source,
        status,
        is_kept,
        is_counted,
        case
            when customer_id is not null and is_kept
                then row_number() over (
                    partition by customer_id, is_kept
                    order by ordered_at, order_id
                )
        end as customer_order_number,
        sales_channel,
        country_code,
        is_card_paid,
        discount_code,
        landing_site,
        referring_site,
        accepts_marketing,
        gross_sales,
        discounts,
        returns,
        net_sales,
        shipping,
        taxes,
        total_sales,
        currency,
        gross_sales_shop,
        discounts_shop,
        returns_shop,
        net_sales_shop,
        total_sales_shop,
        '{{ var("shop_currency") }}' as shop_currency,
        conversion_issue,
        ordered_date,
        ordered_at,
        created_at,
        cancelled_at,
        refunded_at
    from orders
)

select * from final
