{#-
    What is known of people beside their contact fields, as a tall table, so that a trait may be called whatever a
    shop calls it. Facts that disagree stand side by side. A statement ends where the same source states another
    value of a trait that has one value at a time.
-#}
{%- set text = dbt.type_string() %}
{%- set most = var('traits_max_values') %}

with lists as (
    select
        *,
        case contact_source
            when 'contacts' then concat_ws(':', 'contacts', {{ plain_code('source') }}) else contact_source
        end as stated_by,
        coalesce(updated_at, created_at) as told_at
    from {{ ref('int_contacts_resolved') }}
    where customer_id is not null
),

orders as (
    select * from {{ ref('fct_orders') }}
    where customer_id is not null and status <> 'test'
),

statements as (
    {%- for trait, value in {
        'gender': plain_claim('gender'), 'job': plain_claim('job'), 'timezone': plain_claim('timezone'),
        'country': 'country_code', 'loyalty_tier': plain_claim('loyalty_tier'),
        'preferred_channel': plain_code('preferred_channel'),
        'birthday': 'substr(cast(birthday as ' ~ text ~ '), 6)',
        'birth_year': 'substr(cast(birthday as ' ~ text ~ '), 1, 4)',
    }.items() %}
    select
        customer_id,
        '{{ trait }}' as trait,
        {{ value }} as value,
        {%- if trait in ['timezone', 'country'] %}
        -- The mail system works out where somebody is from where they open and click
        case stated_by when 'klaviyo' then 'inferred' else 'stated' end as evidence_kind,
        {%- else %}
        'stated' as evidence_kind,
        {%- endif %}
        stated_by as source,
        told_at as stated_at,
        contact_key as record_order
    from lists
    union all
    {%- endfor %}
    select
        customer_id,
        trait,
        value,
        'stated' as evidence_kind,
        concat_ws(':', contact_source, {{ plain_code('source') }}) as source,
        created_at as stated_at,
        concat_ws('|', _dlt_load_id, lpad(cast(_line as {{ text }}), 12, '0'), contact_key) as record_order
    from {{ ref('int_contact_attributes') }}
    union all
    select
        customer_id,
        trait,
        value,
        'stated' as evidence_kind,
        source,
        stated_at,
        record_order
    from {{ ref('int_stated_answers') }}
    union all
    -- What they say an order is for; whom it is for is nobody's business here
    select
        customer_id,
        'buys_gifts' as trait,
        'yes' as value,
        'stated' as evidence_kind,
        'orders' as source,
        ordered_at as stated_at,
        order_id as record_order
    from orders
    where is_gift
    union all
    select
        customer_id,
        'buys_gifts_for' as trait,
        occasion as value,
        'stated' as evidence_kind,
        'orders' as source,
        ordered_at as stated_at,
        order_id as record_order
    from orders
    where is_gift and occasion is not null
),

seed as (
    select * from {{ ref('traits') }}
),

described as (
    select
        statements.*,
        coalesce(seed.is_single, true) as is_single
    from statements
    left join seed on statements.trait = seed.trait
    where statements.value is not null and statements.value <> ''
),

in_order as (
    select
        *,
        row_number() over by_time as place,
        row_number() over (
            partition by customer_id, trait, evidence_kind, source, value
            order by stated_at nulls first, record_order, value
        ) as place_of_value
    from described
    window by_time as (
        partition by customer_id, trait, evidence_kind, source
        order by stated_at nulls first, record_order, value
    )
),

-- A value that was stated several times in a row was stated once, until the last time
in_turn as (
    select
        customer_id,
        trait,
        value,
        evidence_kind,
        source,
        is_single,
        min(place) as place,
        min(stated_at) as valid_from,
        max(stated_at) as stated_at
    from in_order
    -- Of a trait with several values at a time each stands for itself
    group by
        customer_id, trait, value, evidence_kind, source, is_single,
        case when is_single then place - place_of_value else 0 end
),

stated as (
    select
        customer_id,
        trait,
        value,
        evidence_kind,
        source,
        valid_from,
        stated_at,
        case
            when is_single and lead(value) over by_turn is not null
                then coalesce(lead(valid_from) over by_turn, stated_at)
        end as valid_to,
        cast(null as decimal(9, 4)) as score
    from in_turn
    window by_turn as (partition by customer_id, trait, evidence_kind, source order by place, value)
),

kept_orders as (
    select
        orders.*,
        {{ plain_words('orders_resolved.city') }} as city,
        cast({{ shop_hour('orders.ordered_at') }} as {{ text }}) as shop_hour,
        {{ shop_weekday('orders.ordered_at') }} as shop_weekday
    from orders
    inner join {{ ref('int_orders_resolved') }} as orders_resolved
        on orders.order_id = orders_resolved.order_id and orders.order_source = orders_resolved.order_source
    where orders.is_kept
),

bought as (
    select
        lines.*,
        products.size,
        products.colour,
        products.fit
    from {{ ref('fct_order_lines') }} as lines
    inner join kept_orders
        on lines.order_id = kept_orders.order_id and lines.order_source = kept_orders.order_source
    left join {{ ref('dim_products') }} as products on lines.product_id = products.product_id
    where not lines.is_return_line and lines.quantity - coalesce(lines.returned_quantity, 0) > 0
),

-- A piece that came back was not worth its price to them
kept_pieces as (
    select * from bought
    where net_sales_shop is not null and coalesce(returned_quantity, 0) = 0
),

viewed as (
    select
        interactions.customer_id,
        interactions.occurred_at,
        products.category
    from {{ ref('fct_interactions') }} as interactions
    inner join {{ ref('dim_products') }} as products on interactions.product_id = products.product_id
    where interactions.kind = 'product_viewed'
),

visits as (
    select
        *,
        cast({{ shop_hour('started_at') }} as {{ text }}) as shop_hour,
        {{ shop_weekday('started_at') }} as shop_weekday
    from {{ ref('fct_web_sessions') }}
    where customer_visit_number is not null
),

sendings as (
    select
        *,
        case when ships_elsewhere then 'yes' else 'no' end as sends_elsewhere
    from kept_orders
    where ships_elsewhere is not null
),

searches as (
    select
        interactions.customer_id,
        interactions.occurred_at,
        words.category
    from {{ ref('fct_interactions') }} as interactions
    inner join {{ ref('int_search_categories') }} as words
        on {{ json_text('interactions.detail', '$.query') }} = words.query
    where interactions.kind = 'products_searched'
),

places as (
    select
        customer_id,
        occurred_at as started_at,
        city
    from {{ ref('fct_interactions') }}
    where kind = 'visit' and city is not null
),

observations as (
    {%- for trait, value, rows, moment, source in [
        ('bought_category', 'category', 'bought', 'ordered_at', 'orders'),
        ('bought_brand', 'brand', 'bought', 'ordered_at', 'orders'),
        ('bought_size', 'size', 'bought', 'ordered_at', 'orders'),
        ('bought_colour', 'colour', 'bought', 'ordered_at', 'orders'),
        ('bought_fit', 'fit', 'bought', 'ordered_at', 'orders'),
        ('bought_hour', 'shop_hour', 'kept_orders', 'ordered_at', 'orders'),
        ('bought_weekday', 'shop_weekday', 'kept_orders', 'ordered_at', 'orders'),
        ('bought_city', 'city', 'kept_orders', 'ordered_at', 'orders'),
        ('viewed_category', 'category', 'viewed', 'occurred_at', 'web'),
        ('searched_category', 'category', 'searches', 'occurred_at', 'web'),
        ('sends_elsewhere', 'sends_elsewhere', 'sendings', 'ordered_at', 'orders'),
        ('store', 'store_id', 'kept_orders', 'ordered_at', 'orders'),
        ('country', 'country_code', 'kept_orders', 'ordered_at', 'orders'),
        ('device_kind', 'device_type', 'visits', 'started_at', 'web'),
        ('visited_hour', 'shop_hour', 'visits', 'started_at', 'web'),
        ('visited_weekday', 'shop_weekday', 'visits', 'started_at', 'web'),
        ('visited_city', 'city', 'places', 'started_at', 'web'),
    ] %}
    select
        customer_id,
        '{{ trait }}' as trait,
        {{ value }} as value,
        '{{ source }}' as source,
        count(*) as times,
        min({{ moment }}) as first_at,
        max({{ moment }}) as last_at
    from {{ rows }}
    where {{ value }} is not null
    group by customer_id, {{ value }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

observed as (
    select
        customer_id,
        trait,
        value,
        'observed' as evidence_kind,
        source,
        first_at as valid_from,
        last_at as stated_at,
        cast(null as timestamp) as valid_to,
        cast(times * 1.0 / sum(times) over (partition by customer_id, trait) as decimal(9, 4)) as score
    from observations
    qualify row_number() over (
        partition by customer_id, trait order by times desc, last_at desc, value
    ) <= {{ most }}
),

-- What people usually spend, and the most for one piece, in the shop's currency
spending as (
    {%- for trait, amount, rows in [
        ('usual_order_value', 'percentile_disc(0.5) within group (order by net_sales_shop + returns_shop)', 'kept_orders'),
        ('highest_price_paid', 'max(cast(net_sales_shop / quantity as decimal(18, 4)))', 'kept_pieces'),
    ] %}
    select
        customer_id,
        '{{ trait }}' as trait,
        {{ money_in_words(amount, "'" ~ var('shop_currency') ~ "'") }} as value,
        'observed' as evidence_kind,
        'orders' as source,
        min(ordered_at) as valid_from,
        max(ordered_at) as stated_at,
        cast(null as timestamp) as valid_to,
        cast(null as decimal(9, 4)) as score
    from {{ rows }}
    where net_sales_shop > 0
    group by customer_id
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

-- Where somebody left off: the product looked at last, and what lies in the cart since the last order
steps as (
    select
        interactions.customer_id,
        interactions.product_id,
        max(interactions.occurred_at) filter (where interactions.kind = 'product_viewed') as viewed_at,
        max(interactions.occurred_at) filter (where interactions.kind = 'product_added') as added_at,
        max(interactions.occurred_at) filter (where interactions.kind = 'product_removed') as removed_at
    from {{ ref('fct_interactions') }} as interactions
    inner join {{ ref('dim_products') }} as products on interactions.product_id = products.product_id
    where
        interactions.kind in ('product_viewed', 'product_added', 'product_removed')
        and interactions.occurred_at > {{ before_as_of(var('resume_days'), 'day') }}
    group by interactions.customer_id, interactions.product_id
),

last_orders as (
    select
        customer_id,
        max(ordered_at) as ordered_at
    from orders
    where is_kept
    group by customer_id
),

left_off as (
    select
        steps.*,
        row_number() over (
            partition by steps.customer_id order by steps.viewed_at desc nulls last, steps.product_id
        ) as place,
        steps.added_at > coalesce(greatest(steps.removed_at, last_orders.ordered_at), timestamp '1900-01-01 00:00:00')
            as is_in_cart
    from steps
    left join last_orders on steps.customer_id = last_orders.customer_id
),

resuming as (
    {%- for trait, moment, condition in [
        ('last_viewed_product', 'viewed_at', 'place = 1 and viewed_at is not null'),
        ('cart_product', 'added_at', 'is_in_cart'),
    ] %}
    select
        customer_id,
        '{{ trait }}' as trait,
        product_id as value,
        'observed' as evidence_kind,
        'web' as source,
        {{ moment }} as valid_from,
        {{ moment }} as stated_at,
        cast(null as timestamp) as valid_to,
        cast(null as decimal(9, 4)) as score
    from left_off
    where {{ condition }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

-- An interest holds from the first date at whose end it was among the strongest to the first at which it was not
in_a_row as (
    select
        *,
        date_number - row_number() over (
            partition by customer_id, interest_kind, interest order by date_number, interest
        ) as turn
    from {{ ref('int_interests_dated') }}
    where interest_rank <= {{ most }}
),

turns as (
    select
        customer_id,
        interest_kind,
        interest,
        min(date_number) as first_number,
        max(date_number) as last_number,
        max(last_signal_at) as last_signal_at
    from in_a_row
    group by customer_id, interest_kind, interest, turn
),

interests as (
    select
        turns.customer_id,
        concat_ws('_', 'interest', turns.interest_kind) as trait,
        turns.interest as value,
        'inferred' as evidence_kind,
        'customer_interests' as source,
        {{ date_of_number('turns.first_number') }} as valid_from,
        turns.last_signal_at as stated_at,
        {{ date_of_number('turns.last_number + 1') }} as valid_to,
        cast(dated.score as decimal(9, 4)) as score
    from turns
    inner join in_a_row as dated
        on
            turns.customer_id = dated.customer_id
            and turns.interest_kind = dated.interest_kind
            and turns.interest = dated.interest
            and turns.last_number = dated.date_number
),

all_traits as (
    select * from stated
    union all
    select * from observed
    union all
    select * from spending
    union all
    select * from resuming
    union all
    select * from interests
),

occasions as (
    select
        occasion,
        max(sensitivity) as sensitivity
    from {{ ref('occasions') }}
    group by occasion
),

names as (
    select
        trait,
        ' ' || {{ fold_accents("replace(trait, '_', ' ')") }} || ' ' as words
    from all_traits
    group by trait
),

sensitive_words as (
    select
        case
            when word like '%*' then '% ' || replace(word, '*', '') || '%'
            else '% ' || word || ' %'
        end as pattern
    from {{ ref('flagged_words') }}
    union all
    select '% ' || {{ fold_accents("replace(trait, '_', ' ')") }} || ' %' as pattern
    from seed
    where sensitivity = 'sensitive'
),

-- A name of the shop's own, such as hiv_status, is as sensitive as its words
flagged as (
    select distinct names.trait
    from names
    inner join sensitive_words on names.words like sensitive_words.pattern
),

final as (
    select
        all_traits.customer_id,
        all_traits.trait,
        all_traits.value,
        all_traits.evidence_kind,
        case
            when all_traits.trait = 'buys_gifts_for' and occasions.sensitivity = 'sensitive' then 'sensitive'
            when seed.trait is null and flagged.trait is not null then 'sensitive'
            else coalesce(seed.sensitivity, 'personal')
        end as sensitivity,
        all_traits.source,
        all_traits.valid_from,
        all_traits.stated_at,
        all_traits.valid_to,
        all_traits.score
    from all_traits
    left join seed on all_traits.trait = seed.trait
    left join flagged on all_traits.trait = flagged.trait
    left join occasions on all_traits.value = occasions.occasion
)

select * from final
