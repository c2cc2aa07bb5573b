-- fct_orders holds every order of the intermediate layer, and its sums to the last penny.
with counted as (
    select
        count(*) as row_count,
        count(*) filter (where is_kept) as kept_count,
        sum(net_sales) as net_sales,
        sum(gross_sales) as gross_sales,
        sum(net_sales_shop) as net_sales_shop
    from {{ ref('fct_orders') }}
),

expected as (
    select
        count(*) as row_count,
        count(*) filter (where is_kept) as kept_count,
        sum(net_sales) as net_sales,
        sum(gross_sales) as gross_sales,
        sum(net_sales_shop) as net_sales_shop
    from {{ ref('int_orders_resolved') }}
)

select *
from counted
cross join expected
where
    counted.row_count <> expected.row_count
    or counted.kept_count <> expected.kept_count
    or counted.net_sales is distinct from expected.net_sales
    or counted.gross_sales is distinct from expected.gross_sales
    or counted.net_sales_shop is distinct from expected.net_sales_shop
