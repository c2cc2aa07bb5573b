{{ config(materialized='ephemeral') }}

select
    key_a,
    key_b
from {{ ref('int_identity_edges_checked') }}
where refusal_reason is null
