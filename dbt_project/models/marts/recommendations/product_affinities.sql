{#-
    What goes with what. A unit is an order, a visit, or a visit with a search and what was bought within a day of it.
    A unit of more products than `affinity_max_products` says little on what goes together and would cost its square, so
    it is left out; a pair that fewer units hold than `affinity_min_support`, or that is no more frequent than chance
    would make it, is none.
-#}
with products as (
    select product_id from {{ ref('dim_products') }}
),

purchases as (
    select distinct
        orders.order_source || '|' || orders.order_id as unit,
        orders.customer_id,
        orders.ordered_at,
        lines.product_id
    from {{ ref('fct_order_lines') }} as lines
    inner join {{ ref('fct_orders') }} as orders
        on lines.order_id = orders.order_id and lines.order_source = orders.order_source
    inner join products on lines.product_id = products.product_id
    where {{ is_purchase_of_goods('orders', 'lines') }}
),

views as (
    select
        events.session_id,
        events.product_id,
        max(events.occurred_at) as viewed_at
    from {{ ref('int_web_interactions') }} as events
    inner join products on events.product_id = products.product_id
    where events.event_name = 'Product Viewed'
    group by events.session_id, events.product_id
),

searches as (
    select
        session_id,
        max(customer_id) as customer_id,
        min(occurred_at) as searched_at
    from {{ ref('int_web_interactions') }}
    where event_name = 'Products Searched'
    group by session_id
),

items as (
    select distinct
        'also_bought' as kind,
        unit,
        product_id,
        true as is_first,
        true as is_other
    from purchases
    union all
    select
        'also_viewed' as kind,
        session_id as unit,
        product_id,
        true as is_first,
        true as is_other
    from views
    union all
    select
        'searched_then_bought' as kind,
        searches.session_id as unit,
        views.product_id,
        true as is_first,
        false as is_other
    from searches
    inner join views on searches.session_id = views.session_id and searches.searched_at <= views.viewed_at
    union all
    select distinct
        'searched_then_bought' as kind,
        searches.session_id as unit,
        purchases.product_id,
        false as is_first,
        true as is_other
    from searches
    inner join purchases
        on
            searches.customer_id = purchases.customer_id
            and searches.searched_at <= purchases.ordered_at
            and purchases.ordered_at < searches.searched_at + interval '1' day
),

units as (
    select
        kind,
        unit
    from items
    group by kind, unit
    having
        count(*) <= {{ var('affinity_max_products') }}
        -- Of a search that nobody bought after nothing follows
        and count(case when is_other then 1 end) > 0
),

counted as (
    select items.*
    from items
    inner join units on items.kind = units.kind and items.unit = units.unit
),

totals as (
    select
        kind,
        count(*) as unit_count
    from units
    group by kind
),

product_counts as (
    select
        kind,
        product_id,
        count(case when is_first then 1 end) as first_count,
        count(case when is_other then 1 end) as other_count
    from counted
    group by kind, product_id
),

pairs as (
    select
        firsts.kind,
        firsts.product_id,
        others.product_id as other_product_id,
        cast(count(*) as integer) as support
    from counted as firsts
    inner join counted as others
        on firsts.kind = others.kind and firsts.unit = others.unit and firsts.product_id <> others.product_id
    where firsts.is_first and others.is_other
    group by firsts.kind, firsts.product_id, others.product_id
    having count(*) >= {{ var('affinity_min_support') }}
),

measured as (
    select
        pairs.kind,
        pairs.product_id,
        pairs.other_product_id,
        pairs.support,
        round(cast(pairs.support as double) / firsts.first_count, 6) as confidence,
        round(
            cast(pairs.support as double) * totals.unit_count / firsts.first_count / others.other_count, 6
        ) as lift
    from pairs
    inner join product_counts as firsts on pairs.kind = firsts.kind and pairs.product_id = firsts.product_id
    inner join product_counts as others on pairs.kind = others.kind and pairs.other_product_id = others.product_id
    inner join totals on pairs.kind = totals.kind
),

-- Lift alone prefers the rarest pair, support alone what everybody buys: what counts is how many are more than chance
final as (
    select
        kind,
        product_id,
        other_product_id,
        support,
        confidence,
        lift,
        cast(row_number() over (
            partition by kind, product_id
            order by round(support * ln(lift), 6) desc, support desc, other_product_id
        ) as integer) as affinity_rank
    from measured
    where lift > 1
)

select * from final
