{#-
    What the shop's buyers are expected to bring in the 365 days after each date, and what moved that since the date
    before. Predictions are of the run's date alone, so a person counts at every date, today's too, as much as people do
    today on average who bought as long ago and as often (a cell): the price of a cell is the same at all dates, and
    whatever moves is people. Cells are of days and orders and not of RFM scores, which rank people against each other
    and would not see that all of them stay away.
-#}
{%- set money = 'decimal(18, 4)' %}
{%- set dates = as_of_dates() %}
{#- The last step of recency holds the lost: no order for more days than a prediction looks ahead. -#}
{%- set recency_steps = [30, 90, 180, 365] %}
{%- set frequency_steps = [1, 3] %}

with rfm as (
    select
        customer_id,
        as_of_date,
        last_ordered_date,
        {%- for days in recency_steps %}
        case when recency_days > {{ days }} then 1 else 0 end{{ ' +' if not loop.last else ' as recency_step,' }}
        {%- endfor %}
        {%- for orders in frequency_steps %}
        case when frequency > {{ orders }} then 1 else 0 end{{ ' +' if not loop.last else ' as frequency_step' }}
        {%- endfor %}
    from {{ ref('fct_customer_rfm') }}
),

predicted as (
    select
        customer_id,
        predicted_clv_365d,
        null_reason
    from {{ ref('fct_customer_clv') }}
    where is_current
),

cells as (
    select
        rfm.recency_step,
        rfm.frequency_step,
        cast(cast(sum(predicted.predicted_clv_365d) as double) / count(*) as {{ money }}) as expected_value
    from rfm
    inner join predicted on rfm.customer_id = predicted.customer_id
    where rfm.as_of_date = {{ as_of_date() }} and predicted.predicted_clv_365d is not null
    group by rfm.recency_step, rfm.frequency_step
),

-- Why there is no prediction today, if there is none; somebody without a rate says nothing of the others
missing as (
    select
        case
            when count(predicted_clv_365d) = 0
                then coalesce(min(case when null_reason <> 'missing_rate' then null_reason end), 'missing_rate')
        end as null_reason
    from predicted
),

valued as (
    select
        rfm.customer_id,
        rfm.as_of_date,
        rfm.last_ordered_date,
        rfm.recency_step = {{ recency_steps | length }} as is_lost,
        cells.expected_value
    from rfm
    left join cells on rfm.recency_step = cells.recency_step and rfm.frequency_step = cells.frequency_step
),

periods as (
    {%- for date in dates %}
    select
        {% if loop.first -%} cast(null as date) {%- else -%} date '{{ dates[loop.index0 - 1] }}' {%- endif %} as from_date,
        date '{{ date }}' as as_of_date
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

-- Whoever was a buyer is one at every later date, so each is here once
moved as (
    select
        periods.as_of_date,
        periods.from_date,
        case
            when earlier.customer_id is null then 'new'
            when earlier.is_lost and not later.is_lost then 'won_back'
            when later.is_lost and not earlier.is_lost then 'lost'
            when later.last_ordered_date > periods.from_date then 'kept'
            else 'waiting'
        end as movement,
        later.expected_value,
        case when earlier.customer_id is null then 0 else earlier.expected_value end as earlier_value
    from periods
    inner join valued as later on periods.as_of_date = later.as_of_date
    left join valued as earlier
        on later.customer_id = earlier.customer_id and periods.from_date = earlier.as_of_date
),

summed as (
    select
        as_of_date,
        from_date,
        count(*) as buyer_count,
        {%- for movement in ['new', 'kept', 'won_back', 'lost', 'waiting'] %}
        count(case when movement = '{{ movement }}' then 1 end) as {{ movement }}_count,
        sum(case when movement = '{{ movement }}' then expected_value - earlier_value else 0 end) as {{ movement }}_value,
        {%- endfor %}
        sum(expected_value) as equity_value,
        sum(earlier_value) as from_value,
        count(expected_value) = count(*) as is_valued,
        count(expected_value) = count(*) and count(earlier_value) = count(*) and from_date is not null as is_compared
    from moved
    group by as_of_date, from_date
)

select
    summed.as_of_date,
    summed.from_date,
    summed.as_of_date = {{ as_of_date() }} as is_current,
    summed.buyer_count,
    cast(case when summed.is_valued then summed.equity_value end as {{ money }}) as equity_value,
    cast(case when summed.is_compared then summed.from_value end as {{ money }}) as from_value,
    cast(case when summed.is_compared then summed.equity_value - summed.from_value end as {{ money }}) as change_value,
    {%- for movement in ['new', 'kept', 'won_back', 'lost', 'waiting'] %}
    case when summed.from_date is not null then summed.{{ movement }}_count end as {{ movement }}_count,
    cast(case when summed.is_compared then summed.{{ movement }}_value end as {{ money }}) as {{ movement }}_value,
    {%- endfor %}
    case when not summed.is_valued then coalesce(missing.null_reason, 'nobody_alike_today') end as null_reason
from summed
cross join missing
