{#- Conditions on kept orders: how many, when, of what kind, in whose rhythm. Days are calendar days of the shop. -#}

{#- Orders that were kept, counted: `ordered(at_least=2, within_days=365)`. People without any are never in it:
    write none=[ordered()]. -#}
{% macro ordered() -%}
    {%- set known = {
        'at_least': {'kind': 'count'},
        'at_most': {'kind': 'count'},
        'exactly': {'kind': 'count'},
        'within_days': {'kind': 'days'},
        'sales_channel': {'kind': 'word', 'of': ['web', 'store', 'other']},
        'store': {'kind': 'text'},
        'gift': {'kind': 'flag'},
        'with_code': {'kind': 'flag'},
    } -%}
    {%- set given = condition_arguments('ordered', known, varargs, kwargs) -%}
    {%- set days = given.get('within_days') -%}
    {%- set where = [] -%}
    {%- if days -%}
        {%- do where.append(days_until_as_of('ordered_date') ~ ' <= ' ~ count_sql(days)) -%}
    {%- endif -%}
    {%- if 'sales_channel' in given -%}
        {%- do where.append("sales_channel = " ~ segment_text(given['sales_channel'])) -%}
    {%- endif -%}
    {%- if 'store' in given -%}
        {%- do where.append("store_id = " ~ segment_text(given['store'])) -%}
    {%- endif -%}
    {%- if 'gift' in given -%}
        {%- do where.append(('' if given['gift'] else 'not ') ~ 'coalesce(is_gift, false)') -%}
    {%- endif -%}
    {%- if 'with_code' in given -%}
        {%- do where.append('discount_code is ' ~ ('not null' if given['with_code'] else 'null')) -%}
    {%- endif -%}
    {%- set sql -%}
        {{ counted_events(
            'select customer_id, order_id as event_id, order_source as event_source, ordered_at as occurred_at,'
            ~ ' ordered_date as occurred_on from ' ~ ref('fct_orders') ~ ' where is_kept and customer_id is not null'
            ~ (' and ' ~ where | join(' and ') if where else ''), given, days
        ) }}
    {%- endset -%}
    {{ return(condition('ordered', known, given, 'fct_orders',
        words=counted_in_words(given, 'order', 'orders') ~ order_kind_in_words(given) ~ within_in_words(days),
        negated=none if given else 'no order',
        ends_by=counted_ends_by(given, days, 'order', 'orders'), sql=sql)) }}
{%- endmacro %}

{% macro order_kind_in_words(given) -%}
    {{ return((' in ' ~ {'web': 'the web shop', 'store': 'a store', 'other': 'another place'}[given['sales_channel']]
            if 'sales_channel' in given else '')
        ~ (' in the store ' ~ given['store'] if 'store' in given else '')
        ~ ('' if 'gift' not in given else ' as a gift' if given['gift'] else ' that was no gift')
        ~ ('' if 'with_code' not in given else ' with a code' if given['with_code'] else ' without a code')) }}
{%- endmacro %}

{#- The day of the last kept order: `last_order(older_than_days=60)`, `last_order(within_days=14)`. -#}
{% macro last_order() -%}
    {%- set known = {'within_days': {'kind': 'days'}, 'older_than_days': {'kind': 'days'}} -%}
    {%- set given = condition_arguments('last_order', known, varargs, kwargs) -%}
    {%- set sql -%}
        {{ last_day_within(
            'select customer_id, last_ordered_date as last_on, last_ordered_at as last_at from '
            ~ ref('fct_customer_order_summary') ~ ' where order_count > 0', given
        ) }}
    {%- endset -%}
    {{ return(condition('last_order', known, given, 'fct_customer_order_summary',
        words='the last order' ~ last_in_words('last_order', given),
        ends_by=last_ends_by(given, 'order'), sql=sql)) }}
{%- endmacro %}

{#- The day of the first kept order. -#}
{% macro first_order() -%}
    {%- set known = {'within_days': {'kind': 'days'}, 'older_than_days': {'kind': 'days'}} -%}
    {%- set given = condition_arguments('first_order', known, varargs, kwargs) -%}
    {%- set sql -%}
        {{ last_day_within(
            'select customer_id, first_ordered_date as last_on, first_ordered_at as last_at from '
            ~ ref('fct_customer_order_summary') ~ ' where order_count > 0', given
        ) }}
    {%- endset -%}
    {{ return(condition('first_order', known, given, 'fct_customer_order_summary',
        words='the first order' ~ last_in_words('first_order', given),
        ends_by='when the first order is too old' if 'within_days' in given else 'never: a first order stays the first',
        sql=sql)) }}
{%- endmacro %}

{#- The next order is overdue: the last one is older than `overdue_gap_factor` times the person's usual gap, and than
    the shop's own `overdue_min_days`. -#}
{% macro overdue() -%}
    {%- set known = {} -%}
    {%- set given = condition_arguments('overdue', known, varargs, kwargs) -%}
    {%- set text = dbt.type_string() -%}
    {%- set overdue_on = dbt.dateadd(
        'day', 'cast(ceil(overdue_after_days) as integer) + 1', 'cast(last_ordered_date as timestamp)') -%}
    {%- set sql -%}
        select
            customer_id,
            cast(last_ordered_date as {{ text }}) as value,
            'older than ' || cast(cast(ceil(overdue_after_days) as integer) as {{ text }}) || ' days' as threshold,
            {{ overdue_on }} as since,
            cast(null as timestamp) as ends_at
        from {{ ref('fct_customer_order_summary') }}
        where order_count > 0 and days_since_last_order > overdue_after_days
    {%- endset -%}
    {{ return(condition('overdue', known, given, 'fct_customer_order_summary',
        words='the next order is overdue', negated='the next order is not overdue',
        ends_by='with the next order', sql=sql)) }}
{%- endmacro %}

{#- Orders with a word of the shop's on them: `order_tagged(tag='wholesale')`. -#}
{% macro order_tagged() -%}
    {%- set known = {'tag': {'kind': 'texts', 'required': true}, 'within_days': {'kind': 'days'}} -%}
    {%- set given = condition_arguments('order_tagged', known, varargs, kwargs) -%}
    {%- set days = given.get('within_days') -%}
    {%- set where = ['customer_id is not null', 'tag in (' ~ texts_sql(given['tag']) ~ ')'] -%}
    {%- if days -%}
        {%- do where.append(since_days('ordered_at', days)) -%}
    {%- endif -%}
    {{ return(condition('order_tagged', known, given, 'fct_order_tags',
        words='an order with the tag ' ~ given['tag'] | join(' or ') ~ within_in_words(days),
        ends_by='when the order is too long ago' if days else 'never: orders stay',
        sql=latest_of(ref('fct_order_tags'), where, 'ordered_at', 'order_tag_id', value='tag',
            ends_at='ordered_at + ' ~ days_sql(days) if days else none))) }}
{%- endmacro %}
