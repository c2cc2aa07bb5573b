-- net = gross - discounts - returns, in the order's currency and in the shop's.
select order_id
from {{ ref('fct_orders') }}
where
    abs(net_sales - (gross_sales - discounts - returns)) > 0.01
    or (conversion_issue is null) <> (net_sales_shop is not null)
