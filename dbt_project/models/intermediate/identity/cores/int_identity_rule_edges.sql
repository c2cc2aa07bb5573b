{#- Hand-made rules about two identifiers, as integers. Few; one file of rules has the last word over all evidence. -#}
with rules as (
    select *
    from {{ ref('stg_identity_rules__identity_rules') }}
    where rule in ('must_link', 'cannot_link')
),

dictionary as (
    select *
    from {{ ref('int_identifier_values') }}
    where identifier_key is not null
),

identifiers as (
    select *
    from {{ ref('int_identifiers') }}
)

select
    rules.rule,
    least(values_a.identifier_key, values_b.identifier_key) as key_a,
    greatest(values_a.identifier_key, values_b.identifier_key) as key_b,
    max(coalesce(identifiers_a.block_reason, identifiers_b.block_reason)) as block_reason,
    min(rules.reason) as reason
from rules
inner join dictionary as values_a
    on rules.type_a = values_a.identifier_type and rules.value_a = values_a.raw_value
inner join dictionary as values_b
    on rules.type_b = values_b.identifier_type and rules.value_b = values_b.raw_value
inner join identifiers as identifiers_a on values_a.identifier_key = identifiers_a.identifier_key
inner join identifiers as identifiers_b on values_b.identifier_key = identifiers_b.identifier_key
where least(values_a.identifier_key, values_b.identifier_key) < greatest(values_a.identifier_key, values_b.identifier_key)
group by 1, 2, 3
