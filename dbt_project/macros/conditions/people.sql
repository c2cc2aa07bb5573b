{#- Conditions on people that are worked out from what they said or did. -#}

{#- Their age by the year of birth that they said: `aged(at_least=18, at_most=30)`, the age they reach this year. -#}
{% macro aged() -%}
    {%- set known = {'at_least': {'kind': 'count', 'max': 120}, 'at_most': {'kind': 'count', 'max': 120}} -%}
    {%- set given = condition_arguments('aged', known, varargs, kwargs) -%}
    {%- set words = range_in_words('aged', given) -%}
    {%- set year = as_of_date_text()[:4] | int -%}
    {%- set sql -%}
        select
            born.customer_id,
            cast({{ year }} - born.birth_year as {{ dbt.type_string() }}) as value,
            {{ segment_text(words) }} as threshold,
            coalesce(born.stated_at, people.first_seen_at) as since,
            timestamp '{{ year + 1 }}-01-01 00:00:00' as ends_at
        from (
            select
                customer_id,
                stated_at,
                try_cast(value as integer) as birth_year
            from {{ ref('customer_traits') }}
            where trait = 'birth_year' and evidence_kind = 'stated' and valid_to is null
            qualify row_number() over (
                partition by customer_id order by stated_at desc nulls last, value, source
            ) = 1
        ) as born
        inner join {{ ref('dim_customers') }} as people on born.customer_id = people.customer_id
        where {{ range_where(year ~ ' - born.birth_year', given) | join(' and ') }}
    {%- endset -%}
    {{ return(condition('aged', known, given, 'customer_traits',
        words='aged ' ~ words ~ ' this year', ends_by='when the year ends, they may be too old', sql=sql)) }}
{%- endmacro %}

{#- The city of most of their orders, without one where most of their visits were: `shops_in(city='Leeds')`. -#}
{% macro shops_in() -%}
    {%- set known = {'city': {'kind': 'texts', 'required': true}} -%}
    {%- set given = condition_arguments('shops_in', known, varargs, kwargs) -%}
    {%- set words = given['city'] | join(' or ') -%}
    {%- set sql -%}
        select
            preferences.customer_id,
            preferences.shopping_city as value,
            {{ segment_text(words) }} as threshold,
            people.first_seen_at as since,
            cast(null as timestamp) as ends_at
        from {{ ref('customer_preferences') }} as preferences
        inner join {{ ref('dim_customers') }} as people on preferences.customer_id = people.customer_id
        where lower(preferences.shopping_city) in ({{ texts_sql(given['city'] | map('lower')) }})
    {%- endset -%}
    {{ return(condition('shops_in', known, given, 'customer_preferences',
        words='shops most in ' ~ words, ends_by='when most orders are of another city', sql=sql)) }}
{%- endmacro %}
