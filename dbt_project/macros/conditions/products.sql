{#- Conditions on products: bought, looked at, to be shown, left in the checkout. What became of their price and stock is in
    wishes.sql, what is used up in replenishment.sql. -#}

{#- Goods that were bought in kept orders, whether or not they came back: `bought(category='Kitchen', within_days=90)`. -#}
{% macro bought() -%}
    {%- set known = {
        'category': {'kind': 'texts'}, 'brand': {'kind': 'texts'}, 'product': {'kind': 'texts'}, 'sku': {'kind': 'texts'},
        'at_least': {'kind': 'count', 'default': 1}, 'within_days': {'kind': 'days'},
    } -%}
    {%- set given = condition_arguments('bought', known, varargs, kwargs) -%}
    {%- set where = [] -%}
    {%- for name, column in [
        ('category', 'category'), ('brand', 'brand'), ('product', 'product_id'), ('sku', 'sku')] if name in given -%}
        {%- do where.append('lines.' ~ column ~ ' in (' ~ texts_sql(given[name]) ~ ')') -%}
    {%- endfor -%}
    {%- if 'within_days' in given -%}
        {%- do where.append(days_until_as_of('orders.ordered_date') ~ ' <= ' ~ count_sql(given['within_days'])) -%}
    {%- endif -%}
    {%- set events -%}
        select
            orders.customer_id,
            lines.order_line_id as event_id,
            lines.order_source as event_source,
            orders.ordered_at as occurred_at,
            orders.ordered_date as occurred_on
        from {{ ref('fct_order_lines') }} as lines
        inner join {{ ref('fct_orders') }} as orders
            on
                lines.customer_id = orders.customer_id
                and lines.order_id = orders.order_id
                and lines.order_source = orders.order_source
        where
            orders.customer_id is not null
            and {{ is_purchase_of_goods('orders', 'lines') }}
            {{ 'and ' ~ where | join(' and ') if where }}
    {%- endset -%}
    {{ return(condition('bought', known, given, 'fct_order_lines',
        words='bought ' ~ product_in_condition(given) ~ (
            ' at least ' ~ given['at_least'] ~ ' times' if given['at_least'] != 1 else '')
            ~ within_in_words(given.get('within_days')),
        ends_by=counted_ends_by(given, given.get('within_days'), 'purchase', 'purchases'),
        sql=counted_events(events, given, given.get('within_days')))) }}
{%- endmacro %}

{% macro product_in_condition(given) -%}
    {%- set parts = [] -%}
    {%- for name in ['product', 'sku', 'category', 'brand'] if name in given -%}
        {%- do parts.append('the ' ~ name ~ ' ' ~ given[name] | join(' or ')) -%}
    {%- endfor -%}
    {{ return(parts | join(', ') or 'anything') }}
{%- endmacro %}

{#- Looked at products in the last days: `viewed(category='Kitchen', at_least=2)`. Different products are counted. -#}
{% macro viewed() -%}
    {%- set known = {
        'category': {'kind': 'texts'}, 'product': {'kind': 'texts'}, 'sku': {'kind': 'texts'},
        'at_least': {'kind': 'count', 'default': 1},
        'within_days': {'kind': 'days', 'default': recent_days(), 'max': recent_days()},
        'not_ordered_since': {'kind': 'flag', 'default': false},
    } -%}
    {%- set given = condition_arguments('viewed', known, varargs, kwargs) -%}
    {%- set where = ["event_name = 'Product Viewed'", since_days('occurred_at', given['within_days'])] -%}
    {%- for name, column in [('category', 'category'), ('product', 'product_id'), ('sku', 'sku')] if name in given -%}
        {%- do where.append(column ~ ' in (' ~ texts_sql(given[name]) ~ ')') -%}
    {%- endfor -%}
    {%- if given['not_ordered_since'] -%}
        {%- do where.append('is_after_last_order') -%}
    {%- endif -%}
    {%- set sql -%}
        select
            customer_id,
            cast(count(distinct product_key) as {{ dbt.type_string() }}) as value,
            {{ at_least_sql(given['at_least']) }} as threshold,
            max(occurred_at) as since,
            max(occurred_at) + {{ days_sql(given['within_days']) }} as ends_at
        from {{ ref('recent_interactions') }}
        where {{ where | join(' and ') }}
        group by customer_id
        having count(distinct product_key) >= {{ count_sql(given['at_least']) }}
    {%- endset -%}
    {{ return(condition('viewed', known, given, 'recent_interactions',
        words='looked at ' ~ product_in_condition(given) ~ within_in_words(given['within_days'])
            ~ (', without an order since' if given['not_ordered_since'] else ''),
        ends_by='when that is too long ago', sql=sql)) }}
{%- endmacro %}

{#- There is a product to show them: `recommended(kind='cross_sell')`. -#}
{% macro recommended() -%}
    {%- set known = {'kind': {
        'kind': 'word', 'of': ['next', 'cross_sell', 'up_sell', 'replenish', 'bundle'], 'required': true}} -%}
    {%- set given = condition_arguments('recommended', known, varargs, kwargs) -%}
    {{ return(condition('recommended', known, given, 'fct_recommendations',
        words='there is a product to show them (' ~ given['kind'] | replace('_', ' ') ~ ')',
        ends_by='when they buy it',
        sql=rows_of(ref('fct_recommendations'), ["kind = '" ~ given['kind'] ~ "'", 'rank = 1'], value='product_id'))) }}
{%- endmacro %}

{#- A checkout that was begun and left: `left_checkout(after_hours=1)`. -#}
{% macro left_checkout() -%}
    {%- set known = {
        'after_hours': {'kind': 'hours', 'default': var('abandoned_min_hours')},
        'within_days': {'kind': 'days', 'default': var('abandoned_max_days')},
    } -%}
    {%- set given = condition_arguments('left_checkout', known, varargs, kwargs) -%}
    {{ return(condition('left_checkout', known, given, 'fct_checkouts',
        words='left the checkout at least ' ~ hours_in_words(given['after_hours']) ~ ' ago, without an order since',
        ends_by='when that is too long ago, or with an order',
        sql=latest_of(ref('fct_checkouts'), [
                'is_abandoned', 'customer_id is not null', since_days('changed_at', given['within_days']),
                'changed_at <= ' ~ before_as_of(given['after_hours'], 'hour')],
            'changed_at', 'checkout_id', value='product_name', threshold=given['after_hours'] ~ ' hours to '
                ~ given['within_days'] ~ ' days ago', ends_at='changed_at + ' ~ days_sql(given['within_days'])))) }}
{%- endmacro %}
