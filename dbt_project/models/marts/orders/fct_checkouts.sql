with catalogue as (
    select * from {{ ref('dim_products') }}
)

select
    checkouts.checkout_id,
    checkouts.customer_id,
    checkouts.status,
    checkouts.status = 'abandoned' as is_abandoned,
    coalesce(catalogue.product_id, {{ plain_code('checkouts.product_id') }}) as product_id,
    coalesce(catalogue.sku, {{ plain_code('checkouts.sku') }}) as sku,
    coalesce(catalogue.product_name, {{ plain_words('checkouts.product_name') }}) as product_name,
    catalogue.category,
    checkouts.line_count,
    checkouts.total,
    checkouts.currency,
    checkouts.discount_code,
    checkouts.started_at,
    checkouts.changed_at,
    checkouts.bought_at,
    checkouts.next_ordered_at
from {{ ref('int_checkouts_resolved') }} as checkouts
left join catalogue on checkouts.product_id = catalogue.product_id
