{#- Conditions on the customer journey. -#}

{#- In one of these stages now: `in_stage(of='consideration', for_days=14)`, for at least so many days. -#}
{% macro in_stage() -%}
    {%- set known = {
        'of': {'kind': 'words', 'required': true,
            'of': ['awareness', 'consideration', 'acquisition', 'purchase', 'advocacy']},
        'for_days': {'kind': 'days'}, 'within_days': {'kind': 'days'},
    } -%}
    {%- set given = condition_arguments('in_stage', known, varargs, kwargs) -%}
    {%- set where = ['is_current', 'stage in (' ~ texts_sql(given['of']) ~ ')'] -%}
    {%- set told = given['of'] | join(' or ') -%}
    {%- if 'for_days' in given -%}
        {%- do where.append('entered_at <= ' ~ as_of() ~ ' - ' ~ days_sql(given['for_days'])) -%}
        {%- set told = told ~ ' for ' ~ number_in_words(given['for_days'], 'day', 'days') -%}
    {%- endif -%}
    {%- if 'within_days' in given -%}
        {%- do where.append(since_days('entered_at', given['within_days'])) -%}
        {%- set told = told ~ within_in_words(given['within_days']) -%}
    {%- endif -%}
    {{ return(condition('in_stage', known, given, 'fct_customer_journey_stages',
        words='in the stage ' ~ told, ends_by='with the next stage',
        sql=rows_of(ref('fct_customer_journey_stages'), where, value='stage', threshold=told, since='entered_at',
            ends_at='entered_at + ' ~ days_sql(given['within_days']) if 'within_days' in given else none))) }}
{%- endmacro %}
