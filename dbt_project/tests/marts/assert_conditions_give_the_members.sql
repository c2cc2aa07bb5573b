{#-
    The conditions of each member, put together as the segment's file says, give its members and nobody else; and the
    last step of the funnel, which is counted over all people, is as many.
-#}
{%- set rules = segment_rules() -%}
{#- Conditions name the segments that they are of -#}
{%- for segment in segment_names() -%}
    {%- do ref('seg_' ~ segment) -%}
{%- endfor -%}

with by_condition as (
    select
        segment,
        customer_id,
        condition_rank,
        is_met
    from {{ ref('fct_segment_conditions') }}
),

judged as (
    {%- for segment, rule in rules %}
    select
        '{{ segment }}' as segment,
        customer_id
    from by_condition
    where segment = '{{ segment }}'
    group by customer_id
    having {{ step_sql({'all_of': rule}, 'coalesce(bool_or(is_met and condition_rank = {}), false)') if rule else 'bool_or(is_met)' }}
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- else %}
    select
        segment,
        customer_id
    from by_condition
    where false
    {%- endfor %}
),

members as (
    {{ all_segment_members() }}
),

different as (
    select
        coalesce(judged.segment, members.segment) as segment,
        count(*) as people
    from judged
    full outer join members
        on judged.segment = members.segment and judged.customer_id = members.customer_id
    where judged.segment is null or members.segment is null
    group by coalesce(judged.segment, members.segment)
),

sizes as (
    select
        segment,
        count(*) as member_count
    from members
    group by segment
),

last_steps as (
    select
        segment,
        min(kept_in_order_count) as kept
    from {{ ref('rpt_segment_funnel') }}
    group by segment
),

miscounted as (
    select
        last_steps.segment,
        abs(last_steps.kept - coalesce(sizes.member_count, 0)) as people
    from last_steps
    left join sizes on last_steps.segment = sizes.segment
    where last_steps.kept <> coalesce(sizes.member_count, 0)
)

select * from different
union all
select * from miscounted
