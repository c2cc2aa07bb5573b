{#-
    The rules of every segment in one query: each member once, with a reason and a context, and somebody whom
    dim_customers has. Its rows are as those of rows_obey.
-#}
{{- config(fail_calc='cast(coalesce(sum(row_count), 0) as bigint)') -}}
with members as (
    {{ all_segment_members(['reason', 'context']) }}
),

broken as (
    select
        segment,
        'customer_id is not unique' as rule
    from members
    where customer_id is not null
    group by segment, customer_id
    having count(*) > 1
    union all
    select
        members.segment,
        'customer_id is not in dim_customers' as rule
    from members
    left join {{ ref('dim_customers') }} as customers on members.customer_id = customers.customer_id
    where members.customer_id is not null and customers.customer_id is null
    {%- for column in ['customer_id', 'reason', 'context'] %}
    union all
    select
        segment,
        '{{ column }} is empty' as rule
    from members
    where {{ column }} is null
    {%- endfor %}
)

select
    'seg_' || segment || ': ' || rule as rule,
    count(*) as row_count
from broken
group by segment, rule
