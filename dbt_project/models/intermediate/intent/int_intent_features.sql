{#-
    The same columns serve to learn, to be judged and to predict, and each row knows only what had happened by the end
    of its day; the science adds what came after.
-#}
{%- set lookback = intent_lookback_days() -%}
{%- set weights = var('intent_weights') -%}
{%- set before_first_day = days_before(as_of_date_text(), var('intent_days')) %}

with signals as (
    select * from {{ ref('int_intent_signals') }}
),

dates as (
    {%- for date in (intent_weeks() + as_of_dates()) | unique | sort %}
    select date '{{ date }}' as as_of_date
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

asked as (
    select
        customer_id,
        signal_date as as_of_date
    from signals
    where signal_date > date '{{ before_first_day }}'
    union
    select
        signals.customer_id,
        dates.as_of_date
    from signals
    inner join dates
        on
            signals.signal_date <= dates.as_of_date
            and {{ dbt.datediff('signals.signal_date', 'dates.as_of_date', 'day') }} < {{ lookback }}
),

orders as (
    select
        asked.customer_id,
        asked.as_of_date,
        count(distinct orders.ordered_date) as order_day_count,
        max(orders.ordered_date) as last_ordered_date
    from asked
    inner join {{ ref('fct_orders') }} as orders
        on asked.customer_id = orders.customer_id and asked.as_of_date >= orders.ordered_date
    where orders.is_kept
    group by asked.customer_id, asked.as_of_date
),

-- A fraction is worked out once for a day, as a decimal, so that sums are exact in any order
by_signal as (
    select
        asked.customer_id,
        asked.as_of_date,
        signals.signal,
        max(orders.order_day_count) as order_day_count,
        max(orders.last_ordered_date) as last_ordered_date,
        sum(signals.signal_count) as signal_count,
        sum(
            signals.signal_count * cast(
                power(
                    0.5,
                    cast({{ dbt.datediff('signals.signal_date', 'asked.as_of_date', 'day') }} as double)
                    / {{ var('intent_half_life_days') }}
                ) as decimal(10, 9)
            )
        ) as weight,
        max(signals.signal_date) as last_signal_date
    from asked
    left join orders
        on asked.customer_id = orders.customer_id and asked.as_of_date = orders.as_of_date
    inner join signals
        on
            asked.customer_id = signals.customer_id
            and asked.as_of_date >= signals.signal_date
            and {{ dbt.datediff('signals.signal_date', 'asked.as_of_date', 'day') }} < {{ lookback }}
            and signals.signal_date >= coalesce(orders.last_ordered_date, signals.signal_date)
    group by asked.customer_id, asked.as_of_date, signals.signal
),

-- The strongest evidence: what is worth most by its kind and its age, of equal ones the later
ranked as (
    select
        *,
        row_number() over (
            partition by customer_id, as_of_date
            order by
                case signal
                    {%- for signal, weight in weights.items() %}
                    when '{{ signal }}' then {{ weight }}
                    {%- endfor %}
                    else 0
                end * cast(
                    power(
                        0.5,
                        cast({{ dbt.datediff('last_signal_date', 'as_of_date', 'day') }} as double)
                        / {{ var('intent_half_life_days') }}
                    ) as decimal(10, 9)
                ) desc,
                last_signal_date desc, signal
        ) as place
    from by_signal
),

final as (
    select
        customer_id,
        as_of_date,
        {%- for signal in intent_signals() %}
        cast(coalesce(sum(case when signal = '{{ signal }}' then weight end), 0) as decimal(18, 9))
            as {{ signal }}_weight,
        cast(coalesce(sum(case when signal = '{{ signal }}' then signal_count end), 0) as bigint)
            as {{ signal }}_count,
        {%- endfor %}
        max(case when place = 1 then signal end) as signal,
        max(case when place = 1 then last_signal_date end) as signal_date,
        max(last_signal_date) as last_signal_date,
        max(order_day_count) as order_day_count,
        max(last_ordered_date) as last_ordered_date
    from ranked
    group by customer_id, as_of_date
)

select * from final
