{%- set weights = var('interest_weights') %}

with products as (
    select * from {{ ref('dim_products') }}
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

signals as (
    select
        interactions.customer_id,
        'category' as interest_kind,
        products.category as interest,
        interactions.kind as signal,
        interactions.occurred_at
    from interactions
    inner join products on interactions.product_id = products.product_id
    where products.category is not null
    union all
    select
        customer_id,
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
    -- What was sent back is no sign of a liking
    select
        lines.customer_id,
        'category' as interest_kind,
        lines.category as interest,
        'bought' as signal,
        lines.ordered_at as occurred_at
    from {{ ref('fct_order_lines') }} as lines
    inner join kept_orders
        on lines.order_id = kept_orders.order_id and lines.order_source = kept_orders.order_source
    where
        lines.customer_id is not null
        and lines.category is not null
        and not lines.is_return_line
        and lines.quantity - coalesce(lines.returned_quantity, 0) > 0
),

-- By day, so that a fraction is worked out once for all signals of a day and adds up exactly
by_day as (
    select
        customer_id,
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
    group by customer_id, interest_kind, interest, {{ shop_date('occurred_at') }}
),

scored as (
    select
        customer_id,
        interest_kind,
        interest,
        cast(sum(
            weight * cast(
                power(0.5, {{ days_until_as_of('signal_date') }} * 1.0 / {{ var('interest_half_life_days') }})
                as decimal(10, 9)
            )
        ) as decimal(18, 4)) as score,
        sum(signal_count) as signal_count,
        max(last_signal_at) as last_signal_at
    from by_day
    group by customer_id, interest_kind, interest
),

final as (
    select
        customer_id,
        interest_kind,
        interest,
        score,
        row_number() over (
            partition by customer_id, interest_kind
            order by score desc, last_signal_at desc, interest
        ) as interest_rank,
        signal_count,
        last_signal_at
    from scored
    where score > 0
)

select * from final
