{#- Conditions on visits and what was done in them. What was left (cart, browse) is known of the last days only. -#}

{#- How many days recent_interactions holds; it keeps one more. -#}
{% macro recent_days() -%}
    {{ return([var('abandoned_max_days'), var('high_intent_window_days')] | max) }}
{%- endmacro %}

{#- Visits, counted: `visited(exactly=1)`, `visited(at_least=3, within_days=30)`. -#}
{% macro visited() -%}
    {%- set known = {
        'at_least': {'kind': 'count'},
        'at_most': {'kind': 'count'},
        'exactly': {'kind': 'count'},
        'within_days': {'kind': 'days'},
        'marketing_channel': {'kind': 'words', 'of': [
            'direct', 'organic_search', 'paid_search', 'organic_social', 'paid_social', 'email', 'sms', 'push',
            'referral', 'affiliate', 'display', 'other']},
    } -%}
    {%- set given = condition_arguments('visited', known, varargs, kwargs) -%}
    {%- set days = given.get('within_days') -%}
    {%- set where = [] -%}
    {%- if days -%}
        {%- do where.append('started_at >= ' ~ as_of() ~ ' - ' ~ days_sql(days)) -%}
    {%- endif -%}
    {%- if 'marketing_channel' in given -%}
        {%- do where.append('marketing_channel in (' ~ texts_sql(given['marketing_channel']) ~ ')') -%}
    {%- endif -%}
    {%- set sql -%}
        {{ counted_events(
            "select customer_id, session_id as event_id, '' as event_source, started_at as occurred_at,"
            ~ ' cast(started_at as date) as occurred_on from ' ~ ref('fct_web_sessions')
            ~ ' where customer_visit_number is not null and customer_id is not null'
            ~ (' and ' ~ where | join(' and ') if where else ''), given, days
        ) }}
    {%- endset -%}
    {{ return(condition('visited', known, given, 'fct_web_sessions',
        words=counted_in_words(given, 'visit', 'visits')
            ~ (' from ' ~ given['marketing_channel'] | join(' or ') | replace('_', ' ')
                if 'marketing_channel' in given else '')
            ~ within_in_words(days),
        negated=none if given else 'no visit',
        ends_by=counted_ends_by(given, days, 'visit', 'visits'), sql=sql)) }}
{%- endmacro %}

{#- The moment of the last visit. -#}
{% macro last_visit() -%}
    {%- set known = {'within_days': {'kind': 'days'}, 'older_than_days': {'kind': 'days'}} -%}
    {%- set given = condition_arguments('last_visit', known, varargs, kwargs) -%}
    {{ return(condition('last_visit', known, given, 'fct_web_sessions',
        words='the last visit' ~ last_in_words('last_visit', given),
        ends_by=last_ends_by(given, 'visit'),
        sql=last_moment_within(
            'select customer_id, max(started_at) as last_at from ' ~ ref('fct_web_sessions')
            ~ ' where customer_visit_number is not null and customer_id is not null group by customer_id', given))) }}
{%- endmacro %}

{#- What was begun and left, and neither bought nor gone on with since: `abandoned(what='cart', after_hours=24)`.
    browse: a product was viewed, and no cart step since. cart: a cart step, something is left in it.
    browse_or_cart: a product was viewed or put in the cart. No order since the step, in none of them. -#}
{% macro abandoned() -%}
    {%- set known = {
        'what': {'kind': 'word', 'of': ['browse', 'cart', 'browse_or_cart'], 'required': true},
        'after_hours': {'kind': 'hours', 'default': var('abandoned_min_hours'), 'max': recent_days() * 24},
        'within_days': {'kind': 'days', 'default': var('abandoned_max_days'), 'max': recent_days()},
    } -%}
    {%- set given = condition_arguments('abandoned', known, varargs, kwargs) -%}
    {%- set what = given['what'] -%}
    {%- set sql -%}
        select
            steps.customer_id,
            {{ product_in_words('steps.product_name', 'steps.sku') }} as value,
            '{{ given['after_hours'] }} hours to {{ given['within_days'] }} days ago' as threshold,
            steps.occurred_at + interval '{{ given['after_hours'] }}' hour as since,
            steps.occurred_at + interval '{{ given['within_days'] }}' day as ends_at
        from ({{ {
            'browse': last_web_steps(['Product Viewed']),
            'browse_or_cart': last_web_steps(['Product Viewed', 'Product Added']),
            'cart': last_cart_steps(),
        }[what] }}) as steps
        {%- if what == 'browse' %}
        left join (
            select
                customer_id,
                max(occurred_at) as last_cart_at
            from {{ ref('recent_interactions') }}
            where is_cart_event
            group by customer_id
        ) as carts
            on steps.customer_id = carts.customer_id and steps.occurred_at <= carts.last_cart_at
        {%- elif what == 'cart' %}
        left join (
            select
                customer_id,
                count(*) filter (where event_name = 'Product Added') as product_count
            from ({{ last_cart_words() }}) as products
            group by customer_id
        ) as contents
            on steps.customer_id = contents.customer_id
        {%- endif %}
        where
            steps.is_after_last_order
            and steps.occurred_at >= {{ before_as_of(given['within_days'], 'day') }}
            and steps.occurred_at <= {{ before_as_of(given['after_hours'], 'hour') }}
            {%- if what == 'browse' %}
            and carts.customer_id is null
            {%- elif what == 'cart' %}
            -- An emptied cart is a decision, not an accident.
            and (contents.customer_id is null or contents.product_count > 0)
            {%- endif %}
    {%- endset -%}
    {{ return(condition('abandoned', known, given, 'recent_interactions',
        words={
            'browse': 'looked at a product and put none in the cart since',
            'cart': 'left products in the cart',
            'browse_or_cart': 'looked at a product or put one in the cart',
        }[what] ~ ', at least ' ~ hours_in_words(given['after_hours']) ~ ' ago, without an order since',
        ends_by='when that is too long ago, or with an order', sql=sql)) }}
{%- endmacro %}

{#- The last web event of these kinds, one row per person. -#}
{% macro last_web_steps(events) -%}
    select *
    from {{ ref('recent_interactions') }}
    where event_name in ({{ texts_sql(events) }})
    qualify row_number() over (partition by customer_id order by occurred_at desc, event_id desc) = 1
{%- endmacro %}

{#- The last step of a cart since the last order, one row per person. -#}
{% macro last_cart_steps() -%}
    select *
    from {{ ref('recent_interactions') }}
    where is_cart_event and is_after_last_order
    qualify row_number() over (partition by customer_id order by occurred_at desc, event_id desc) = 1
{%- endmacro %}

{#- The last word on each product of a cart since the last order: taken out again, or still in. -#}
{% macro last_cart_words() -%}
    select *
    from {{ ref('recent_interactions') }}
    where
        is_cart_event
        and is_after_last_order
        and event_name in ('Product Added', 'Product Removed')
        and product_key is not null
    qualify row_number() over (
        partition by customer_id, product_key
        order by occurred_at desc, event_id desc
    ) = 1
{%- endmacro %}

{#- Opened or clicked an email, then viewed so many products, all in the last days; no order since. An open alone
    decides nothing: `viewed_after_email(at_least=2, within_days=7)`. -#}
{% macro viewed_after_email() -%}
    {%- set known = {
        'at_least': {'kind': 'count', 'default': var('high_intent_min_product_views')},
        'within_days': {'kind': 'days', 'default': var('high_intent_window_days'), 'max': recent_days()},
    } -%}
    {%- set given = condition_arguments('viewed_after_email', known, varargs, kwargs) -%}
    {%- set sql -%}
        select
            customer_id,
            cast(count(distinct product_key) as {{ dbt.type_string() }}) as value,
            {{ at_least_sql(given['at_least']) }} as threshold,
            min(occurred_at) as since,
            min(touched_at) + interval '{{ given['within_days'] }}' day as ends_at
        from ({{ views_after_email(given['within_days']) }}) as views
        group by customer_id
        having count(distinct product_key) >= {{ count_sql(given['at_least']) }}
    {%- endset -%}
    {{ return(condition('viewed_after_email', known, given, 'recent_interactions',
        words='opened or clicked an email, then viewed at least '
            ~ number_in_words(given['at_least'], 'product', 'products') ~ within_in_words(given['within_days'])
            ~ ', without an order since',
        ends_by='when that is too long ago, or with an order', sql=sql)) }}
{%- endmacro %}

{#- Views of products after the first open or click of an email, each of the last days and after the last order. -#}
{% macro views_after_email(days) -%}
    select
        views.*,
        moments.touched_at,
        moments.has_clicked
    from (
        select
            touches.customer_id,
            min(touches.touched_at) as touched_at,
            bool_or(touches.is_click) as has_clicked
        from (
            select
                customer_id,
                opened_at as touched_at,
                false as is_click
            from {{ ref('fct_messages') }}
            where channel = 'email' and opened_at >= {{ before_as_of(days, 'day') }}
            union all
            select
                customer_id,
                clicked_at as touched_at,
                true as is_click
            from {{ ref('fct_messages') }}
            where channel = 'email' and clicked_at >= {{ before_as_of(days, 'day') }}
        ) as touches
        inner join (
            select distinct
                customer_id,
                last_order_at
            from {{ ref('recent_interactions') }}
            where event_name = 'Product Viewed' and is_after_last_order
        ) as viewers
            on touches.customer_id = viewers.customer_id
        where viewers.last_order_at is null or viewers.last_order_at < touches.touched_at
        group by touches.customer_id
    ) as moments
    inner join {{ ref('recent_interactions') }} as views
        on moments.customer_id = views.customer_id and moments.touched_at <= views.occurred_at
    where views.event_name = 'Product Viewed' and views.is_after_last_order
{%- endmacro %}

{#- Anything of the timeline, counted: `did(what='review', within_days=30)`, by its kind in fct_interactions: reviews,
    referrals, searches, wishlists, vouchers, sign-ups, events of the shop's own. -#}
{% macro did() -%}
    {%- set known = {
        'what': {'kind': 'texts', 'required': true}, 'channel': {'kind': 'texts'}, 'product': {'kind': 'texts'},
        'at_least': {'kind': 'count'}, 'at_most': {'kind': 'count'}, 'exactly': {'kind': 'count'},
        'within_days': {'kind': 'days'},
    } -%}
    {%- set given = condition_arguments('did', known, varargs, kwargs) -%}
    {%- set days = given.get('within_days') -%}
    {%- set where = ['kind in (' ~ texts_sql(given['what']) ~ ')'] -%}
    {%- for name, column in [('channel', 'channel'), ('product', 'product_id')] if name in given -%}
        {%- do where.append(column ~ ' in (' ~ texts_sql(given[name]) ~ ')') -%}
    {%- endfor -%}
    {%- if days -%}
        {%- do where.append(since_days('occurred_at', days)) -%}
    {%- endif -%}
    {%- set told = given['what'] | join(' or ') | replace('_', ' ') -%}
    {{ return(condition('did', known, given, 'fct_interactions',
        words=counted_in_words(given, 'time', 'times') ~ ': ' ~ told ~ within_in_words(days),
        ends_by=counted_ends_by(given, days, 'of these', 'of these'),
        sql=counted_events(
            "select customer_id, interaction_id as event_id, '' as event_source, occurred_at,"
            ~ ' cast(occurred_at as date) as occurred_on from ' ~ ref('fct_interactions') ~ ' where '
            ~ where | join(' and '), given, days))) }}
{%- endmacro %}

{#- The last checkout that was left, one row per person. -#}
{% macro last_left_checkouts() -%}
    select
        checkouts.*,
        changed_at as left_at
    from {{ ref('fct_checkouts') }} as checkouts
    where is_abandoned and customer_id is not null
    qualify row_number() over (partition by customer_id order by changed_at desc, checkout_id) = 1
{%- endmacro %}

{#- A product was put on the wishlist, is still on it, and they did not buy it since: `left_wishlist(after_hours=24)`. -#}
{% macro left_wishlist() -%}
    {%- set known = {
        'after_hours': {'kind': 'hours', 'default': 24, 'max': 2160},
        'within_days': {'kind': 'days', 'default': 30, 'max': 90},
    } -%}
    {%- set given = condition_arguments('left_wishlist', known, varargs, kwargs) -%}
    {%- set sql = left_within(last_wishes(), given) -%}
    {{ return(condition('left_wishlist', known, given, 'fct_interactions',
        words='put a product on the wishlist, at least ' ~ hours_in_words(given['after_hours'])
            ~ ' ago, and has not bought it since',
        ends_by='when that is too long ago, when they buy it or take it off', sql=sql)) }}
{%- endmacro %}

{#- The last product that is on a wishlist and was not bought since, one row per person. -#}
{% macro last_wishes() -%}
    select
        wishes.customer_id,
        wishes.product_id,
        wishes.occurred_at as left_at,
        products.product_name,
        products.sku,
        products.category,
        products.price
    from (
        select
            customer_id,
            product_id,
            kind,
            occurred_at
        from {{ ref('fct_interactions') }}
        where
            kind in ('product_added_to_wishlist', 'product_removed_from_wishlist')
            and product_id is not null
            and occurred_at >= {{ before_as_of(90, 'day') }}
        qualify row_number() over (
            partition by customer_id, product_id order by occurred_at desc, interaction_id desc
        ) = 1
    ) as wishes
    inner join {{ ref('dim_products') }} as products on wishes.product_id = products.product_id
    left join ({{ last_purchases_of_products() }}) as purchases
        on
            wishes.customer_id = purchases.customer_id
            and wishes.product_id = purchases.product_id
            and wishes.occurred_at <= purchases.bought_at
    where wishes.kind = 'product_added_to_wishlist' and purchases.customer_id is null
    qualify row_number() over (
        partition by wishes.customer_id order by wishes.occurred_at desc, wishes.product_id
    ) = 1
{%- endmacro %}

{#- Whoever left something (customer_id, product_name, sku, left_at) so many hours to so many days ago. -#}
{% macro left_within(steps, given) -%}
    {{ return('select customer_id, ' ~ product_in_words('product_name', 'sku') ~ ' as value, '
        ~ "'" ~ given['after_hours'] ~ ' hours to ' ~ given['within_days'] ~ " days ago' as threshold, "
        ~ "left_at + interval '" ~ given['after_hours'] ~ "' hour as since, "
        ~ "left_at + interval '" ~ given['within_days'] ~ "' day as ends_at "
        ~ 'from (' ~ steps ~ ') as steps'
        ~ ' where left_at >= ' ~ before_as_of(given['within_days'], 'day')
        ~ ' and left_at <= ' ~ before_as_of(given['after_hours'], 'hour')) }}
{%- endmacro %}

{#- The last search found nothing, and neither product nor order followed: `searched_in_vain(within_days=3)`. -#}
{% macro searched_in_vain() -%}
    {%- set known = {'within_days': {'kind': 'days', 'default': var('abandoned_max_days'), 'max': recent_days()}} -%}
    {%- set given = condition_arguments('searched_in_vain', known, varargs, kwargs) -%}
    {%- set days = given['within_days'] -%}
    {%- set sql -%}
        select
            searches.customer_id,
            'found nothing' as value,
            {{ segment_text('within ' ~ days ~ ' days') }} as threshold,
            searches.searched_at as since,
            searches.searched_at + {{ days_sql(days) }} as ends_at
        from {{ ref('recent_searches') }} as searches
        left join (
            select
                customer_id,
                max(occurred_at) as last_step_at
            from {{ ref('recent_interactions') }}
            group by customer_id
        ) as steps
            on searches.customer_id = steps.customer_id and searches.searched_at <= steps.last_step_at
        where
            searches.result_count = 0
            and searches.is_last
            and searches.searched_at >= {{ before_as_of(days, 'day') }}
            and steps.customer_id is null
    {%- endset -%}
    {{ return(condition('searched_in_vain', known, given, 'recent_searches',
        words='searched and found nothing' ~ within_in_words(days) ~ ', and looked at no product since',
        ends_by='when that is too long ago, or with a product that they look at or order', sql=sql)) }}
{%- endmacro %}
