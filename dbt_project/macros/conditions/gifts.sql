{#- Conditions on gifts for occasions. -#}

{#- Bought something for an occasion before that is on again or comes within so many days: `gift_again(within_days=21)`.
    Occasions that tell of health or faith are left out. -#}
{% macro gift_again() -%}
    {%- set known = {
        'of': {'kind': 'words', 'of': plain_occasions(), 'default': plain_occasions()},
        'within_days': {'kind': 'days', 'default': 21, 'max': 180},
    } -%}
    {%- set given = condition_arguments('gift_again', known, varargs, kwargs) -%}
    {%- set days = given['within_days'] -%}
    {%- set gifts -%}
        select distinct
            customer_id,
            occasion
        from {{ ref('fct_orders') }}
        where is_kept and occasion in ({{ texts_sql(given['of']) }})
    {%- endset -%}
    {{ return(condition('gift_again', known, given, 'dim_occasions',
        words='bought something for an occasion that is on again or comes within ' ~ number_in_words(days, 'day', 'days'),
        ends_by='the day after it', sql=near_occasions(given['of'], days, gifts))) }}
{%- endmacro %}

{#- Occasions that are on or near where people live, one row per person, the first of them; `gifts` is SQL of people and
    occasions (customer_id, occasion) that it must be among. -#}
{% macro near_occasions(occasions, days, gifts=none) -%}
    select
        people.customer_id,
        occasions.occasion as value,
        {{ segment_text('within ' ~ days ~ ' days') }} as threshold,
        cast({{ dbt.dateadd('day', '-' ~ days, 'occasions.starts_on') }} as timestamp) as since,
        cast({{ dbt.dateadd('day', '1', 'occasions.ends_on') }} as timestamp) as ends_at
    from {{ ref('dim_customers') }} as people
    inner join {{ ref('dim_occasions') }} as occasions
        on coalesce(occasions.country_code = people.country_code, occasions.country_code is null)
    {%- if gifts %}
    inner join ({{ gifts }}) as gifts
        on people.customer_id = gifts.customer_id and occasions.occasion = gifts.occasion
    {%- endif %}
    where
        occasions.status in ('coming', 'current')
        and coalesce(occasions.days_until_start, 0) <= {{ days }}
        and occasions.occasion in ({{ texts_sql(occasions) }})
    qualify row_number() over (
        partition by people.customer_id order by occasions.starts_on, occasions.occasion_id
    ) = 1
{%- endmacro %}

{#- Occasions that conditions may know of: those of the seed `occasions` that are not sensitive; a test compares them. -#}
{% macro plain_occasions() -%}
    {{ return([
        'anniversary', 'birthday', 'christmas', 'easter', 'engagement', 'fathers_day', 'graduation',
        'housewarming', 'just_because', 'lunar_new_year', 'mothers_day', 'new_baby', 'new_year', 'retirement',
        'thank_you', 'valentines_day', 'wedding',
    ]) }}
{%- endmacro %}
