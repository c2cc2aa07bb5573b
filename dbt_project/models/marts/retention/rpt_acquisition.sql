{#-
    What a new customer cost by the channel that brought them first (first_touch), how long until they had paid it back,
    and beside it what keeping the ones there are cost.
-#}
{%- set money = 'decimal(18, 4)' %}

with firsts as (
    select
        customer_id,
        order_id,
        marketing_channel,
        credit,
        {{ month_of('ordered_date') }} as acquired_month
    from {{ ref('fct_attribution') }}
    where model = 'first_touch' and is_first_order
),

orders as (
    select
        customer_id,
        ordered_date,
        net_sales_shop,
        margin_shop
    from {{ ref('fct_orders') }}
    where is_kept and customer_id is not null
),

worths as (
    select
        firsts.acquired_month,
        firsts.marketing_channel,
        {{ months_from('firsts.acquired_month', 'orders.ordered_date') }} as age_months,
        sum(orders.net_sales_shop) as net_sales,
        sum(orders.margin_shop) as margin,
        count(*) - count(orders.margin_shop) as orders_without_margin
    from firsts
    inner join orders on firsts.customer_id = orders.customer_id
    group by
        firsts.acquired_month,
        firsts.marketing_channel,
        {{ months_from('firsts.acquired_month', 'orders.ordered_date') }}
),

-- One measure for all orders of a row: their margins, or their net sales where one margin is not known
judged as (
    select
        *,
        case
            when
                sum(orders_without_margin) over (
                    partition by acquired_month, marketing_channel
                    order by age_months
                    rows between unbounded preceding and unbounded following
                ) = 0
                then margin
            else net_sales
        end as worth
    from worths
),

cumulated as (
    select
        *,
        sum(worth) over (
            partition by acquired_month, marketing_channel
            order by age_months
            rows between unbounded preceding and current row
        ) as worth_so_far
    from judged
),

costs as (
    select
        {{ month_of('spend_date') }} as acquired_month,
        marketing_channel,
        sum(cost_shop) as cost
    from {{ ref('fct_spend') }}
    where cost_shop is not null
    group by {{ month_of('spend_date') }}, marketing_channel
),

people as (
    select
        acquired_month,
        marketing_channel,
        count(*) as new_customer_count
    from firsts
    group by acquired_month, marketing_channel
),

-- Who had bought before and buys in the month again
kept as (
    select
        {{ month_of('orders.ordered_date') }} as acquired_month,
        attribution.marketing_channel,
        count(distinct orders.customer_id) as kept_customer_count
    from {{ ref('fct_attribution') }} as attribution
    inner join {{ ref('fct_orders') }} as orders
        on attribution.order_source = orders.order_source and attribution.order_id = orders.order_id
    where attribution.model = 'last_touch' and not attribution.is_first_order and orders.customer_id is not null
    group by {{ month_of('orders.ordered_date') }}, attribution.marketing_channel
),

cells as (
    select
        acquired_month,
        marketing_channel
    from people
    union
    select
        acquired_month,
        marketing_channel
    from costs
    union
    select
        acquired_month,
        marketing_channel
    from kept
),

totals as (
    select
        acquired_month,
        marketing_channel,
        sum(net_sales) as net_sales,
        sum(margin) as margin,
        sum(orders_without_margin) as orders_without_margin
    from worths
    group by acquired_month, marketing_channel
),

payback as (
    select
        cumulated.acquired_month,
        cumulated.marketing_channel,
        min(cumulated.age_months) as payback_months
    from cumulated
    inner join costs
        on
            cumulated.acquired_month = costs.acquired_month
            and cumulated.marketing_channel = costs.marketing_channel
    where cumulated.worth_so_far >= costs.cost
    group by cumulated.acquired_month, cumulated.marketing_channel
)

select
    {{ hash_key(['cells.acquired_month', 'cells.marketing_channel']) }} as acquisition_id,
    cells.acquired_month,
    cells.marketing_channel,
    coalesce(people.new_customer_count, 0) as new_customer_count,
    coalesce(kept.kept_customer_count, 0) as kept_customer_count,
    cast(costs.cost as {{ money }}) as cost,
    case when people.new_customer_count > 0 then cast(costs.cost as double) / people.new_customer_count end
        as new_customer_cost,
    case when kept.kept_customer_count > 0 then cast(costs.cost as double) / kept.kept_customer_count end
        as kept_customer_cost,
    cast(coalesce(totals.net_sales, 0) as {{ money }}) as net_sales,
    cast(case when totals.orders_without_margin = 0 then totals.margin end as {{ money }}) as margin,
    payback.payback_months,
    case
        when totals.orders_without_margin = 0 then 'margin'
        when totals.orders_without_margin > 0 then 'net_sales'
    end as payback_basis
from cells
left join people on cells.acquired_month = people.acquired_month and cells.marketing_channel = people.marketing_channel
left join kept on cells.acquired_month = kept.acquired_month and cells.marketing_channel = kept.marketing_channel
left join costs on cells.acquired_month = costs.acquired_month and cells.marketing_channel = costs.marketing_channel
left join totals on cells.acquired_month = totals.acquired_month and cells.marketing_channel = totals.marketing_channel
left join payback on cells.acquired_month = payback.acquired_month and cells.marketing_channel = payback.marketing_channel
