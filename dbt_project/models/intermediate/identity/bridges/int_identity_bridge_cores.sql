{#- Which cores each card, phone and device was seen with. -#}
select distinct
    ends.bridge_key,
    coalesce(cores.component, ends.other_key) as core
from (
    select
        case when is_bridge_a then key_a else key_b end as bridge_key,
        case when is_bridge_a then key_b else key_a end as other_key
    from {{ ref('int_identity_edges_in_scope') }}
    where refusal_reason is null and is_bridge_a <> is_bridge_b
) as ends
left join {{ ref('int_identity_cores') }} as cores on ends.other_key = cores.node
