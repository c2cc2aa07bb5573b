{%- set dates = as_of_dates() -%}
{%- set first_of_dates -%}
    case
        {%- for date in dates %}
            when %s <= date '{{ date }}' then date '{{ date }}'
        {%- endfor %}
        end
{%- endset -%}

with orders as (
    select
        *,
        coalesce(
            {{ shop_date('refunded_at') }}, ordered_date
        ) as returned_date
    from {{ ref('fct_orders') }}
    where customer_id is not null and is_counted
),

-- What an order adds on its day, and what its returns take away on theirs, so that a month end
-- does not know of a return that came later.
changes as (
    select
        customer_id,
        ordered_date as changed_date,
        case when is_kept then ordered_date end as kept_date,
        case when is_kept then 1 else 0 end as frequency,
        case when is_kept then gross_sales_shop else 0 end as gross_sales,
        case when is_kept then net_sales_shop + returns_shop else net_sales_shop end as net_sales,
        case when net_sales_shop is null then 1 else 0 end as unconverted_count
    from orders
    union all
    select
        customer_id,
        greatest(returned_date, ordered_date) as changed_date,
        cast(null as date) as kept_date,
        0 as frequency,
        0 as gross_sales,
        -returns_shop as net_sales,
        0 as unconverted_count
    from orders
    where is_kept and returns_shop <> 0
),

by_period as (
    select
        customer_id,
        {{ first_of_dates | replace('%s', 'changed_date') }} as period_end_date,
        max(kept_date) as last_kept_date,
        sum(frequency) as frequency,
        sum(gross_sales) as gross_sales,
        sum(net_sales) as net_sales,
        sum(unconverted_count) as unconverted_count
    from changes
    group by customer_id, period_end_date
),

as_of_dates as (
    {%- for date in dates %}
    select date '{{ date }}' as as_of_date
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

measured as (
    select
        by_period.customer_id,
        as_of_dates.as_of_date,
        max(by_period.last_kept_date) as last_ordered_date,
        cast(sum(by_period.frequency) as bigint) as frequency,
        case
            when sum(by_period.unconverted_count) = 0
                then cast(sum(by_period.net_sales) as decimal(18, 4))
        end as monetary,
        case
            when sum(by_period.unconverted_count) = 0
                then cast(sum(by_period.gross_sales) as decimal(18, 4))
        end as gross_monetary
    from by_period
    inner join as_of_dates on by_period.period_end_date <= as_of_dates.as_of_date
    group by by_period.customer_id, as_of_dates.as_of_date
),

buyers as (
    select
        *,
        {{ dbt.datediff('last_ordered_date', 'as_of_date', 'day') }} as recency_days
    from measured
    where frequency > 0
),

cuts as (
    select
        as_of_date,
        {{ rfm_cuts('recency_days', 'r') }},
        {{ rfm_cuts('frequency', 'f') }},
        {{ rfm_cuts('monetary', 'm') }}
    from buyers
    group by as_of_date
),

scored as (
    select
        buyers.*,
        {{ rfm_score_down('buyers.recency_days', 'cuts.r') }} as r_score,
        {{ rfm_score_up('buyers.frequency', 'cuts.f') }} as f_score,
        case
            when buyers.monetary is null then null
            -- Whoever gave back all they bought has no strength in money, whatever others spent.
            when buyers.monetary <= 0 then 1
            else {{ rfm_score_up('buyers.monetary', 'cuts.m') }}
        end as m_score
    from buyers
    inner join cuts on buyers.as_of_date = cuts.as_of_date
),

final as (
    select
        scored.customer_id,
        scored.as_of_date,
        scored.as_of_date = {{ as_of_date() }} as is_current,
        scored.recency_days,
        scored.frequency,
        scored.monetary,
        scored.gross_monetary,
        '{{ var("shop_currency") }}' as currency,
        scored.r_score,
        scored.f_score,
        scored.m_score,
        cast(scored.r_score as {{ dbt.type_string() }})
        || cast(scored.f_score as {{ dbt.type_string() }})
        || cast(scored.m_score as {{ dbt.type_string() }}) as rfm_score,
        group_map.rfm_segment,
        scored.last_ordered_date
    from scored
    left join {{ ref('rfm_group_map') }} as group_map
        on
            {{ rfm_step('scored.r_score') }} = group_map.recency_step
            and {{ rfm_strength_step('scored.f_score', 'scored.m_score') }} = group_map.strength_step
)

select * from final
