select
    product_state_id,
    product_id,
    product_source,
    sku,
    valid_from,
    valid_to,
    valid_to is null as is_current,
    price,
    previous_price,
    cost,
    previous_cost,
    currency,
    in_stock,
    was_in_stock,
    stock_quantity
from {{ ref('int_product_states') }}
