-- depends_on: {{ ref('int_identity_core_facts') }}, {{ ref('int_identity_address_words') }}
-- depends_on: {{ ref('int_shared_identifiers') }}, {{ ref('int_identity_edges_judged') }}, {{ ref('int_identity_components') }}
{#-
    What every identifier was last looked at with. Built after all models that keep results: as long as
    it differs from the scope, those results are not to be trusted and the next run starts anew.
-#}
{{ config(materialized='incremental', incremental_strategy='replace_scope', unique_key='identifier_key') }}
{{- refuse_half_a_refresh() }}

select
    scope.identifier_key,
    scope.fact_count,
    scope.fact_checksum,
    coalesce(neighbours.component, scope.identifier_key) as neighbourhood,
    '{{ identity_logic_version() }}' as logic_version
from {{ ref('int_identity_scope') }} as scope
left join {{ ref('int_identity_neighbours') }} as neighbours on scope.identifier_key = neighbours.node
where scope.fact_count is not null
