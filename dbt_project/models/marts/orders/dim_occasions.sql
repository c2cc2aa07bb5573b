{#- What the shop sells for, by its own calendar, with what was bought in those days and what of it said so. -#}
with occasions as (
    select * from {{ ref('stg_calendar__occasions') }}
),

orders as (
    select * from {{ ref('fct_orders') }}
    where is_kept
),

days as (
    select
        *,
        {{ shop_date(as_of()) }} as today
    from occasions
),

sales as (
    select
        days.occasion_key,
        count(*) as order_count,
        count(*) filter (where orders.occasion = days.occasion) as gift_order_count,
        count(distinct case when orders.occasion = days.occasion then orders.customer_id end) as gift_customer_count
    from days
    inner join orders
        on
            orders.ordered_date between days.starts_on and days.ends_on
            and coalesce(days.country = orders.country_code, days.country is null)
    group by days.occasion_key
),

final as (
    select
        days.occasion_key as occasion_id,
        days.occasion,
        days.country as country_code,
        days.starts_on,
        days.ends_on,
        case
            when days.ends_on < days.today then 'past'
            when days.starts_on > days.today then 'coming'
            else 'current'
        end as status,
        case
            when days.starts_on > days.today then {{ dbt.datediff('days.today', 'days.starts_on', 'day') }}
        end as days_until_start,
        coalesce(sales.order_count, 0) as order_count,
        coalesce(sales.gift_order_count, 0) as gift_order_count,
        coalesce(sales.gift_customer_count, 0) as gift_customer_count
    from days
    left join sales on days.occasion_key = sales.occasion_key
)

select * from final
