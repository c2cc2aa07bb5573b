{#- Conditions on signs of intent. -#}

{#- The strongest sign of intent of the last 30 days that no order answered: `strongest_signal(kind=['carted'])`. -#}
{% macro strongest_signal() -%}
    {%- set known = {'kind': {'kind': 'words', 'required': true, 'of': [
        'visited', 'clicked', 'viewed', 'searched', 'returned_to', 'wishlisted', 'carted', 'checked_out']}} -%}
    {%- set given = condition_arguments('strongest_signal', known, varargs, kwargs) -%}
    {%- set named = given['kind'] | join(' or ') | replace('_', ' ') -%}
    {%- set sql -%}
        select
            customer_id,
            signal as value,
            {{ segment_text(named) }} as threshold,
            signal_at as since,
            signal_at + interval '30' day as ends_at
        from {{ ref('fct_customer_intent') }}
        where is_current and signal in ({{ texts_sql(given['kind']) }})
    {%- endset -%}
    {{ return(condition('strongest_signal', known, given, 'fct_customer_intent',
        words='the strongest sign of intent is: ' ~ named,
        ends_by='with a stronger sign, an order, or when it is too long ago', sql=sql)) }}
{%- endmacro %}
