select
    identifier_type,
    identifier_value,
    customer_id,
    registered_at
from {{ ref('int_identity_registry_next') }}
