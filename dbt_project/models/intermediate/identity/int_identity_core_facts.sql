{#-
    What may tell two cores apart: the full names on their records and the accounts of which a person has
    one. A name on a record speaks for every usable account and address beside it.
-#}
{{ config(materialized='incremental', incremental_strategy='replace_scope', unique_key='core') }}
{{- refuse_half_a_refresh() }}
{%- set bridges = bridging_identifier_types() %}

with evidence as (
    select *
    from {{ ref('int_identity_records') }}
    where person_name is not null and {{ in_scope('hub_key') }}
),

cores as (
    select *
    from {{ ref('int_identity_cores') }}
),

named as (
    {%- for type in identifier_types() if type not in bridges %}
    select distinct
        {{ type }} as identifier_key,
        person_name
    from evidence
    where {{ type }} is not null and {{ type }}_refusal is null
    {{ 'union' if not loop.last }}
    {%- endfor %}
),

facts as (
    select distinct
        coalesce(cores.component, named.identifier_key) as core,
        'full_name' as fact_type,
        names.full_name as fact
    from named
    inner join {{ ref('int_person_names') }} as names on named.person_name = names.person_name
    left join cores on named.identifier_key = cores.node
    where names.full_name is not null
    union all
    select
        coalesce(cores.component, identifiers.identifier_key) as core,
        identifiers.identifier_type as fact_type,
        identifiers.identifier_value as fact
    from {{ ref('int_identifiers') }} as identifiers
    left join cores on identifiers.identifier_key = cores.node
    left join {{ ref('int_refused_identifiers') }} as refused
        on identifiers.identifier_key = refused.identifier_key
    where
        identifiers.identifier_type in ({{ quoted(person_account_types()) }})
        and refused.identifier_key is null
        and identifiers.identifier_key in (
            select identifier_key
            from {{ ref('int_identity_scope') }}
            where fact_count is not null
        )
)

select
    core,
    fact_type,
    min(fact) as fact,
    count(*) as fact_count
from facts
group by core, fact_type
