with orders as (
    select * from {{ ref('fct_orders') }}
    where customer_id is not null and is_counted
),

totals as (
    select
        customer_id,
        count(*) filter (where is_kept) as order_count,
        count(*) filter (where is_kept and returns > 0) as returned_order_count,
        sum(gross_sales_shop) filter (where is_kept) as gross_sales,
        sum(net_sales_shop) as net_sales,
        sum(returns_shop) as returns,
        sum(margin_shop) as margin,
        count(*) filter (where margin_shop is null) as unknown_margin_count,
        min(conversion_issue) filter (where net_sales_shop is null) as conversion_issue,
        count(*) filter (where net_sales_shop is null) as unconverted_order_count,
        min(ordered_at) filter (where is_kept) as first_ordered_at,
        max(ordered_at) filter (where is_kept) as last_ordered_at,
        min(ordered_date) filter (where is_kept) as first_ordered_date,
        max(ordered_date) filter (where is_kept) as last_ordered_date
    from orders
    group by customer_id
),

gaps as (
    {{ order_gaps('orders') }}
),

usual_gaps as (
    select
        customer_id,
        cast(percentile_cont(0.5) within group (order by gap_days) as decimal(10, 1)) as usual_gap_days
    from gaps
    where gap_days is not null
    group by customer_id
),

last_orders as (
    select
        customer_id,
        order_id
    from orders
    where is_kept
    qualify row_number() over (partition by customer_id order by ordered_at desc, order_id desc) = 1
),

final as (
    select
        totals.customer_id,
        last_orders.order_id as last_order_id,
        totals.order_count,
        totals.returned_order_count,
        totals.unconverted_order_count,
        case when totals.unconverted_order_count = 0 then coalesce(totals.gross_sales, 0) end
            as lifetime_gross_sales,
        case when totals.unconverted_order_count = 0 then totals.returns end as lifetime_returns,
        case when totals.unconverted_order_count = 0 then totals.net_sales end as lifetime_net_sales,
        case
            when totals.unconverted_order_count > 0 then coalesce(totals.conversion_issue, 'unknown_amount')
        end as lifetime_net_sales_issue,
        case when totals.unknown_margin_count = 0 then totals.margin end as lifetime_margin,
        case
            when totals.unconverted_order_count > 0 then coalesce(totals.conversion_issue, 'unknown_amount')
            when totals.unknown_margin_count > 0 then 'unknown_cost'
        end as lifetime_margin_issue,
        -- Those whose margin is unknown stand behind all others, without a place
        case
            when totals.unknown_margin_count = 0
                then row_number() over (
                    partition by totals.unknown_margin_count = 0
                    order by totals.margin desc, totals.net_sales desc, totals.customer_id
                )
        end as margin_rank,
        '{{ var("shop_currency") }}' as currency,
        usual_gaps.usual_gap_days,
        {{ days_until_as_of('totals.last_ordered_date') }} as days_since_last_order,
        greatest(
            coalesce({{ var('overdue_gap_factor') }} * usual_gaps.usual_gap_days, 0), {{ threshold('overdue_min_days') }}
        ) as overdue_after_days,
        totals.first_ordered_date,
        totals.last_ordered_date,
        totals.first_ordered_at,
        totals.last_ordered_at
    from totals
    left join last_orders on totals.customer_id = last_orders.customer_id
    left join usual_gaps on totals.customer_id = usual_gaps.customer_id
)

select * from final
