{#-
    What is one person by accounts and addresses alone: the parts that cards, phones and devices may then
    connect, unless what is known of two parts speaks against it.
-#}
with rules as (
    select *
    from {{ ref('int_identity_rule_edges') }}
),

bridges as (
    select identifier_key
    from {{ ref('int_identifiers') }}
    where identifier_type in ({{ quoted(bridging_identifier_types()) }})
),

candidates as (
    select
        edges.key_a,
        edges.key_b
    from {{ ref('int_identity_edges_in_scope') }} as edges
    left join {{ ref('int_identity_unproved_edges') }} as unproved
        on edges.key_a = unproved.key_a and edges.key_b = unproved.key_b
    where
        edges.refusal_reason is null
        and not edges.is_bridge_a
        and not edges.is_bridge_b
        and unproved.key_a is null
    union
    -- Whom a rule joins is one person, whatever the names say
    select
        key_a,
        key_b
    from rules
    where
        rule = 'must_link'
        and {{ in_scope('key_a') }}
        and block_reason is null
        and key_a not in (select identifier_key from bridges)
        and key_b not in (select identifier_key from bridges)
),

core_edges as (
    select
        candidates.key_a,
        candidates.key_b
    from candidates
    left join rules
        on candidates.key_a = rules.key_a and candidates.key_b = rules.key_b and rules.rule = 'cannot_link'
    where rules.key_a is null
),

cores as (
    {{ connected_components('core_edges') | indent(4) }}
)

select
    node,
    component
from cores
