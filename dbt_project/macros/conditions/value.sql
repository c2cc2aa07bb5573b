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

{#- Net sales of kept orders, after returns, in the shop's currency: `spent(at_least=500)`, of the last days or of all
    time; people whose value is not known are in neither. -#}
{% macro spent() -%}
    {%- set known = {
        'at_least': {'kind': 'amount'}, 'at_most': {'kind': 'amount'}, 'within_days': {'kind': 'days'},
    } -%}
    {%- set given = condition_arguments('spent', known, varargs, kwargs) -%}
    {%- set told = range_in_words('spent', given) -%}
    {%- set days = given.get('within_days') -%}
    {%- set sums -%}
        select
            customer_id,
            sum(net_sales_shop) as spent,
            max(ordered_at) as last_at
        from {{ ref('fct_orders') }}
        where
            is_counted
            and customer_id is not null
            {%- if days %}
            and {{ days_until_as_of('ordered_date') }} <= {{ count_sql(days) }}
            {%- endif %}
        group by customer_id
        having count(*) = count(net_sales_shop) and count(*) filter (where is_kept) > 0
    {%- endset -%}
    {{ return(condition('spent', known, given, 'fct_orders',
        words='spent ' ~ told ~ ' ' ~ var('shop_currency') ~ ' after returns' ~ within_in_words(days),
        ends_by='when orders leave those days, or with an order or a return' if days else 'with an order or a return',
        sql=rows_of('(' ~ sums ~ ') as sums', range_where('spent', given),
            value='cast(' ~ money_in_context('spent') ~ ' as ' ~ dbt.type_string() ~ ')', threshold=told, since='last_at'))) }}
{%- endmacro %}

{#- Net sales per kept order: `average_order(at_least=100)`. -#}
{% macro average_order() -%}
    {%- set known = {'at_least': {'kind': 'amount'}, 'at_most': {'kind': 'amount'}} -%}
    {%- set given = condition_arguments('average_order', known, varargs, kwargs) -%}
    {%- set told = range_in_words('average_order', given) -%}
    {%- set measure = 'lifetime_net_sales / order_count' -%}
    {{ return(condition('average_order', known, given, 'fct_customer_order_summary',
        words='an average order of ' ~ told ~ ' ' ~ var('shop_currency'), ends_by='with an order or a return',
        sql=rows_of(ref('fct_customer_order_summary'), ['order_count > 0'] + range_where(measure, given),
            value='cast(' ~ money_in_context(measure) ~ ' as ' ~ dbt.type_string() ~ ')', threshold=told,
            since='last_ordered_at'))) }}
{%- endmacro %}

{#- In one of the shop's RFM groups (the seed `rfm_groups`; Shopify's as it is): `rfm_group(of=['champions', 'loyal'])`. -#}
{% macro rfm_group() -%}
    {%- set known = {'of': {'kind': 'words', 'required': true, 'of': rfm_groups()}} -%}
    {%- set given = condition_arguments('rfm_group', known, varargs, kwargs) -%}
    {%- set told = given['of'] | join(' or ') | replace('_', ' ') -%}
    {{ return(condition('rfm_group', known, given, 'fct_customer_rfm',
        words='in the RFM group ' ~ told, ends_by='with an order, or as days go by',
        sql=rows_of(ref('fct_customer_rfm'), ['is_current', 'rfm_segment in (' ~ texts_sql(given['of']) ~ ')'],
            value='rfm_segment', threshold=told))) }}
{%- endmacro %}

{#- One of the three scores, 1 to 5: `rfm_score(of='frequency', at_least=4)`. -#}
{% macro rfm_score() -%}
    {%- set known = {
        'of': {'kind': 'word', 'of': ['recency', 'frequency', 'money'], 'required': true},
        'at_least': {'kind': 'count'}, 'at_most': {'kind': 'count'},
    } -%}
    {%- set given = condition_arguments('rfm_score', known, varargs, kwargs) -%}
    {%- set told = range_in_words('rfm_score', given) -%}
    {%- set column = {'recency': 'r_score', 'frequency': 'f_score', 'money': 'm_score'}[given['of']] -%}
    {{ return(condition('rfm_score', known, given, 'fct_customer_rfm',
        words='a score of ' ~ told ~ ' for ' ~ given['of'], ends_by='with an order, or as days go by',
        sql=rows_of(ref('fct_customer_rfm'), ['is_current'] + range_where(column, given),
            value='cast(' ~ column ~ ' as ' ~ dbt.type_string() ~ ')', threshold=told))) }}
{%- endmacro %}

{#- In a tier of customer lifetime value: `value_tier(of='top')`. -#}
{% macro value_tier() -%}
    {%- set known = {'of': {'kind': 'words', 'of': ['top', 'high', 'middle', 'low'], 'required': true}} -%}
    {%- set given = condition_arguments('value_tier', known, varargs, kwargs) -%}
    {%- set told = given['of'] | join(' or ') -%}
    {{ return(condition('value_tier', known, given, 'fct_customer_predictions',
        words='in the tier ' ~ told ~ ' of customer lifetime value', ends_by='when their value or that of others changes',
        sql=rows_of(ref('fct_customer_predictions'), ['is_current', 'clv_tier in (' ~ texts_sql(given['of']) ~ ')'],
            value='clv_tier', threshold=told))) }}
{%- endmacro %}

{#- What an RFM group and how lately they were here make of somebody: `opportunity(of='win_back')` of a group that stays
    away and here again, `second_order` new or promising and here again, `reach_out` one of the best and quiet. -#}
{% macro opportunity() -%}
    {%- set known = {'of': {'kind': 'words', 'of': ['win_back', 'second_order', 'reach_out'], 'required': true}} -%}
    {%- set given = condition_arguments('opportunity', known, varargs, kwargs) -%}
    {%- set told = given['of'] | join(' or ') | replace('_', ' ') -%}
    {{ return(condition('opportunity', known, given, 'fct_customer_rfm_engagement',
        words='by RFM group and visits to ' ~ told, ends_by='with an order or a visit, or as days go by',
        sql=rows_of(ref('fct_customer_rfm_engagement'), ['opportunity in (' ~ texts_sql(given['of']) ~ ')'],
            value="rfm_segment || ', ' || engagement", threshold=told))) }}
{%- endmacro %}
