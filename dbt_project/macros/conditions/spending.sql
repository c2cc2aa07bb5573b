{#- Conditions on what people spend beside what others do. -#}

{#- Their average order beside that of all orders of the shop: `spender(tier='high')`. high is from `high_spender_factor`
    times the shop's, low is below `low_spender_factor` times it, medium is between. -#}
{% macro spender() -%}
    {%- set known = {'tier': {'kind': 'word', 'of': ['high', 'medium', 'low'], 'required': true}} -%}
    {%- set given = condition_arguments('spender', known, varargs, kwargs) -%}
    {%- set high, low = var('high_spender_factor'), var('low_spender_factor') -%}
    {%- set words = {
        'high': 'at least ' ~ high ~ ' times', 'medium': low ~ ' to ' ~ high ~ ' times', 'low': 'less than ' ~ low ~ ' times',
    }[given['tier']] ~ " the shop's average" -%}
    {%- set sql -%}
        select
            customer_id,
            cast({{ money_in_context('average_value') }} as {{ dbt.type_string() }}) as value,
            {{ segment_text(words) }} as threshold,
            last_ordered_at as since,
            cast(null as timestamp) as ends_at
        from (
            select
                customer_id,
                last_ordered_at,
                lifetime_net_sales / order_count as average_value,
                sum(lifetime_net_sales) over () / sum(order_count) over () as shop_average
            from {{ ref('fct_customer_order_summary') }}
            where order_count > 0 and lifetime_net_sales is not null
        ) as averages
        where
            shop_average > 0
            {%- if given['tier'] == 'high' %}
            and average_value >= {{ high }} * shop_average
            {%- elif given['tier'] == 'medium' %}
            and average_value >= {{ low }} * shop_average
            and average_value < {{ high }} * shop_average
            {%- else %}
            and average_value < {{ low }} * shop_average
            {%- endif %}
    {%- endset -%}
    {{ return(condition('spender', known, given, 'fct_customer_order_summary',
        words='an average order of ' ~ words, ends_by='when their average or the shop\'s moves', sql=sql)) }}
{%- endmacro %}
