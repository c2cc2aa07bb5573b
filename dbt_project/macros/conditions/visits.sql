{#- Conditions on all visits ever, and how far people came in them. -#}

{#- How far they ever came in a visit, the last time: `reached(step='cart', within_days=30)`. -#}
{% macro reached() -%}
    {%- set columns = {
        'product': 'last_product_view_at', 'wishlist': 'first_wishlist_at', 'cart': 'last_cart_at',
        'checkout': 'first_checkout_at',
    } -%}
    {%- set known = {
        'step': {'kind': 'word', 'of': columns | list, 'required': true},
        'within_days': {'kind': 'days'},
        'older_than_days': {'kind': 'days'},
    } -%}
    {%- set given = condition_arguments('reached', known, varargs, kwargs) -%}
    {%- set is_dated = 'within_days' in given or 'older_than_days' in given -%}
    {%- set step = {
        'product': 'looked at a product', 'wishlist': 'saved a product', 'cart': 'put a product in the cart',
        'checkout': 'began a checkout',
    }[given['step']] -%}
    {{ return(condition('reached', known, given, 'fct_web_sessions',
        words=step ~ (', the last time' ~ last_in_words('reached', given) if is_dated else ''),
        ends_by=last_ends_by(given, 'time') if is_dated else 'never',
        sql=last_moment_within(
            'select customer_id, max(' ~ columns[given['step']] ~ ') as last_at from ' ~ ref('fct_web_sessions')
            ~ ' where customer_visit_number is not null and customer_id is not null group by customer_id', given))) }}
{%- endmacro %}

{#- Looks at products, over all visits of the last days: `viewed_products(at_least=5, within_days=180)`. -#}
{% macro viewed_products() -%}
    {%- set known = {
        'at_least': {'kind': 'count', 'default': 1},
        'at_most': {'kind': 'count'},
        'within_days': {'kind': 'days'},
    } -%}
    {%- set given = condition_arguments('viewed_products', known, varargs, kwargs) -%}
    {%- set days = given.get('within_days') -%}
    {%- set sql -%}
        select
            customer_id,
            cast(sum(product_view_count) as {{ dbt.type_string() }}) as value,
            {{ segment_text(counted_in_words(given, '', '') | trim) }} as threshold,
            max(started_at) as since,
            {{ 'max(started_at) + ' ~ days_sql(days) if days else 'cast(null as timestamp)' }} as ends_at
        from {{ ref('fct_web_sessions') }}
        where
            customer_visit_number is not null
            and customer_id is not null
            and product_view_count > 0
            {%- if days %}
            and started_at >= {{ as_of() }} - {{ days_sql(days) }}
            {%- endif %}
        group by customer_id
        having {{ range_where('sum(product_view_count)', given) | join(' and ') }}
    {%- endset -%}
    {{ return(condition('viewed_products', known, given, 'fct_web_sessions',
        words=counted_in_words(given, 'look at products', 'looks at products') ~ within_in_words(days),
        ends_by='at the latest, when too few looks are of those days' if days else 'never', sql=sql)) }}
{%- endmacro %}

{#- Where their first visit came from: `first_came_from(marketing_channel='paid_social')`. -#}
{% macro first_came_from() -%}
    {%- set known = {'marketing_channel': {'kind': 'words', 'required': true, 'of': [
        'direct', 'organic_search', 'paid_search', 'organic_social', 'paid_social', 'email', 'sms', 'push',
        'referral', 'affiliate', 'display', 'other']}} -%}
    {%- set given = condition_arguments('first_came_from', known, varargs, kwargs) -%}
    {%- set named = given['marketing_channel'] | join(' or ') | replace('_', ' ') -%}
    {%- set sql -%}
        select
            customer_id,
            marketing_channel as value,
            {{ segment_text(named) }} as threshold,
            started_at as since,
            cast(null as timestamp) as ends_at
        from {{ ref('fct_web_sessions') }}
        where customer_visit_number = 1 and marketing_channel in ({{ texts_sql(given['marketing_channel']) }})
    {%- endset -%}
    {{ return(condition('first_came_from', known, given, 'fct_web_sessions',
        words='first came from ' ~ named, ends_by='never: a first visit stays the first', sql=sql)) }}
{%- endmacro %}
