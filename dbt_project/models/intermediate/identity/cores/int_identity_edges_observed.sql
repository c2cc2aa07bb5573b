{#-
    Edges: two identifiers that stood on one record, as integers. The others of a record have an edge to its
    hub, the most trusted usable one; a refused value leaves a refused edge with its reason. Cards, phones
    and devices without a name beside them have an edge to one another, so that each edge can be refused by
    itself.
-#}
{{ config(materialized='incremental', incremental_strategy='replace_scope', unique_key='hub_key') }}
{{- refuse_half_a_refresh() }}

{%- set types = identifier_types() %}
{%- set bridges = bridging_identifier_types() %}

with with_hub as (
    select *
    from {{ ref('int_identity_records') }}
    where {{ in_scope('hub_key') }}
),

edges as (
    {%- for type in types %}
    select
        hub_key as hub,
        {{ type }} as other,
        personal_hub is null as hub_is_bridge,
        {{ 'true' if type in bridges else 'false' }} as other_is_bridge,
        {{ type }}_refusal as refusal_reason,
        source_system,
        rule,
        evidence_rank,
        source_record_id,
        observed_at
    from with_hub
    where {{ type }} <> hub_key
    union all
    {%- endfor %}
    select
        phone as hub,
        device as other,
        true as hub_is_bridge,
        true as other_is_bridge,
        cast(null as {{ dbt.type_string() }}) as refusal_reason,
        source_system,
        rule,
        evidence_rank,
        source_record_id,
        observed_at
    from with_hub
    where
        personal_hub is null
        and bridge_hub = payment_card
        and phone is not null
        and device is not null
        and phone_refusal is null
        and device_refusal is null
    union all
    select
        login as hub,
        previous_login as other,
        false as hub_is_bridge,
        false as other_is_bridge,
        previous_login_refusal as refusal_reason,
        source_system,
        rule,
        evidence_rank,
        source_record_id,
        observed_at
    from with_hub
    where login = hub_key and previous_login <> login
),

best_evidence as (
    select
        least(hub, other) as key_a,
        greatest(hub, other) as key_b,
        bool_or(case when hub < other then hub_is_bridge else other_is_bridge end) as is_bridge_a,
        bool_or(case when hub < other then other_is_bridge else hub_is_bridge end) as is_bridge_b,
        max(refusal_reason) as refusal_reason,
        min(hub) as hub_key,
        -- Best grade, then earliest, then a fixed order: fixed-width texts compare as the tuple would
        min(concat_ws(
            '', evidence_rank, lpad(cast({{ epoch_micros('observed_at') }} as {{ dbt.type_string() }}), 20, '0'),
            source_system, '|', rule, '|', source_record_id
        )) as best
    from edges
    group by least(hub, other), greatest(hub, other)
)

select
    key_a,
    key_b,
    hub_key,
    is_bridge_a,
    is_bridge_b,
    cast(substr(best, 1, 1) as integer) as evidence_rank,
    cast(substr(best, 2, 20) as bigint) as observed_micros,
    split_part(substr(best, 22), '|', 1) as source_system,
    split_part(substr(best, 22), '|', 2) as rule,
    substr(
        substr(best, 22),
        length(split_part(substr(best, 22), '|', 1)) + length(split_part(substr(best, 22), '|', 2)) + 3
    ) as source_record_id,
    refusal_reason
from best_evidence
