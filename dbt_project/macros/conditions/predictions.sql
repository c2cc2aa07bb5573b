{#- Conditions on what was predicted and proven on the shop's own past. Where a prediction is withheld (its null_reason
    says why) nobody is in them. -#}

{#- A chance from 0 to 1: `predicted(what='churn_risk', at_least=0.7)`. -#}
{% macro predicted() -%}
    {%- set known = {
        'what': {'kind': 'word', 'of': ['churn_risk', 'buys_in_7d', 'buys_in_30d', 'buys_in_90d'], 'required': true},
        'at_least': {'kind': 'share'}, 'at_most': {'kind': 'share'},
    } -%}
    {%- set given = condition_arguments('predicted', known, varargs, kwargs) -%}
    {%- set told = range_in_words('predicted', given) -%}
    {{ return(condition('predicted', known, given, 'fct_customer_predictions',
        words='a chance of ' ~ told ~ ' ' ~ {
            'churn_risk': 'to stay away', 'buys_in_7d': 'to buy within 7 days', 'buys_in_30d': 'to buy within 30 days',
            'buys_in_90d': 'to buy within 90 days'}[given['what']],
        ends_by='when the prediction of a later run differs',
        sql=rows_of(ref('fct_customer_predictions'), ['is_current'] + range_where(given['what'], given),
            value='cast(cast(' ~ given['what'] ~ ' as decimal(9, 3)) as ' ~ dbt.type_string() ~ ')', threshold=told))) }}
{%- endmacro %}

{#- The value of the next year: `predicted_value(at_least=200)`, in the shop's currency. -#}
{% macro predicted_value() -%}
    {%- set known = {'at_least': {'kind': 'amount'}, 'at_most': {'kind': 'amount'}} -%}
    {%- set given = condition_arguments('predicted_value', known, varargs, kwargs) -%}
    {%- set told = range_in_words('predicted_value', given) -%}
    {{ return(condition('predicted_value', known, given, 'fct_customer_clv',
        words='predicted to spend ' ~ told ~ ' ' ~ var('shop_currency') ~ ' within a year',
        ends_by='when the prediction of a later run differs',
        sql=rows_of(ref('fct_customer_clv'), ['is_current'] + range_where('predicted_clv_365d', given),
            value='cast(' ~ money_in_context('predicted_clv_365d') ~ ' as ' ~ dbt.type_string() ~ ')', threshold=told))) }}
{%- endmacro %}

{#- The day of the next order: `next_order_due(within_days=14)`; one that is past is due. -#}
{% macro next_order_due() -%}
    {%- set known = {'within_days': {'kind': 'days', 'required': true}} -%}
    {%- set given = condition_arguments('next_order_due', known, varargs, kwargs) -%}
    {%- set days = given['within_days'] -%}
    {{ return(condition('next_order_due', known, given, 'fct_customer_clv',
        words='the next order is expected' ~ ' within ' ~ number_in_words(days, 'day', 'days'),
        ends_by='with the next order',
        sql=rows_of(ref('fct_customer_clv'), [
                'is_current', 'predicted_next_order_at <= ' ~ as_of() ~ ' + ' ~ days_sql(days)],
            value='cast(' ~ shop_date('predicted_next_order_at') ~ ' as ' ~ dbt.type_string() ~ ')',
            threshold='within ' ~ days ~ ' days', since='predicted_next_order_at - ' ~ days_sql(days)))) }}
{%- endmacro %}

{#- What they buy next: `next_category(of='Kitchen')`. -#}
{% macro next_category() -%}
    {%- set known = {'of': {'kind': 'texts', 'required': true}} -%}
    {%- set given = condition_arguments('next_category', known, varargs, kwargs) -%}
    {{ return(condition('next_category', known, given, 'fct_customer_predictions',
        words='likely to buy ' ~ given['of'] | join(' or ') ~ ' next', ends_by='when the prediction of a later run differs',
        sql=rows_of(ref('fct_customer_predictions'), ['is_current', 'next_category in (' ~ texts_sql(given['of']) ~ ')'],
            value='next_category', threshold=given['of'] | join(' or ')))) }}
{%- endmacro %}
