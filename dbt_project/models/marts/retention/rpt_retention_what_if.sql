{#-
    What five points more of retention would bring, worked out from the shop's own buyers of two years of twelve complete
    months. Retention r is the share of the earlier year's buyers who bought in the later one. In a year, 0.05 of them
    more would come back, each for what those who did come back bring on average. Over a lifetime, somebody with the
    margin m a year and the chance r to be there in the next brings m / (1 - r), undiscounted.
-#}
{%- set money = 'decimal(18, 4)' %}
{%- set added = '0.05' %}

with orders as (
    select
        customer_id,
        net_sales_shop,
        margin_shop,
        {{ months_from('ordered_date', as_of_date()) }} as months_ago
    from {{ ref('fct_orders') }}
    where is_kept
),

-- Nobody known is one row, which has no earlier year
people as (
    select
        customer_id,
        max(months_ago) as first_months_ago,
        max(case when customer_id is not null and months_ago between 13 and 24 then 1 else 0 end) as was_buyer,
        count(case when months_ago between 1 and 12 then 1 end) as order_count,
        sum(case when months_ago between 1 and 12 then net_sales_shop end) as net_sales,
        sum(case when months_ago between 1 and 12 then margin_shop end) as margin,
        count(case when months_ago between 1 and 12 and net_sales_shop is null then 1 end) as orders_without_value,
        count(case when months_ago between 1 and 12 and margin_shop is null then 1 end) as orders_without_margin
    from orders
    group by customer_id
),

measured as (
    select
        max(first_months_ago) as first_months_ago,
        cast(sum(was_buyer) as bigint) as base_count,
        count(case when was_buyer = 1 and order_count > 0 then 1 end) as kept_count,
        sum(case when was_buyer = 1 and order_count > 0 then net_sales end) as kept_net_sales,
        sum(case when was_buyer = 1 and order_count > 0 then margin end) as kept_margin,
        sum(case when was_buyer = 1 then orders_without_value else 0 end) as orders_without_value,
        sum(case when was_buyer = 1 then orders_without_margin else 0 end) as orders_without_margin,
        case when sum(orders_without_margin) = 0 then sum(margin) end as year_margin
    from people
    having count(*) > 0
),

judged as (
    select
        *,
        case when base_count > 0 then cast(kept_count as double) / base_count end as retention_rate,
        case
            when first_months_ago < 24 then 'history_too_short'
            when base_count < {{ var('what_if_min_people') }} then 'too_few_people'
            when kept_count = 0 then 'nobody_kept'
            when kept_count >= (1 - cast({{ added }} as double)) * base_count then 'retention_too_high'
            when orders_without_value > 0 then 'missing_rate'
            when orders_without_margin > 0 then 'no_margin'
        end as null_reason
    from measured
),

final as (
    select
        *,
        cast({{ added }} as double) * base_count as added_count,
        case when null_reason is null or null_reason = 'no_margin' then cast(kept_net_sales as double) / kept_count end
            as net_sales_each,
        case when null_reason is null then cast(kept_margin as double) / kept_count end as margin_each
    from judged
)

select
    {{ as_of_date() }} as as_of_date,
    cast({{ added }} as double) as added_rate,
    base_count,
    kept_count,
    retention_rate,
    cast(case when net_sales_each is not null then added_count end as double) as added_people,
    cast(added_count * net_sales_each as {{ money }}) as added_net_sales,
    cast(added_count * margin_each as {{ money }}) as added_margin,
    case when year_margin > 0 then added_count * margin_each / cast(year_margin as double) end as added_margin_share,
    cast(margin_each / (1 - retention_rate) as {{ money }}) as lifetime_margin,
    cast(margin_each / (1 - retention_rate - {{ added }}) as {{ money }}) as raised_lifetime_margin,
    case when margin_each is not null then (1 - retention_rate) / (1 - retention_rate - {{ added }}) - 1 end
        as lifetime_growth_rate,
    null_reason
from final
