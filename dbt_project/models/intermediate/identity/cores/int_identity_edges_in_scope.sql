{{ config(materialized='view') }}

{#- The edges that this run looks at. -#}
select *
from {{ ref('int_identity_edges_observed') }}
where {{ in_scope('hub_key') }}
