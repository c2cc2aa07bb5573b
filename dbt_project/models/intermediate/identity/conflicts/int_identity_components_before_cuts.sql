{#- Which identifiers are connected before chains between different people are cut. -#}
with open_edges as (
    select
        key_a,
        key_b
    from {{ ref('int_identity_edges_checked') }}
    where refusal_reason is null
),

components as (
    {{ connected_components('open_edges') | indent(4) }}
)

select
    node,
    component
from components
