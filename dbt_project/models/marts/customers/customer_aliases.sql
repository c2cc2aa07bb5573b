select
    alias_id,
    customer_id,
    merged_at
from {{ ref('int_customer_aliases_next') }}
