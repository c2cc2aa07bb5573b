{{ config(materialized='ephemeral') }}

select
    key_a,
    key_b
from {{ ref('int_review_chain_links') }}
where not is_weak
