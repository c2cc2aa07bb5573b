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

{#- What is known of a person, stated, observed or inferred: `trait(name='hobby', value='climbing')`. A sensitive trait is
    refused where the run judges what segments use. -#}
{% macro trait() -%}
    {%- set known = {
        'name': {'kind': 'text', 'required': true}, 'value': {'kind': 'texts'},
        'evidence': {'kind': 'words', 'of': ['stated', 'observed', 'inferred']},
        'at_least': {'kind': 'share'},
    } -%}
    {%- set given = condition_arguments('trait', known, varargs, kwargs) -%}
    {%- set where = ['trait = ' ~ segment_text(given['name']), '(valid_to is null or valid_to > ' ~ as_of() ~ ')'] -%}
    {%- if 'value' in given -%}
        {%- do where.append('value in (' ~ texts_sql(given['value']) ~ ')') -%}
    {%- endif -%}
    {%- if 'evidence' in given -%}
        {%- do where.append('evidence_kind in (' ~ texts_sql(given['evidence']) ~ ')') -%}
    {%- endif -%}
    {%- if 'at_least' in given -%}
        {%- do where.append('score >= ' ~ given['at_least']) -%}
    {%- endif -%}
    {%- set named = given['name'] | replace('_', ' ') -%}
    {%- set sql -%}
        select
            customer_id,
            value,
            {{ segment_text(given['value'] | join(' or ')) if 'value' in given
                else 'cast(null as ' ~ dbt.type_string() ~ ')' }} as threshold,
            stated_at as since,
            valid_to as ends_at
        from {{ ref('customer_traits') }}
        where {{ where | join(' and ') }}
        qualify row_number() over (
            partition by customer_id order by score desc nulls last, stated_at desc nulls last, value, evidence_kind, source
        ) = 1
    {%- endset -%}
    {{ return(condition('trait', known, given, 'customer_traits',
        words=named ~ ': ' ~ (given['value'] | join(' or ') if 'value' in given else 'known'),
        ends_by='when it is said or seen otherwise', sql=sql)) }}
{%- endmacro %}

{#- The birthday that the person gave is within so many days from today: `birthday(within_days=7)`. -#}
{% macro birthday() -%}
    {%- set known = {'within_days': {'kind': 'days_ahead', 'default': 7, 'max': 180}} -%}
    {%- set given = condition_arguments('birthday', known, varargs, kwargs) -%}
    {%- set days = [] -%}
    {%- set today = modules.datetime.datetime.strptime(as_of_date_text(), '%Y-%m-%d') -%}
    {%- for number in range(given['within_days'] + 1) -%}
        {%- set day = (today + modules.datetime.timedelta(days=number)).strftime('%m-%d') -%}
        {%- do days.append(day) -%}
        {#- Who was born on 29 February has a birthday in other years too -#}
        {%- if day == '03-01' -%}{%- do days.append('02-29') -%}{%- endif -%}
    {%- endfor -%}
    {%- set sql -%}
        select
            customer_id,
            min(value) as value,
            'within {{ given['within_days'] }} days' as threshold,
            max(stated_at) as since,
            cast(null as timestamp) as ends_at
        from {{ ref('customer_traits') }}
        where trait = 'birthday' and evidence_kind = 'stated' and value in ({{ texts_sql(days | unique | list) }})
        group by customer_id
    {%- endset -%}
    {{ return(condition('birthday', known, given, 'customer_traits',
        words='their birthday is within ' ~ given['within_days'] ~ ' days', ends_by='on the day after it', sql=sql)) }}
{%- endmacro %}
