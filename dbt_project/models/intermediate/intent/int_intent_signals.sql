{#- What an order answered is no signal any more: on a day with an order only what came after it counts. -#}
{%- set lookback = intent_lookback_days() -%}
{#- What somebody came back to may have been looked at as long before again. -#}
{%- set since = days_before(as_of_dates()[0], 2 * lookback) %}

with interactions as (
    select
        interaction_id,
        customer_id,
        occurred_at,
        {{ shop_date('occurred_at') }} as signal_date,
        {{ intent_signal('kind') }} as signal,
        product_id,
        {{ json_text('detail', '$.query') }} as query
    from {{ ref('fct_interactions') }}
    where
        occurred_at >= timestamp '{{ since }} 00:00:00'
        and kind in ({{ quoted(intent_signals().values() | sum(start=[])) }})
),

order_days as (
    select
        customer_id,
        ordered_date,
        max(ordered_at) as last_ordered_at
    from {{ ref('fct_orders') }}
    where is_kept and customer_id is not null
    group by customer_id, ordered_date
),

unanswered as (
    select interactions.*
    from interactions
    left join order_days
        on
            interactions.customer_id = order_days.customer_id
            and interactions.signal_date = order_days.ordered_date
    where order_days.customer_id is null or interactions.occurred_at > order_days.last_ordered_at
),

views as (
    select
        customer_id,
        product_id,
        signal_date,
        max(occurred_at) as occurred_at,
        max(interaction_id) as interaction_id,
        lag(signal_date) over (partition by customer_id, product_id order by signal_date, product_id) as viewed_before_on
    from unanswered
    where signal = 'viewed' and product_id is not null
    group by customer_id, product_id, signal_date
),

signals as (
    select
        customer_id,
        signal_date,
        signal,
        product_id,
        query,
        occurred_at,
        interaction_id
    from unanswered
    union all
    select
        customer_id,
        signal_date,
        'returned_to' as signal,
        product_id,
        cast(null as {{ dbt.type_string() }}) as query,
        occurred_at,
        interaction_id
    from views
    where {{ dbt.datediff('viewed_before_on', 'signal_date', 'day') }} <= {{ lookback }}
),

-- What the last of them was about
in_order as (
    select
        *,
        row_number() over (
            partition by customer_id, signal_date, signal
            order by
                case when product_id is null and query is null then 2 else 1 end, occurred_at desc, interaction_id
        ) as place_from_last
    from signals
),

by_day as (
    select
        customer_id,
        signal_date,
        signal,
        count(*) as signal_count,
        max(case when place_from_last = 1 then product_id end) as product_id,
        max(case when place_from_last = 1 then query end) as query,
        max(occurred_at) as last_signal_at
    from in_order
    group by customer_id, signal_date, signal
),

searches as (
    -- Words that name several categories name none
    select
        query,
        min(category) as category
    from {{ ref('int_search_categories') }}
    group by query
    having count(*) = 1
)

select
    by_day.customer_id,
    by_day.signal_date,
    by_day.signal,
    by_day.signal_count,
    by_day.product_id,
    searches.category as searched_category,
    by_day.last_signal_at
from by_day
left join searches on by_day.query = searches.query
