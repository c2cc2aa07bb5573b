{{ config(materialized='ephemeral') }}

select
    links.key_a,
    links.key_b
from {{ ref('int_identity_links') }} as links
left join {{ ref('int_identity_rule_links') }} as rules
    on links.key_a = rules.key_a and links.key_b = rules.key_b and rules.rule = 'cannot_link'
where
    links.refusal_reason is null
    and not links.is_bridge_a
    and not links.is_bridge_b
    and rules.key_a is null
