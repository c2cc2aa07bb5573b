{#- The ways that people take, channel by channel: those that led to an order, and those that led nowhere yet. -#}
{%- set text = dbt.type_string() %}

with touches as (
    select
        touchpoint_id,
        customer_id,
        marketing_channel,
        occurred_at,
        orders_before,
        order_source,
        order_id,
        {{ hash_key(['customer_id', 'orders_before', 'is_counted']) }} as path_key
    from {{ ref('fct_touchpoints') }}
),

-- Several touches of one channel in a row are one step
stepped as (
    select
        *,
        lag(marketing_channel) over (
            partition by path_key
            order by occurred_at, touchpoint_id
        ) as channel_before
    from touches
),

-- The last steps say the most; what came before is three dots
steps as (
    select
        *,
        row_number() over (
            partition by path_key
            order by occurred_at desc, touchpoint_id desc
        ) as steps_to_end,
        count(*) over (partition by path_key) as step_count
    from stepped
    where channel_before is null or channel_before <> marketing_channel
),

paths as (
    select
        path_key,
        customer_id,
        order_source,
        order_id,
        orders_before,
        step_count,
        case when step_count > {{ var('attribution_path_steps') }} then '... > ' else '' end
        || {{ text_path('marketing_channel', 'occurred_at, touchpoint_id') }} as path
    from steps
    where steps_to_end <= {{ var('attribution_path_steps') }}
    group by path_key, customer_id, order_source, order_id, orders_before, step_count
),

final as (
    select
        paths.path,
        case when paths.orders_before = 0 then 'before_first_order' else 'after_first_order' end as phase,
        count(distinct paths.customer_id) as customer_count,
        count(*) as path_count,
        count(paths.order_id) as order_count,
        cast(sum(coalesce(orders.net_sales_shop, 0)) as decimal(18, 4)) as net_sales
    from paths
    left join {{ ref('fct_orders') }} as orders
        on paths.order_source = orders.order_source and paths.order_id = orders.order_id
    group by
        paths.path,
        case when paths.orders_before = 0 then 'before_first_order' else 'after_first_order' end
)

select
    {{ hash_key(['path', 'phase']) }} as path_id,
    path,
    phase,
    customer_count,
    path_count,
    order_count,
    net_sales
from final
