{#- Conditions on the time of the year. They hold for everybody of a place, or for nobody. -#}

{#- Between two days of every year, both included: `season(from_day='11-15', to_day='12-24')`; it may go over New Year. -#}
{% macro season() -%}
    {%- set known = {
        'from_day': {'kind': 'day_of_year', 'required': true}, 'to_day': {'kind': 'day_of_year', 'required': true},
    } -%}
    {%- set given = condition_arguments('season', known, varargs, kwargs) -%}
    {%- set today = as_of_date_text()[5:] -%}
    {%- set first, last = given['from_day'], given['to_day'] -%}
    {%- set is_in = first <= today <= last if first <= last else (today >= first or today <= last) -%}
    {{ return(condition('season', known, given, 'dim_customers',
        words='between ' ~ first ~ ' and ' ~ last ~ ' of the year', ends_by='after ' ~ last,
        sql=rows_of(ref('dim_customers'), ['true' if is_in else 'false'], threshold=first ~ ' to ' ~ last))) }}
{%- endmacro %}

{#- An occasion of the shop's calendar begins in so many days, in their country: `occasion(of='mothers_day',
    within_days=14)`; while it lasts it holds too. -#}
{% macro occasion() -%}
    {%- set known = {'of': {'kind': 'texts', 'required': true}, 'within_days': {'kind': 'days', 'default': 14}} -%}
    {%- set given = condition_arguments('occasion', known, varargs, kwargs) -%}
    {%- set sql -%}
        select
            customers.customer_id,
            occasions.occasion as value,
            'within {{ given['within_days'] }} days' as threshold,
            cast({{ dbt.dateadd('day', '-cast(' ~ count_sql(given['within_days']) ~ ' as integer)', 'occasions.starts_on') }} as timestamp) as since,
            cast({{ dbt.dateadd('day', 1, 'occasions.ends_on') }} as timestamp) as ends_at
        from {{ ref('dim_customers') }} as customers
        inner join {{ ref('dim_occasions') }} as occasions
            on occasions.country_code is null or customers.country_code = occasions.country_code
        where
            occasions.occasion in ({{ texts_sql(given['of']) }})
            and (occasions.status = 'current' or occasions.days_until_start <= {{ count_sql(given['within_days']) }})
        qualify row_number() over (
            partition by customers.customer_id order by occasions.starts_on, occasions.occasion_id
        ) = 1
    {%- endset -%}
    {{ return(condition('occasion', known, given, 'dim_occasions',
        words=given['of'] | join(' or ') | replace('_', ' ') ~ ' is within ' ~ number_in_words(given['within_days'], 'day', 'days'),
        ends_by='when it is over', sql=sql)) }}
{%- endmacro %}
