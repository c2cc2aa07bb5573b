select
    customer_id,
    holdout,
    is_held_out,
    assigned_at
from {{ source('ops', 'holdouts') }}
