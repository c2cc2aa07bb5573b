{#-
    What to show somebody, by kind, best first. Left out, whatever the kind: what is out of stock, what they have already
    (but for replenish), what stands in for something just bought, what does not fit a size, fit or
    household that they stated, and what they reviewed badly. Who has bought nothing gets what goes with the products of their last visit.
-#}
{%- set weight -%} round(affinities.support * ln(affinities.lift), 6) {%- endset -%}

with products as (
    select
        *,
        coalesce(substitute_group, product_id) as need,
        {{ product_in_words('product_name', 'sku') }} as words
    from {{ ref('dim_products') }}
),

on_sale as (
    select * from products
    where coalesce(in_stock, true)
),

affinities as (
    select * from {{ ref('product_affinities') }}
),

scores as (
    select * from {{ ref('stg_science__recommendation_scores') }}
    where as_of_date = {{ as_of_date() }}
),

purchases as (
    select
        lines.customer_id,
        lines.product_id,
        products.need,
        products.category,
        lines.order_id,
        lines.order_source,
        max(lines.unit_price) as unit_price,
        max(lines.currency) as currency,
        max(lines.ordered_at) as bought_at
    from {{ ref('fct_order_lines') }} as lines
    inner join {{ ref('fct_orders') }} as orders
        on lines.order_id = orders.order_id and lines.order_source = orders.order_source
    inner join products on lines.product_id = products.product_id
    where lines.customer_id is not null and {{ is_purchase_of_goods('orders', 'lines') }}
    group by
        lines.customer_id, lines.product_id, products.need, products.category, lines.order_id, lines.order_source
),

owned as (
    select distinct
        customer_id,
        product_id
    from purchases
),

last_orders as (
    select *
    from purchases
    qualify rank() over (partition by customer_id order by bought_at desc, order_id, order_source) = 1
),

reach as (
    select
        customer_id,
        currency,
        max(unit_price) * {{ var('up_sell_reach') }} as highest_price
    from purchases
    group by customer_id, currency
),

views as (
    select
        events.customer_id,
        events.product_id,
        products.category,
        events.session_id,
        max(events.occurred_at) as viewed_at
    from {{ ref('int_web_interactions') }} as events
    inner join products on events.product_id = products.product_id
    where events.event_name = 'Product Viewed' and events.customer_id is not null
    group by events.customer_id, events.product_id, products.category, events.session_id
),

visit_times as (
    select
        customer_id,
        session_id,
        max(viewed_at) as last_viewed_at
    from views
    where viewed_at >= {{ before_as_of(var('recommendation_visit_days'), 'day') }}
    group by customer_id, session_id
),

last_visits as (
    select
        customer_id,
        session_id
    from visit_times
    qualify row_number() over (partition by customer_id order by last_viewed_at desc, session_id) = 1
),

last_views as (
    select views.*
    from views
    inner join last_visits
        on views.customer_id = last_visits.customer_id and views.session_id = last_visits.session_id
),

-- Of what somebody has, the product that each score's goes with best
score_sources as (
    select
        scores.customer_id,
        scores.product_id,
        affinities.product_id as with_product_id
    from scores
    inner join affinities on scores.product_id = affinities.other_product_id and affinities.kind = 'also_bought'
    inner join owned on scores.customer_id = owned.customer_id and affinities.product_id = owned.product_id
    qualify row_number() over (
        partition by scores.customer_id, scores.product_id
        order by {{ weight }} desc, affinities.product_id
    ) = 1
),

candidates as (
    select
        scores.customer_id,
        'next' as kind,
        scores.product_id,
        score_sources.with_product_id,
        cast(null as timestamp) as since,
        scores.score,
        scores.method
    from scores
    left join score_sources
        on scores.customer_id = score_sources.customer_id and scores.product_id = score_sources.product_id
    union all
    -- Who has bought nothing: from this visit
    select
        last_views.customer_id,
        'next' as kind,
        affinities.other_product_id as product_id,
        last_views.product_id as with_product_id,
        last_views.viewed_at as since,
        {{ weight }} as score,
        'also_viewed' as method
    from last_views
    inner join affinities on last_views.product_id = affinities.product_id and affinities.kind = 'also_viewed'
    left join last_views as seen
        on last_views.customer_id = seen.customer_id and affinities.other_product_id = seen.product_id
    where last_views.customer_id not in (select customer_id from purchases) and seen.product_id is null
    union all
    select
        last_orders.customer_id,
        'cross_sell' as kind,
        affinities.other_product_id as product_id,
        last_orders.product_id as with_product_id,
        last_orders.bought_at as since,
        {{ weight }} as score,
        'also_bought' as method
    from last_orders
    inner join affinities on last_orders.product_id = affinities.product_id and affinities.kind = 'also_bought'
    inner join products on affinities.other_product_id = products.product_id
    where products.category is distinct from last_orders.category
    union all
    -- Dearer than what they bought last, and within reach of what they paid for anything
    select
        last_orders.customer_id,
        'up_sell' as kind,
        on_sale.product_id,
        last_orders.product_id as with_product_id,
        last_orders.bought_at as since,
        cast(on_sale.order_count as double) as score,
        'price' as method
    from last_orders
    inner join on_sale on last_orders.category = on_sale.category and last_orders.currency = on_sale.currency
    inner join reach on last_orders.customer_id = reach.customer_id and last_orders.currency = reach.currency
    where on_sale.price > last_orders.unit_price and on_sale.price <= reach.highest_price
    union all
    select
        last_views.customer_id,
        'bundle' as kind,
        last_views.product_id,
        affinities.other_product_id as with_product_id,
        last_views.viewed_at as since,
        {{ weight }} as score,
        'also_bought' as method
    from last_views
    inner join affinities on last_views.product_id = affinities.product_id and affinities.kind = 'also_bought'
    union all
    -- From the reminder until as long again has passed
    select
        customer_id,
        'replenish' as kind,
        product_id,
        cast(null as {{ dbt.type_string() }}) as with_product_id,
        last_bought_at as since,
        round(
            cast({{ epoch_micros(as_of()) }} - {{ epoch_micros('last_bought_at') }} as double)
            / 86400000000.0 / interval_days, 6
        ) as score,
        basis as method
    from {{ ref('fct_replenishments') }}
    where
        not is_displeased
        and remind_at <= {{ as_of() }}
        and {{ epoch_micros(as_of()) }} - {{ epoch_micros('due_at') }} < interval_days * 86400000000
),

just_bought as (
    select distinct
        customer_id,
        need
    from purchases
    where bought_at >= {{ before_as_of(var('just_bought_days'), 'day') }}
),

disliked as (
    select distinct
        customer_id,
        product_id
    from {{ ref('int_feedback_resolved') }}
    where
        kind = 'review'
        and score <= {{ var('bad_review_score') }}
        and customer_id is not null
        and product_id is not null
        and occurred_at <= {{ as_of() }}
),

-- A stated size means something where the category has it: 38 is no size of shirts in S, M and L
{%- for measure in ['size', 'fit'] %}
category_{{ measure }}s as (
    select distinct
        category,
        lower({{ measure }}) as word
    from products
    where {{ measure }} is not null
),

stated_{{ measure }}s as (
    select
        customer_id,
        lower({{ measure }}) as word
    from {{ ref('customer_preferences') }}
    where {{ measure }}_evidence_kind = 'stated'
),

unfit_{{ measure }}s as (
    select
        stated.customer_id,
        products.product_id
    from stated_{{ measure }}s as stated
    inner join category_{{ measure }}s as known on stated.word = known.word
    inner join products on known.category = products.category
    where lower(products.{{ measure }}) <> stated.word
),
{%- endfor %}

household_words as (
    select distinct
        product_id,
        {{ word_form('part') }} as word
    from (
        select
            product_id,
            {{ text_parts('for_household', ',') }} as part
        from products
        where for_household is not null
    ) as parts
),

-- What a person said of their household means something where the shop's products use the word
stated_households as (
    select
        customer_id,
        {{ word_form('value') }} as word
    from {{ ref('customer_traits') }}
    where trait = 'household' and evidence_kind = 'stated' and valid_to is null
    qualify row_number() over (
        partition by customer_id
        order by stated_at desc nulls last, source, value
    ) = 1
),

known_households as (
    select * from stated_households
    where word in (select word from household_words)
),

-- Of a bundle both products must be fit to be shown
shown as (
    select
        *,
        product_id as shown_id
    from candidates
    union all
    select
        *,
        with_product_id as shown_id
    from candidates
    where kind = 'bundle'
),

fitting as (
    select shown.*
    from shown
    inner join on_sale on shown.shown_id = on_sale.product_id
    left join owned on shown.customer_id = owned.customer_id and shown.shown_id = owned.product_id
    left join just_bought on shown.customer_id = just_bought.customer_id and on_sale.need = just_bought.need
    left join disliked on shown.customer_id = disliked.customer_id and shown.shown_id = disliked.product_id
    {%- for measure in ['size', 'fit'] %}
    left join unfit_{{ measure }}s
        on shown.customer_id = unfit_{{ measure }}s.customer_id and shown.shown_id = unfit_{{ measure }}s.product_id
    {%- endfor %}
    left join known_households on shown.customer_id = known_households.customer_id
    left join household_words
        on shown.shown_id = household_words.product_id and known_households.word = household_words.word
    where
        (shown.kind = 'replenish' or owned.product_id is null)
        and (shown.kind = 'replenish' or just_bought.need is null)
        and disliked.product_id is null
        and unfit_sizes.product_id is null
        and unfit_fits.product_id is null
        and (
            on_sale.for_household is null
            or known_households.customer_id is null
            or household_words.product_id is not null
        )
    qualify
        count(*) over (
            partition by shown.customer_id, shown.kind, shown.product_id, shown.with_product_id, shown.method
        ) = case shown.kind when 'bundle' then 2 else 1 end
),

best_of_product as (
    select *
    from fitting
    qualify row_number() over (
        partition by customer_id, kind, product_id
        order by score desc, with_product_id, method, shown_id
    ) = 1
),

ranked as (
    select
        *,
        row_number() over (
            partition by customer_id, kind
            order by score desc, product_id
        ) as rank
    from best_of_product
),

backtests as (
    select
        method,
        cast(people as {{ dbt.type_string() }}) as people,
        cast(right_count as {{ dbt.type_string() }}) as right_count,
        is_published
    from {{ ref('rpt_recommendation_backtests') }}
),

final as (
    select
        ranked.customer_id,
        ranked.kind,
        cast(ranked.rank as integer) as rank,
        ranked.product_id,
        ranked.with_product_id,
        ranked.score,
        ranked.method,
        case
            when ranked.kind = 'replenish'
                then shown_products.words || ', bought ' || {{ on_day_in_words('ranked.since') }} || ', will be used up.'
            when ranked.kind = 'cross_sell'
                then 'Often bought with ' || others.words || ', bought ' || {{ on_day_in_words('ranked.since') }} || '.'
            when ranked.kind = 'up_sell'
                then 'Costs more than ' || others.words || ', bought ' || {{ on_day_in_words('ranked.since') }}
                    || ', of the same category.'
            when ranked.kind = 'bundle'
                then shown_products.words || ', looked at ' || {{ on_day_in_words('ranked.since') }}
                    || ', is often bought with ' || others.words || '.'
            when ranked.method = 'also_viewed'
                then 'Often looked at with ' || others.words || ', looked at ' || {{ on_day_in_words('ranked.since') }} || '.'
            when others.words is not null then 'Often bought with ' || others.words || ', which they have.'
            when ranked.method = 'popularity' then 'Bought by many people lately.'
            else 'Bought by people with the same purchases.'
        end as reason,
        case
            when ranked.method in ('cosine', 'lift') and backtests.is_published
                then 'Proven on this shop''s past: of ' || backtests.people || ' buyers ' || backtests.right_count
                    || ' then bought one of the ten products that it named, against ' || popular.right_count
                    || ' for what most people buy.'
            when ranked.method = 'popularity' then 'What most people buy: no finer method is proven better on this shop''s past.'
            when ranked.method in ('also_bought', 'also_viewed')
                then 'Counted: two products more often together than by chance; not tried on the past.'
            when ranked.method = 'price' then 'A rule of category and price; not tried on the past.'
            when ranked.method in ('product', 'category')
                then 'The interval was found in this shop''s own purchases and held on its past.'
            when ranked.method = 'declared' then 'The interval is what the catalogue says; not tried on the past.'
            else 'Not tried on the past.'
        end as proof
    from ranked
    inner join products as shown_products on ranked.product_id = shown_products.product_id
    left join products as others on ranked.with_product_id = others.product_id
    left join backtests on ranked.method = backtests.method
    left join backtests as popular on popular.method = 'popularity'
    where ranked.rank <= {{ var('recommendations_kept') }}
)

select * from final
