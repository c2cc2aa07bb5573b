-- depends_on: {{ ref('int_identity_core_facts') }}, {{ ref('int_identity_address_words') }}
-- depends_on: {{ ref('int_shared_identifiers') }}, {{ ref('int_identity_edges_judged') }}, {{ ref('int_identity_components') }}
{#-
    What every identifier was last looked at with. Built after all models that keep results: as long as
    it differs from the scope, those results are not to be trusted and the next run starts anew.
-#}
{{ config(materialized='incremental', incremental_strategy='replace_scope', unique_key='identifier_key') }}
{{- refuse_half_a_refresh() }}

-- What is connected at all, whoever is whom in the end: by every edge that only a rule, a name or a chain
-- could refuse. A change reaches no further.
with neighbour_edges as (
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
),

neighbours as (
    {{ connected_components('neighbour_edges') | indent(4) }}
)

select
    scope.identifier_key,
    scope.fact_count,
    scope.fact_checksum,
    coalesce(neighbours.component, scope.identifier_key) as neighbourhood,
    '{{ identity_logic_version() }}' as logic_version
from {{ ref('int_identity_scope') }} as scope
left join neighbours on scope.identifier_key = neighbours.node
where scope.fact_count is not null
