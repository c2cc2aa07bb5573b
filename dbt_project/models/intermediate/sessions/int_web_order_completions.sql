{#- Small and read twice, so a table. -#}
select
    order_id,
    event_id,
    case when visitor_id not like 'login %' then visitor_id end as device_id,
    login_id,
    occurred_at
from {{ ref('int_web_events') }}
where event_name = 'Order Completed' and order_id is not null and occurred_at <= {{ as_of() }}
