{#- The seed and the macro name the same identifier types in the same order of trust. -#}
with written_in_macro as (
    {%- for type in identifier_types() %}
    select
        '{{ type }}' as identifier_type,
        {{ loop.index }} as trust_rank
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

written_in_seed as (
    select
        identifier_type,
        trust_rank
    from {{ ref('identifier_types') }}
)

select coalesce(written_in_macro.identifier_type, written_in_seed.identifier_type) as identifier_type
from written_in_macro
full outer join written_in_seed on written_in_macro.identifier_type = written_in_seed.identifier_type
where written_in_macro.trust_rank is distinct from written_in_seed.trust_rank
