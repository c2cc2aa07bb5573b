{#- What each condition keeps of all people, alone and in the order in which the segment's file has them. -#}
{%- set rules = segment_rules() -%}
{%- set conditions = distinct_conditions(rules) -%}
{%- set others = segments_in_rules(rules) -%}
{#- By the place of a condition in a rule: the column that says whether it holds -#}
{%- set columns = {} -%}
{%- for leaf in conditions -%}
    {%- do columns.update({leaf.key: 'holds_' ~ loop.index}) -%}
{%- endfor -%}
{%- for segment in others -%}
    {%- do columns.update({'in_segment(' ~ tojson(segment) ~ ')': 'in_' ~ segment}) -%}
{%- endfor -%}

{%- do ref('shop_rhythm') %}
{#- Which segments are conditions of others is known only after parsing, when dependencies are no longer found -#}
{%- for segment in (segment_names() if not execute else []) -%}
    {%- do ref('seg_' ~ segment) -%}
{%- endfor %}

with conditions as (
    {{ all_rule_leaves(rules) }}
),

holders as (
    select
        condition,
        customer_id
    from {{ ref('int_condition_results') }}
    {%- for segment in others %}
    union all
    select
        {{ segment_text('in_segment(' ~ tojson(segment) ~ ')') }} as condition,
        customer_id
    from {{ ref('seg_' ~ segment) }}
    {%- endfor %}
),

answers as (
    select
        customer_id,
        count(*) as condition_count
        {%- for leaf in conditions %},
        bool_or(condition = {{ segment_text(leaf.key) }}) as holds_{{ loop.index }}
        {%- endfor %}
        {%- for segment in others %},
        bool_or(condition = {{ segment_text('in_segment(' ~ tojson(segment) ~ ')') }}) as in_{{ segment }}
        {%- endfor %}
    from holders
    group by customer_id
),

people as (
    select
        customers.customer_id,
        coalesce(answers.condition_count, 0) as condition_count
        {%- for leaf in conditions %},
        coalesce(answers.holds_{{ loop.index }}, false) as holds_{{ loop.index }}
        {%- endfor %}
        {%- for segment in others %},
        coalesce(answers.in_{{ segment }}, false) as in_{{ segment }}
        {%- endfor %}
    from {{ ref('dim_customers') }} as customers
    left join answers on customers.customer_id = answers.customer_id
),

counts as (
    {%- for segment, rule in rules if rule %}
    {%- set last_segment = loop.last -%}
    {%- set so_far = [] -%}
    {%- for step in rule %}
    {%- set last_step = loop.last -%}
    {%- set before = so_far | join(' and ') or 'true' -%}
    {%- do so_far.append(step_of_columns(step, columns)) -%}
    {%- for leaf in leaves_of(step) %}
    select
        '{{ segment }}' as segment,
        {{ leaf.position }} as position,
        count(*) filter (where {{ '' if leaf.is_wanted else 'not ' }}{{ columns[leaf.key] }}) as kept_alone,
        count(*) filter (where {{ before }}) as people_before,
        count(*) filter (where {{ so_far | join(' and ') }}) as kept_in_order,
        count(*) as people_count
    from people
    {%- if not (loop.last and last_step and last_segment) %}
    union all
    {%- endif %}
    {%- endfor %}
    {%- endfor %}
    {%- else %}
    select
        cast(null as {{ dbt.type_string() }}) as segment,
        cast(null as integer) as position,
        count(*) as kept_alone,
        count(*) as people_before,
        count(*) as kept_in_order,
        count(*) as people_count
    from people
    {%- endfor %}
),

final as (
    select
        conditions.segment,
        conditions.position as condition_rank,
        conditions.step as step_rank,
        conditions.condition,
        conditions.words,
        conditions.is_wanted,
        counts.people_count,
        counts.kept_alone as kept_alone_count,
        counts.people_count - counts.kept_alone as dropped_alone_count,
        counts.kept_in_order as kept_in_order_count,
        counts.people_before - counts.kept_in_order as dropped_in_order_count
    from counts
    inner join conditions on counts.segment = conditions.segment and counts.position = conditions.position
)

select * from final
