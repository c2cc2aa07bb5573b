{#- What the addresses of a nameless core call their owner: the words before the @. -#}
{{ config(materialized='incremental', incremental_strategy='replace_scope', unique_key='core') }}
{{- refuse_half_a_refresh() }}

with candidates as (
    select core_a as core
    from {{ ref('int_identity_core_pairs') }}
    union
    select core_b as core
    from {{ ref('int_identity_core_pairs') }}
),

nameless as (
    select candidates.core
    from candidates
    left join {{ ref('int_identity_core_facts') }} as facts
        on candidates.core = facts.core and facts.fact_type = 'full_name'
    where facts.core is null
),

addresses as (
    select
        nameless.core,
        identifiers.identifier_value as email
    from {{ ref('int_identifiers') }} as identifiers
    left join {{ ref('int_identity_cores') }} as cores on identifiers.identifier_key = cores.node
    inner join nameless on coalesce(cores.component, identifiers.identifier_key) = nameless.core
    where identifiers.identifier_type = 'email' and identifiers.block_reason is null
),

words as (
    select distinct
        core,
        {{ letter_words("split_part(email, '@', 1)") }} as word
    from addresses
)

select
    words.core,
    words.word,
    first_names.first_name is not null as is_first_name
from words
left join {{ ref('int_identity_first_names') }} as first_names on words.word = first_names.first_name
