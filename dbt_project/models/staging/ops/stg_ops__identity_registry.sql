select
    identifier_type,
    identifier_value,
    customer_id,
    registered_at
from {{ source('ops', 'identity_registry') }}
