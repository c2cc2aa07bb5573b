{#- Conditions on what people said to the shop: complaints, questions, reviews. -#}

{#- A complaint, a request for help or a bad review that nobody closed: `open_case(within_days=30)`. -#}
{% macro open_case() -%}
    {%- set known = {'within_days': {'kind': 'days', 'default': var('service_recovery_days')}} -%}
    {%- set given = condition_arguments('open_case', known, varargs, kwargs) -%}
    {%- set days = given['within_days'] -%}
    {%- set sql -%}
        select
            customer_id,
            last_open_case_kind as value,
            {{ segment_text('within ' ~ days ~ ' days') }} as threshold,
            last_open_case_at as since,
            last_open_case_at + {{ days_sql(days) }} as ends_at
        from {{ ref('customer_engagement') }}
        where open_case_count > 0 and last_open_case_at >= {{ as_of() }} - {{ days_sql(days) }}
    {%- endset -%}
    {{ return(condition('open_case', known, given, 'customer_engagement',
        words='a complaint, a question or a bad review that is open' ~ within_in_words(days),
        negated='no open complaint, question or bad review' ~ within_in_words(days),
        ends_by='when it is too long ago, or the case is closed', sql=sql)) }}
{%- endmacro %}
