with earlier_runs as (
    select *
    from {{ ref('stg_ops__identity_metrics') }}
)

select
    {{ run_id() }} as run_id,
    metric,
    kind,
    {{ as_of() }} as as_of,
    value
from {{ ref('int_identity_metrics') }}
union all
select
    run_id,
    metric,
    kind,
    as_of,
    value
from earlier_runs
where run_id <> {{ run_id() }}
