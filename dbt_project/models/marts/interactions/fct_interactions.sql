{#- A view over the three tables that hold what happened; publishing copies its rows. -#}
{{ config(materialized='view') }}

{%- set text = dbt.type_string() %}

with interactions as (
    select
        customer_id,
        occurred_at,
        'web' as channel,
        touchpoint,
        kind,
        -- What was shown to them and not done by them
        case when kind in ('promotion_viewed', 'sign_up_offered') then 'outbound' else 'inbound' end as direction,
        place,
        city,
        cast(null as {{ text }}) as store_id,
        product_id,
        cast(null as {{ text }}) as campaign_id,
        cast(null as {{ text }}) as flow_id,
        cast(null as {{ text }}) as message_kind,
        order_id,
        value,
        cast(null as {{ text }}) as currency,
        detail,
        'web' as source_system,
        interaction_id
    from {{ ref('int_interactions_web') }}
    union all
    select
        customer_id,
        occurred_at,
        channel,
        channel as touchpoint,
        kind,
        direction,
        null as place,
        null as city,
        null as store_id,
        null as product_id,
        campaign_id,
        flow_id,
        message_kind,
        null as order_id,
        null as value,
        null as currency,
        detail,
        source_system,
        interaction_id
    from {{ ref('int_interactions_messages') }}
    union all
    select
        customer_id,
        occurred_at,
        channel,
        touchpoint,
        kind,
        case kind when 'voucher_issued' then 'outbound' else 'inbound' end as direction,
        place,
        city,
        store_id,
        product_id,
        null as campaign_id,
        null as flow_id,
        null as message_kind,
        order_id,
        value,
        currency,
        detail,
        source_system,
        interaction_id
    from {{ ref('int_interactions_facts') }}
)

select * from interactions
