{{ config(severity='warn') }}
-- People whose worth cannot be said because an order has no rate: they are in no value ranking.
select
    lifetime_net_sales_issue,
    count(*) as customer_count
from {{ ref('dim_customers') }}
where lifetime_net_sales_issue is not null
group by lifetime_net_sales_issue
