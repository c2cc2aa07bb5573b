{#-
    What was bought in each store, and by how many who buy in several or online as well. An order with a store is that
    store's, whatever its sales channel; the other sales channels have one row each.
-#}
with orders as (
    select
        order_id,
        customer_id,
        is_kept,
        case when store_id is not null then 'store' else coalesce(sales_channel, 'unstated') end as sales_channel,
        store_id,
        net_sales_shop,
        ordered_date
    from {{ ref('fct_orders') }}
    where is_counted
),

places as (
    select
        {{ hash_key(['sales_channel', 'store_id']) }} as store_row_id,
        sales_channel,
        store_id,
        count(case when is_kept then 1 end) as order_count,
        count(case when is_kept and customer_id is null then 1 end) as unknown_buyer_order_count,
        count(*) - count(net_sales_shop) as unconverted_count,
        sum(net_sales_shop) as net_sales,
        min(case when is_kept then ordered_date end) as first_ordered_date,
        max(case when is_kept then ordered_date end) as last_ordered_date
    from orders
    group by sales_channel, store_id
),

buyers as (
    select
        customer_id,
        count(distinct store_id) as store_count,
        count(distinct case when sales_channel <> 'store' then sales_channel end) as other_count
    from orders
    where is_kept and customer_id is not null
    group by customer_id
),

bought as (
    select distinct
        {{ hash_key(['sales_channel', 'store_id']) }} as store_row_id,
        customer_id
    from orders
    where is_kept and customer_id is not null
),

shared as (
    select
        bought.store_row_id,
        count(*) as buyer_count,
        count(case when buyers.store_count > 1 then 1 end) as several_stores_count,
        count(case when buyers.other_count > 0 then 1 end) as elsewhere_count
    from bought
    inner join buyers on bought.customer_id = buyers.customer_id
    group by bought.store_row_id
)

select
    places.store_row_id,
    places.sales_channel,
    places.store_id,
    places.order_count,
    places.unknown_buyer_order_count,
    coalesce(shared.buyer_count, 0) as buyer_count,
    coalesce(shared.several_stores_count, 0) as several_stores_count,
    case when places.sales_channel = 'store' then coalesce(shared.elsewhere_count, 0) end as online_too_count,
    cast(case when places.unconverted_count = 0 then places.net_sales end as decimal(18, 4)) as net_sales,
    places.unconverted_count,
    places.first_ordered_date,
    places.last_ordered_date
from places
left join shared on places.store_row_id = shared.store_row_id
