{#- Words quote thresholds, which dbt cannot see before it has every model. -#}
{%- do ref('shop_rhythm') -%}
{%- set rules = segment_rules() -%}

with conditions as (
    {{ all_rule_leaves(rules) }}
),

memberships as (
    select * from {{ ref('int_segment_stays') }}
    where is_current
),

results as (
    select
        condition,
        customer_id,
        value,
        threshold,
        since,
        ends_at,
        ends_when
    from {{ ref('int_condition_results') }}
    {%- for segment in segments_in_rules(rules) %}
    union all
    select
        {{ segment_text('in_segment(' ~ tojson(segment) ~ ')') }} as condition,
        customer_id,
        cast(null as {{ dbt.type_string() }}) as value,
        cast(null as {{ dbt.type_string() }}) as threshold,
        entered_at as since,
        cast(null as timestamp) as ends_at,
        'on leaving that segment' as ends_when
    from memberships
    where segment = '{{ segment }}'
    {%- endfor %}
),

final as (
    select
        memberships.segment,
        memberships.customer_id,
        conditions.position as condition_rank,
        conditions.condition,
        conditions.words,
        conditions.is_wanted,
        results.customer_id is not null or conditions.condition = 'sql' as is_met,
        results.value,
        results.threshold,
        conditions.source,
        coalesce(results.since, case when conditions.condition = 'sql' then memberships.entered_at end) as since,
        case when conditions.is_wanted then results.ends_at end as ends_at,
        case
            when conditions.condition = 'sql' then 'as its SQL says'
            when conditions.is_wanted then results.ends_when
            when results.customer_id is null then 'as soon as: ' || conditions.words_of_condition
        end as ends_when
    from memberships
    inner join conditions on memberships.segment = conditions.segment
    left join results
        on
            conditions.condition = results.condition
            and memberships.customer_id = results.customer_id
)

select * from final
