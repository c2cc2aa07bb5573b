{#- Whose assignment it is. Of a person's identifiers in one experiment the first that was assigned counts. -#}
with assignments as (
    select *
    from {{ ref('stg_experiments__assignments') }}
),

customers as (
    select *
    from {{ ref('int_raw_identifier_customers') }}
),

resolved as (
    select
        assignments.assignment_key,
        assignments.experiment_id,
        customers.customer_id,
        coalesce(customers.customer_id, concat_ws(' ', assignments.identifier_type, assignments.identifier_value)) as who,
        assignments.experiment_group,
        assignments.assigned_at
    from assignments
    left join customers
        on
            assignments.identifier_type = customers.identifier_type
            and assignments.identifier_value = customers.raw_value
)

select
    assignment_key,
    experiment_id,
    customer_id,
    experiment_group,
    assigned_at,
    count(*) over (partition by experiment_id, who) as identifier_count,
    min(experiment_group) over (partition by experiment_id, who)
    <> max(experiment_group) over (partition by experiment_id, who) as is_in_both_groups
from resolved
qualify row_number() over (
    partition by experiment_id, who
    order by assigned_at, assignment_key
) = 1
