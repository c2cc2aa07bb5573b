with orders as (
    select * from {{ ref('fct_orders') }}
    where customer_id is not null and is_counted
),

gaps as (
    {{ order_gaps('orders') }}
),

repeats as (
    select
        count(*) as repeat_count,
        count(distinct customer_id) as repeat_buyer_count,
        cast(percentile_disc(0.5) within group (order by gap_days) as integer) as median_gap_days,
        cast(percentile_disc(0.95) within group (order by gap_days) as integer) as long_gap_days
    from gaps
    where gap_days is not null
),

order_counts as (
    select
        customer_id,
        count(*) as order_count
    from orders
    where is_kept
    group by customer_id
    having count(*) > 1
),

counts as (
    select
        cast(percentile_disc(0.5) within group (order by order_count) as integer) as median_order_count,
        cast(percentile_disc(0.75) within group (order by order_count) as integer) as high_order_count
    from order_counts
),

measured as (
    select
        repeats.*,
        counts.median_order_count,
        counts.high_order_count,
        repeats.repeat_count >= {{ var('rhythm_min_repeats') }}
        and repeats.repeat_buyer_count >= {{ var('rhythm_min_repeat_buyers') }} as is_enough
    from repeats
    cross join counts
),

final as (
    {%- for each in rhythm_thresholds() %}
    {%- set number = var(each.name) %}
    select
        '{{ each.name }}' as threshold,
        '{{ each.unit }}' as unit,
        {%- if number == 'auto' %}
        cast(case when is_enough then {{ each.formula }} else {{ each.fixed }} end as integer) as threshold_value,
        case when is_enough then 'auto' else 'floor' end as basis,
        {%- else %}
        cast({{ number }} as integer) as threshold_value,
        'setting' as basis,
        {%- endif %}
        {{ each.fixed }} as fixed_value,
        repeat_count,
        repeat_buyer_count,
        median_gap_days,
        long_gap_days,
        median_order_count,
        high_order_count
    from measured
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
)

select * from final
