-- Each model's credits of a day and what is unattributed are the day's net sales, to the last digit.
with sales as (
    select
        ordered_date,
        count(*) as orders,
        sum(coalesce(net_sales_shop, 0)) as net_sales
    from {{ ref('fct_orders') }}
    where is_kept
    group by ordered_date
),

credits as (
    select
        ordered_date,
        model,
        sum(credit) as orders,
        sum(coalesce(attributed_net_sales, 0)) as net_sales
    from {{ ref('fct_attribution') }}
    group by ordered_date, model
),

models as (
    select distinct model from credits
)

select
    sales.ordered_date,
    models.model,
    sales.net_sales,
    credits.net_sales as credited_net_sales
from sales
cross join models
left join credits on sales.ordered_date = credits.ordered_date and models.model = credits.model
where
    credits.net_sales is null
    or credits.net_sales <> sales.net_sales
    or credits.orders <> sales.orders
