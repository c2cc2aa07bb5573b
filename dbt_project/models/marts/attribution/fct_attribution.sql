{#-
    Every kept order shared out among what led to it, by each model. An order's credits are 1, its amounts what it was
    worth, to the last digit; an order that nothing led to is `unattributed`. A direct visit is credited only where there
    was nothing else.
-#}
{%- set text = dbt.type_string() %}
{%- set day_micros = 86400000000 -%}
{%- set models = ['first_touch', 'last_touch', 'linear', 'position_based', 'time_decay'] -%}

with orders as (
    select
        order_source,
        order_id,
        customer_id,
        ordered_at,
        ordered_date,
        net_sales_shop,
        customer_order_number = 1 as is_first_order
    from {{ ref('fct_orders') }}
    where is_kept
),

touches as (
    select
        order_source,
        order_id,
        touchpoint_id,
        marketing_channel,
        campaign,
        occurred_at,
        max(case when marketing_channel = 'direct' then 0 else 1 end) over (partition by order_source, order_id)
            as has_others
    from {{ ref('fct_touchpoints') }}
    where is_counted
),

effects as (
    select * from {{ ref('rpt_channel_effects') }}
),

positions as (
    select
        orders.order_source,
        orders.order_id,
        touches.touchpoint_id,
        touches.marketing_channel,
        touches.campaign,
        cast({{ epoch_micros('orders.ordered_at') }} - {{ epoch_micros('touches.occurred_at') }} as double)
        / {{ day_micros }} as days_before,
        coalesce(effects.removal_effect, 0) as removal_effect,
        row_number() over (
            partition by orders.order_source, orders.order_id
            order by touches.occurred_at, touches.touchpoint_id
        ) as touch_number,
        count(*) over (partition by orders.order_source, orders.order_id) as touch_count,
        sum(coalesce(effects.removal_effect, 0)) over (partition by orders.order_source, orders.order_id)
            as path_effect
    from orders
    inner join touches on orders.order_source = touches.order_source and orders.order_id = touches.order_id
    left join effects on touches.marketing_channel = effects.marketing_channel
    where touches.marketing_channel <> 'direct' or touches.has_others = 0
),

models as (
    {%- for model in models %}
    select '{{ model }}' as model
    union all
    {%- endfor %}
    select max('markov') as model
    from effects
    having count(*) > 0
),

weighed as (
    select
        positions.*,
        models.model,
        case models.model
            when 'first_touch' then case when positions.touch_number = 1 then 1.0 else 0.0 end
            when 'last_touch' then case when positions.touch_number = positions.touch_count then 1.0 else 0.0 end
            when 'linear' then 1.0
            when 'position_based'
                then case
                    when positions.touch_count <= 2 then 1.0
                    when positions.touch_number in (1, positions.touch_count) then {{ var('attribution_ends_share') }}
                    else (1.0 - 2 * {{ var('attribution_ends_share') }}) / (positions.touch_count - 2)
                end
            when 'time_decay'
                then power(cast(0.5 as double), positions.days_before / {{ var('attribution_half_life_days') }})
            -- Channels that change nothing share equally
            when 'markov' then case when positions.path_effect > 0 then positions.removal_effect else 1.0 end
        end as weight
    from positions
    cross join models
),

-- The heaviest touch of each order and model comes last and has what the others leave
shared as (
    select
        *,
        row_number() over (
            partition by order_source, order_id, model
            order by weight, touch_number
        ) as share_number,
        cast(round(
            cast(weight as double) / sum(cast(weight as double)) over (
                partition by order_source, order_id, model
                order by touch_number
                rows between unbounded preceding and unbounded following
            ), 9
        ) as decimal(10, 9)) as share
    from weighed
),

credited as (
    select
        shared.*,
        cast(case
            when shared.share_number < shared.touch_count then shared.share
            else 1 - coalesce(sum(shared.share) over (
                partition by shared.order_source, shared.order_id, shared.model
                order by shared.share_number
                rows between unbounded preceding and 1 preceding
            ), 0)
        end as decimal(10, 9)) as credit
    from shared
),

amounts as (
    select
        orders.order_source,
        orders.order_id,
        orders.customer_id,
        orders.ordered_date,
        orders.is_first_order,
        orders.net_sales_shop,
        credited.model,
        credited.touchpoint_id,
        credited.marketing_channel,
        credited.campaign,
        credited.share_number,
        credited.touch_count,
        credited.credit,
        cast({{ credited_part('credited.credit', 'orders.net_sales_shop') }} as decimal(18, 4)) as amount
    from credited
    inner join orders on credited.order_source = orders.order_source and credited.order_id = orders.order_id
),

attributed as (
    select
        *,
        cast(case
            when share_number < touch_count then amount
            else net_sales_shop - coalesce(sum(amount) over (
                partition by order_source, order_id, model
                order by share_number
                rows between unbounded preceding and 1 preceding
            ), 0)
        end as decimal(18, 4)) as attributed_net_sales
    from amounts
),

touched as (
    select distinct
        order_source,
        order_id
    from touches
),

unattributed as (
    select
        orders.*,
        models.model
    from orders
    cross join models
    left join touched
        on orders.order_source = touched.order_source and orders.order_id = touched.order_id
    where touched.order_id is null
)

select
    order_source,
    order_id,
    model,
    touchpoint_id,
    customer_id,
    ordered_date,
    is_first_order,
    marketing_channel,
    campaign,
    credit,
    attributed_net_sales
from attributed
where credit <> 0
union all
select
    order_source,
    order_id,
    model,
    cast(null as {{ text }}) as touchpoint_id,
    customer_id,
    ordered_date,
    is_first_order,
    'unattributed' as marketing_channel,
    cast(null as {{ text }}) as campaign,
    cast(1 as decimal(10, 9)) as credit,
    net_sales_shop as attributed_net_sales
from unattributed
