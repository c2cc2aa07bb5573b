{#-
    Small and read twice, so a table. An event may name an order by its id, its name or its number, and one
    order's number may be another's id: the order that was placed within a day of the event comes first, then
    the id. A name or number alone, far from the event, may be another system's and ties nothing; nor does one
    that orders of two shops have on that day.
-#}
with completions as (
    select
        order_id as written_order_id,
        {{ order_call('order_id') }} as order_call,
        event_id,
        case when visitor_id not like 'login %' then visitor_id end as device_id,
        login_id,
        occurred_at
    from {{ ref('int_web_events') }}
    where event_name = 'Order Completed' and order_id is not null and occurred_at <= {{ as_of() }}
),

names as (
    select *
    from {{ ref('int_order_names') }}
),

candidates as (
    select
        completions.event_id,
        completions.device_id,
        names.order_id,
        coalesce(names.id_scope, '') as id_scope,
        names.call_rank,
        abs({{ epoch_micros('completions.occurred_at') }} - {{ epoch_micros('names.ordered_at') }}) <= 86400000000 as is_near,
        completions.written_order_id = names.order_id as is_id
    from completions
    inner join names on completions.order_call = names.order_call
),

shops as (
    select
        event_id,
        device_id,
        min(id_scope) <> max(id_scope) as is_of_two_shops
    from candidates
    where is_near
    group by event_id, device_id
),

named as (
    select candidates.*
    from candidates
    left join shops
        on candidates.event_id = shops.event_id and candidates.device_id is not distinct from shops.device_id
    where candidates.is_id or (candidates.is_near and not shops.is_of_two_shops)
    qualify row_number() over (
        partition by candidates.event_id, candidates.device_id
        order by candidates.is_near desc, candidates.is_id desc, candidates.call_rank, candidates.order_id
    ) = 1
)

select
    coalesce(named.order_id, completions.written_order_id) as order_id,
    completions.event_id,
    completions.device_id,
    completions.login_id,
    completions.occurred_at
from completions
left join named
    on completions.event_id = named.event_id and completions.device_id is not distinct from named.device_id
