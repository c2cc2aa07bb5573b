{#- What of these people is connected without their weak edges. -#}
with strong_edges as (
    select
        key_a,
        key_b
    from {{ ref('int_identity_chain_links') }}
    where not is_weak
),

parts as (
    {{ connected_components('strong_edges') | indent(4) }}
)

select
    node,
    component
from parts
