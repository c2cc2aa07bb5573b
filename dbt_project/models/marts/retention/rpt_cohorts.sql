{#-
    Buyers by the month of their first kept order, and what they did in each month after it. Month 0 is that of the
    first order. A month that is not over is not complete.
-#}
with orders as (
    select
        order_source,
        order_id,
        customer_id,
        ordered_date,
        net_sales_shop,
        margin_shop
    from {{ ref('fct_orders') }}
    where is_kept and customer_id is not null
),

firsts as (
    select
        customer_id,
        {{ month_of('min(ordered_date)') }} as cohort_month
    from orders
    group by customer_id
),

sizes as (
    select
        cohort_month,
        count(*) as customer_count,
        {{ months_from('cohort_month', as_of_date()) }} as last_age
    from firsts
    group by cohort_month
),

aged as (
    select
        firsts.cohort_month,
        {{ months_from('firsts.cohort_month', 'orders.ordered_date') }} as age_months,
        orders.order_source,
        orders.order_id,
        orders.customer_id,
        orders.net_sales_shop,
        orders.margin_shop
    from orders
    inner join firsts on orders.customer_id = firsts.customer_id
),

spent as (
    select
        cohort_month,
        age_months,
        count(distinct customer_id) as active_count,
        count(*) as order_count,
        cast(sum(net_sales_shop) as decimal(18, 4)) as net_sales,
        -- Known of all orders of the month or not said
        cast(case when count(margin_shop) = count(*) then sum(margin_shop) end as decimal(18, 4)) as margin
    from aged
    group by cohort_month, age_months
),

digits as (
    {%- for digit in range(10) %}
    select {{ digit }} as digit
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

-- 0 to 999: more months than a shop is old
ages as (
    select hundreds.digit * 100 + tens.digit * 10 + ones.digit as age_months
    from digits as ones
    cross join digits as tens
    cross join digits as hundreds
),

-- A month in which nobody came back is a row too
months as (
    select
        sizes.cohort_month,
        sizes.customer_count,
        ages.age_months,
        ages.age_months < sizes.last_age as is_complete
    from sizes
    inner join ages on sizes.last_age >= ages.age_months
),

numbered as (
    select
        cohort_month,
        age_months,
        row_number() over (
            partition by customer_id
            order by age_months, order_source, order_id
        ) as order_number
    from aged
),

returned as (
    select
        cohort_month,
        age_months,
        count(*) as second_order_count
    from numbered
    where order_number = 2
    group by cohort_month, age_months
)

select
    months.cohort_month,
    months.age_months,
    months.is_complete,
    months.customer_count,
    coalesce(spent.active_count, 0) as active_count,
    cast(coalesce(spent.active_count, 0) as double) / months.customer_count as retention_rate,
    coalesce(spent.order_count, 0) as order_count,
    coalesce(spent.net_sales, cast(0 as decimal(18, 4))) as net_sales,
    case when spent.order_count is null then cast(0 as decimal(18, 4)) else spent.margin end as margin,
    cast(sum(coalesce(spent.net_sales, 0)) over (
        partition by months.cohort_month
        order by months.age_months
        rows between unbounded preceding and current row
    ) as decimal(18, 4)) as cumulative_net_sales,
    cast(sum(coalesce(returned.second_order_count, 0)) over (
        partition by months.cohort_month
        order by months.age_months
        rows between unbounded preceding and current row
    ) as double) / months.customer_count as repeat_rate
from months
left join spent on months.cohort_month = spent.cohort_month and months.age_months = spent.age_months
left join returned on months.cohort_month = returned.cohort_month and months.age_months = returned.age_months
