select
    household_id,
    customer_id,
    basis,
    evidence
from {{ ref('int_household_members') }}
where household_id is not null
