{%- set dates = as_of_dates() -%}
with rfm as (
    select
        customer_id,
        as_of_date,
        coalesce(rfm_segment, 'unknown') as rfm_segment,
        monetary
    from {{ ref('fct_customer_rfm') }}
),

periods as (
    {%- for date in dates[1:] %}
    select
        date '{{ dates[loop.index0] }}' as from_date,
        date '{{ date }}' as to_date
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

final as (
    select
        periods.from_date,
        periods.to_date,
        -- Whoever was no buyer then had no order that was kept.
        coalesce(earlier.rfm_segment, 'prospects') as from_segment,
        later.rfm_segment as to_segment,
        periods.to_date = {{ as_of_date() }} as is_current,
        count(*) as customer_count,
        cast(sum(later.monetary) as decimal(18, 4)) as monetary,
        '{{ var("shop_currency") }}' as currency
    from periods
    inner join rfm as later on periods.to_date = later.as_of_date
    left join rfm as earlier
        on later.customer_id = earlier.customer_id and periods.from_date = earlier.as_of_date
    group by periods.from_date, periods.to_date, coalesce(earlier.rfm_segment, 'prospects'), later.rfm_segment
)

select * from final
