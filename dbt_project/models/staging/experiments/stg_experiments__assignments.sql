{#- Who was put into a group stays in it: of two assignments to one experiment the first counts. -#}
select
    _row_id as assignment_key,
    trim(experiment_id) as experiment_id,
    lower(trim(identifier_type)) as identifier_type,
    nullif(trim(identifier_value), '') as identifier_value,
    lower(trim(experiment_group)) as experiment_group,
    assigned_at
from {{ source('raw_experiments', 'assignments') }}
where assigned_at <= {{ as_of() }}
qualify row_number() over (
    partition by experiment_id, identifier_type, identifier_value
    order by assigned_at, _row_id
) = 1
