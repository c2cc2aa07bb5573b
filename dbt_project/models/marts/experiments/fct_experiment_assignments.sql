select
    assignment_key,
    customer_id,
    experiment_id,
    experiment_group,
    assigned_at,
    identifier_count,
    is_in_both_groups
from {{ ref('int_experiments_resolved') }}
