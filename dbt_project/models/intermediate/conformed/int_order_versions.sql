with versions as (
    select
        'orders_json' as order_source,
        order_id,
        updated_at,
        ordered_at,
        _dlt_load_id,
        _file,
        _line,
        _row_id
    from {{ ref('stg_orders__orders') }}
    union all
    select
        'shopify' as order_source,
        order_id,
        updated_at,
        ordered_at,
        _dlt_load_id,
        _file,
        _line,
        _row_id
    from {{ ref('stg_shopify__orders') }}
)

select
    order_source,
    order_id,
    _row_id
from versions
where ordered_at <= {{ as_of() }} and (updated_at <= {{ as_of() }} or updated_at is null)
-- The API and a file export of one shop tell of the same orders: the newest word counts
qualify row_number() over (
    partition by order_id
    order by updated_at desc nulls last, order_source desc, _dlt_load_id desc, _file desc, _line desc, _row_id desc
) = 1
