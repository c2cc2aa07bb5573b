{#-
    Under how many full names each card, phone and device was seen, and one of them: the names of the
    accounts and addresses beside it, and the names on records without a usable one.
-#}
{%- set bridges = bridging_identifier_types() %}

with evidence as (
    select *
    from {{ ref('int_identity_records') }}
    where person_name is not null and {{ in_scope('hub_key') }}
),

-- Those whose edges are in question
questioned as (
    select key_a as bridge_key
    from {{ ref('int_identity_edges_in_scope') }}
    where refusal_reason is null and is_bridge_a and is_bridge_b
    union
    select key_b as bridge_key
    from {{ ref('int_identity_edges_in_scope') }}
    where refusal_reason is null and is_bridge_a and is_bridge_b
    union
    select bridge_cores.bridge_key
    from {{ ref('int_identity_bridge_cores') }} as bridge_cores
    inner join {{ ref('int_identifiers') }} as identifiers on bridge_cores.bridge_key = identifiers.identifier_key
    left join {{ ref('int_identity_core_facts') }} as facts
        on bridge_cores.core = facts.core and facts.fact_type = 'full_name'
    where identifiers.identifier_type = 'payment_card' and facts.core is null
),

named as (
    {%- for type in bridges %}
    select distinct
        evidence.{{ type }} as bridge_key,
        evidence.person_name
    from evidence
    inner join questioned on evidence.{{ type }} = questioned.bridge_key
    {{ 'union' if not loop.last }}
    {%- endfor %}
),

names as (
    select
        named.bridge_key,
        written.full_name,
        1 as name_count
    from named
    inner join {{ ref('int_person_names') }} as written on named.person_name = written.person_name
    where written.full_name is not null
    union
    select
        bridge_cores.bridge_key,
        facts.fact as full_name,
        facts.fact_count as name_count
    from {{ ref('int_identity_bridge_cores') }} as bridge_cores
    inner join questioned on bridge_cores.bridge_key = questioned.bridge_key
    inner join {{ ref('int_identity_core_facts') }} as facts
        on bridge_cores.core = facts.core and facts.fact_type = 'full_name'
)

select
    bridge_key,
    min(full_name) as full_name,
    greatest(count(distinct full_name), max(name_count)) as name_count
from names
group by bridge_key
