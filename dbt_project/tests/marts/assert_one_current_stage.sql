-- Everybody is in exactly one stage now, and stages follow one another without gap or overlap.
with stages as (
    select
        *,
        lead(entered_at) over (partition by customer_id order by stage_number) as next_entered_at
    from {{ ref('fct_customer_journey_stages') }}
),

current_stages as (
    select
        customer_id,
        count(*) filter (where is_current) as current_count
    from stages
    group by customer_id
)

select
    customers.customer_id,
    'not exactly one current stage' as problem
from {{ ref('dim_customers') }} as customers
left join current_stages on customers.customer_id = current_stages.customer_id
where coalesce(current_stages.current_count, 0) <> 1
union all
select
    customer_id,
    'a gap, an overlap or no time at all' as problem
from stages
where
    exited_at is distinct from next_entered_at
    or exited_at <= entered_at
    or is_current <> (exited_at is null)
