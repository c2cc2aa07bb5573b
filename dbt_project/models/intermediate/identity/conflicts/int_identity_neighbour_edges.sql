{{ config(materialized='ephemeral') }}

{#- What hangs together at all: every pair that nothing but a rule, a name or a chain could part. -#}
select
    key_a,
    key_b
from {{ ref('int_identity_edges_in_scope') }}
where refusal_reason is null
union all
select
    key_a,
    key_b
from {{ ref('int_identity_rule_edges') }}
where rule = 'must_link' and {{ in_scope('key_a') }}
