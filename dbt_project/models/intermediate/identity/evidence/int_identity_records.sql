{{ config(materialized='view') }}

{#-
    The evidence with its hub: the most trusted usable identifier of a record, to which its others have an
    edge. Of a record without a usable account or address, its card, phone or device is the hub. Every kind
    of record at once, so a rule change applies to all history.
-#}
{%- set types = identifier_types() %}
{%- set bridges = bridging_identifier_types() %}

with evidence as (
    select *
    from {{ ref('int_identity_evidence_keyed') }}
),

refused_values as (
    select *
    from {{ ref('int_refused_identifiers') }}
),

with_hubs as (
    select
        evidence.*,
        coalesce(
            {%- for type in types if type not in bridges %}
            case when {{ type }}_refused.identifier_key is null then evidence.{{ type }} end{{ ',' if not loop.last }}
            {%- endfor %}
        ) as personal_hub,
        coalesce(
            {%- for type in bridges %}
            case when {{ type }}_refused.identifier_key is null then evidence.{{ type }} end{{ ',' if not loop.last }}
            {%- endfor %}
        ) as bridge_hub
        {%- for type in types %},
        {{ type }}_refused.refusal_reason as {{ type }}_refusal
        {%- endfor %},
        previous_login_refused.refusal_reason as previous_login_refusal
    from evidence
    {%- for type in types %}
    left join refused_values as {{ type }}_refused on evidence.{{ type }} = {{ type }}_refused.identifier_key
    {%- endfor %}
    left join refused_values as previous_login_refused
        on evidence.previous_login = previous_login_refused.identifier_key
)

select
    *,
    coalesce(personal_hub, bridge_hub) as hub_key
from with_hubs
