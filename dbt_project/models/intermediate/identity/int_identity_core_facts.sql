{#-
    What may tell two cores apart: the full names on their records and the accounts of which a person has
    one. A name on a record speaks for every account and address beside it.
-#}
{%- set bridges = bridging_identifier_types() %}

with evidence as (
    select *
    from {{ ref('int_identity_evidence_keyed') }}
    where person_name is not null
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
    where {{ type }} is not null
    {{ 'union' if not loop.last }}
    {%- endfor %}
),

written as (
    select distinct person_name
    from named
),

folded as (
    select
        person_name,
        {{ full_name('person_name') }} as full_name
    from written
),

facts as (
    select distinct
        coalesce(cores.component, named.identifier_key) as core,
        'full_name' as fact_type,
        folded.full_name as fact
    from named
    inner join folded on named.person_name = folded.person_name
    left join cores on named.identifier_key = cores.node
    where folded.full_name is not null
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
)

select
    core,
    fact_type,
    min(fact) as fact,
    count(*) as fact_count
from facts
group by core, fact_type
