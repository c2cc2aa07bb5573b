{#-
    What may tell two cores apart: the full names on their records and the accounts of which a person has
    one.
-#}
{{ config(materialized='incremental', incremental_strategy='replace_scope', unique_key='core') }}
{{- refuse_half_a_refresh() }}

with cores as (
    select *
    from {{ ref('int_identity_cores') }}
),

facts as (
    select
        core,
        'full_name' as fact_type,
        full_name as fact
    from {{ ref('int_identity_core_names') }}
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
