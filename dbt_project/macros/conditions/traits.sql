{#- Conditions on who people are: whether they are known, and what they said of themselves. -#}

{#- Known by an address, a phone, an account or the like, and no anonymous visitor. -#}
{% macro is_known() -%}
    {%- set known = {} -%}
    {%- set given = condition_arguments('is_known', known, varargs, kwargs) -%}
    {%- set sql -%}
        select
            customer_id,
            cast(null as {{ dbt.type_string() }}) as value,
            cast(null as {{ dbt.type_string() }}) as threshold,
            first_seen_at as since,
            cast(null as timestamp) as ends_at
        from {{ ref('dim_customers') }}
        where is_known
    {%- endset -%}
    {{ return(condition('is_known', known, given, 'dim_customers',
        words='known to the shop', negated='not known to the shop', ends_by='never', sql=sql)) }}
{%- endmacro %}
