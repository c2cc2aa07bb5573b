with rfm as (
    select * from {{ ref('fct_customer_rfm') }}
),

as_of_dates as (
    select distinct as_of_date from rfm
),

r_scores as (
    {%- for score in range(1, var('rfm_buckets') + 1) %}
    select {{ score }} as r_score
    {%- if not loop.last %} union all{% endif %}
    {%- endfor %}
),

f_scores as (
    select r_score as f_score from r_scores
),

cells as (
    select
        as_of_date,
        r_score,
        f_score,
        count(*) as customer_count,
        sum(frequency) as order_count,
        sum(monetary) as monetary,
        sum(gross_monetary) as gross_monetary,
        count(*) filter (where monetary is null) as customer_count_without_value
    from rfm
    group by as_of_date, r_score, f_score
),

final as (
    select
        as_of_dates.as_of_date,
        as_of_dates.as_of_date = {{ as_of_date() }} as is_current,
        r_scores.r_score,
        f_scores.f_score,
        coalesce(cells.customer_count, 0) as customer_count,
        coalesce(cells.customer_count_without_value, 0) as customer_count_without_value,
        coalesce(cells.order_count, 0) as order_count,
        coalesce(cells.monetary, 0) as monetary,
        coalesce(cells.gross_monetary, 0) as gross_monetary,
        '{{ var("shop_currency") }}' as currency
    from as_of_dates
    cross join r_scores
    cross join f_scores
    left join cells
        on
            as_of_dates.as_of_date = cells.as_of_date
            and r_scores.r_score = cells.r_score
            and f_scores.f_score = cells.f_score
)

select * from final
