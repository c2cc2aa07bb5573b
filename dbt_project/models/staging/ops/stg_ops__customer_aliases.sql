select
    alias_id,
    customer_id,
    merged_at
from {{ source('ops', 'customer_aliases') }}
