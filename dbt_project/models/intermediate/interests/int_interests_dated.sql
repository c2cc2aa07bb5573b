{#-
    Interests as they stood at the end of the run's date and of month ends, all from facts: a product that somebody
    looked at, saved, put in the cart or kept says something of each thing that is known of the product.
-#}
{%- set weights = var('interest_weights') %}
{%- set kept = [var('interests_kept'), var('traits_max_values')] | max %}
{%- set dates = as_of_dates() %}

with products as (
    select
        *,
        -- Thirds of the prices of the category, equal prices alike; of fewer than three products none
        case
            when
                price is not null
                and count(*) over (partition by category, currency) >= 3
                then percent_rank() over (partition by category, currency order by price)
        end as price_place
    from {{ ref('dim_products') }}
),

product_values as (
    {%- for kind, value in {
        'category': 'category', 'brand': 'brand', 'variant': 'product_id', 'size': 'size', 'colour': 'colour',
        'fit': 'fit',
        'price_band': "case when price_place < 0.3333 then 'lower' when price_place < 0.6667 then 'middle' "
            ~ "when price_place is not null then 'upper' end",
        'configuration': "case when size is not null and coalesce(colour, fit, material) is not null "
            ~ "or colour is not null and coalesce(fit, material) is not null "
            ~ "then concat_ws(', ', size, colour, fit, material) end",
    }.items() %}
    select
        product_id,
        '{{ kind }}' as interest_kind,
        {{ value }} as interest
    from products
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

interactions as (
    select * from {{ ref('fct_interactions') }}
    where
        kind in (
            'product_viewed', 'product_added', 'product_added_to_wishlist', 'content_viewed', 'products_searched'
        )
),

kept_orders as (
    select * from {{ ref('fct_orders') }}
    where is_kept
),

-- What was sent back is no sign of a liking
bought as (
    select
        lines.customer_id,
        products.product_id,
        lines.category,
        lines.ordered_at as occurred_at
    from {{ ref('fct_order_lines') }} as lines
    inner join kept_orders
        on lines.order_id = kept_orders.order_id and lines.order_source = kept_orders.order_source
    left join products on lines.product_id = products.product_id
    where
        lines.customer_id is not null
        and not lines.is_return_line
        and lines.quantity - coalesce(lines.returned_quantity, 0) > 0
),

signals as (
    select
        interactions.customer_id,
        interactions.product_id,
        cast(null as {{ dbt.type_string() }}) as interest_kind,
        cast(null as {{ dbt.type_string() }}) as interest,
        interactions.kind as signal,
        interactions.occurred_at
    from interactions
    inner join products on interactions.product_id = products.product_id
    union all
    select
        customer_id,
        null as product_id,
        'topic' as interest_kind,
        lower({{ json_text('detail', '$.topic') }}) as interest,
        kind as signal,
        occurred_at
    from interactions
    where kind = 'content_viewed' and {{ json_text('detail', '$.topic') }} is not null
    union all
    -- Whoever finds nothing was looking for what the shop does not have
    select
        interactions.customer_id,
        null as product_id,
        'category' as interest_kind,
        searches.category as interest,
        interactions.kind as signal,
        interactions.occurred_at
    from interactions
    inner join {{ ref('int_search_categories') }} as searches
        on {{ json_text('interactions.detail', '$.query') }} = searches.query
    where
        interactions.kind = 'products_searched'
        and {{ json_text('interactions.detail', '$.results') }} is distinct from '0'
    union all
    select
        customer_id,
        product_id,
        case when product_id is null then 'category' end as interest_kind,
        case when product_id is null then category end as interest,
        'bought' as signal,
        occurred_at
    from bought
    where product_id is not null or category is not null
),

-- By day, so that a fraction is worked out once for all signals of a day and adds up exactly
by_day as (
    select
        customer_id,
        product_id,
        interest_kind,
        interest,
        {{ shop_date('occurred_at') }} as signal_date,
        count(*) as signal_count,
        sum(case signal
            {%- for signal, weight in weights.items() %}
            when '{{ signal }}' then {{ weight }}
            {%- endfor %}
            else 0
        end) as weight,
        max(occurred_at) as last_signal_at
    from signals
    group by customer_id, product_id, interest_kind, interest, {{ shop_date('occurred_at') }}
),

dates as (
    {%- for date in dates %}
    select
        {{ loop.index }} as date_number,
        date '{{ date }}' as as_of_date
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

dated as (
    select
        by_day.customer_id,
        by_day.product_id,
        by_day.interest_kind,
        by_day.interest,
        dates.date_number,
        dates.as_of_date,
        sum(
            by_day.weight * cast(
                power(
                    0.5,
                    cast({{ dbt.datediff('by_day.signal_date', 'dates.as_of_date', 'day') }} as double)
                    / {{ var('interest_half_life_days') }}
                ) as decimal(10, 9)
            )
        ) as score,
        sum(by_day.signal_count) as signal_count,
        max(by_day.last_signal_at) as last_signal_at
    from by_day
    -- After six times the days in which it halves a signal is worth less than a fiftieth
    inner join dates
        on
            by_day.signal_date <= dates.as_of_date
            and {{ dbt.datediff('by_day.signal_date', 'dates.as_of_date', 'day') }}
            < {{ 6 * var('interest_half_life_days') }}
    group by
        by_day.customer_id, by_day.product_id, by_day.interest_kind, by_day.interest, dates.date_number,
        dates.as_of_date
),

named as (
    select
        dated.customer_id,
        product_values.interest_kind,
        product_values.interest,
        dated.date_number,
        dated.as_of_date,
        dated.score,
        dated.signal_count,
        dated.last_signal_at
    from dated
    inner join product_values on dated.product_id = product_values.product_id
    where
        product_values.interest is not null
        -- Of things as many as the shop has products only the run's date is kept
        and (
            dated.date_number = {{ dates | length }}
            or product_values.interest_kind not in ('variant', 'configuration')
        )
    union all
    select
        customer_id,
        interest_kind,
        interest,
        date_number,
        as_of_date,
        score,
        signal_count,
        last_signal_at
    from dated
    where product_id is null
),

scored as (
    select
        customer_id,
        interest_kind,
        interest,
        date_number,
        as_of_date,
        cast(sum(score) as decimal(18, 4)) as score,
        cast(sum(signal_count) as bigint) as signal_count,
        max(last_signal_at) as last_signal_at
    from named
    group by customer_id, interest_kind, interest, date_number, as_of_date
),

final as (
    select
        *,
        row_number() over (
            partition by customer_id, interest_kind, date_number
            order by score desc, last_signal_at desc, interest
        ) as interest_rank
    from scored
    where score > 0
    qualify interest_rank <= {{ kept }}
)

select
    customer_id,
    interest_kind,
    interest,
    date_number,
    as_of_date,
    score,
    interest_rank,
    signal_count,
    last_signal_at
from final
