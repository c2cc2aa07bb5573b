{#- Conditions on what people are worth: totals, places among all, RFM groups, CLV. -#}

{#- Among the best share of all buyers whose value is known: `among_best(share=0.05)`. Equal values are told apart by
    more orders, the later order and the id, so the number of places never depends on ties. -#}
{% macro among_best() -%}
    {%- set known = {
        'share': {'kind': 'share', 'required': true},
        'by': {'kind': 'word', 'of': ['net_sales', 'margin', 'orders', 'average_order_value'], 'default': 'net_sales'},
    } -%}
    {%- set given = condition_arguments('among_best', known, varargs, kwargs) -%}
    {%- set measure = {
        'net_sales': 'lifetime_net_sales', 'margin': 'lifetime_margin', 'orders': 'order_count',
        'average_order_value': 'lifetime_net_sales / order_count',
    }[given['by']] -%}
    {%- set named = {
        'net_sales': 'value', 'margin': 'margin', 'orders': 'orders', 'average_order_value': 'average order',
    }[given['by']] -%}
    {%- set percent = '%g' | format(given['share'] * 100) -%}
    {%- set text = dbt.type_string() -%}
    {%- set sql -%}
        select
            customer_id,
            cast({{ 'measure' if given['by'] == 'orders' else money_in_context('measure') }} as {{ text }}) as value,
            'the best {{ percent }} %' as threshold,
            last_ordered_at as since,
            cast(null as timestamp) as ends_at
        from (
            select
                customer_id,
                last_ordered_at,
                {{ measure }} as measure,
                row_number() over (
                    order by {{ measure }} desc, order_count desc, last_ordered_at desc, customer_id
                ) as place,
                count(*) over () as buyer_count
            from {{ ref('fct_customer_order_summary') }}
            where order_count > 0 and {{ measure }} is not null
        ) as ranked
        where place <= ceil({{ given['share'] }} * buyer_count) and measure > 0
    {%- endset -%}
    {{ return(condition('among_best', known, given, 'fct_customer_order_summary',
        words='among the best ' ~ percent ~ ' % of buyers by ' ~ named,
        ends_by='when others pass them by', sql=sql)) }}
{%- endmacro %}
