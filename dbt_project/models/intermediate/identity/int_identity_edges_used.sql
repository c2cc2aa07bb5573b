{{ config(materialized='ephemeral') }}

select
    key_a,
    key_b
from {{ ref('int_identity_links_judged') }}
where refusal_reason is null
