{#-
    What conditions on counted and on dated events share: their SQL and their words.

    Belongs here: helpers of several subjects. Does not belong here: a condition.
-#}

{#- A number of orders or days, or the value of a threshold, as an expression. -#}
{% macro count_sql(number) -%}
    {{ return(threshold(number) if number is string else number | string) }}
{%- endmacro %}

{#- So many days as an interval. -#}
{% macro days_sql(days) -%}
    {{ return("interval '" ~ days ~ "' day" if days is not string
        else "cast(" ~ threshold(days) ~ " as integer) * interval '1' day") }}
{%- endmacro %}

{#- Texts as SQL literals with commas between. -#}
{% macro texts_sql(texts) -%}
    {%- set literals = [] -%}
    {%- for text in texts -%}
        {%- do literals.append(segment_text(text)) -%}
    {%- endfor -%}
    {{ return(literals | join(', ')) }}
{%- endmacro %}

{#- 'at least 2' as an expression. -#}
{% macro at_least_sql(number) -%}
    {{ return("'at least ' || cast(" ~ count_sql(number) ~ " as " ~ dbt.type_string() ~ ")") }}
{%- endmacro %}

{#- Whoever has so many events (customer_id, event_id, event_source, occurred_at, occurred_on), with the columns of a
    condition. It holds since the event that made up the number, and ends the day after the window of the last one
    that is needed. -#}
{% macro counted_events(events, given, days) -%}
    {%- set text = dbt.type_string() -%}
    {%- set least = given.get('exactly', given.get('at_least', 1)) -%}
    {%- set most = given.get('exactly', given.get('at_most')) -%}
    {%- set last_day = 'max(occurred_on)' if least == 1 else 'max(case when from_last then occurred_on end)' -%}
    select
        customer_id,
        cast(count(*) as {{ text }}) as value,
        {%- if 'exactly' in given %}
        'exactly ' || cast({{ count_sql(least) }} as {{ text }}) as threshold,
        {%- elif 'at_most' in given %}
        cast({{ count_sql(least) }} as {{ text }}) || ' to ' || cast({{ count_sql(most) }} as {{ text }}) as threshold,
        {%- else %}
        {{ at_least_sql(least) }} as threshold,
        {%- endif %}
        {{ 'min(occurred_at)' if least == 1 else 'max(case when from_first then occurred_at end)' }} as since,
        {%- if days %}
        cast({{ dbt.dateadd('day', 'cast(' ~ count_sql(days) ~ ' as integer) + 1', last_day) }} as timestamp) as ends_at
        {%- else %}
        cast(null as timestamp) as ends_at
        {%- endif %}
    {%- if least == 1 %}
    from ({{ events }}) as events
    {%- else %}
    from (
        select
            customer_id,
            occurred_at,
            occurred_on,
            row_number() over (
                partition by customer_id order by occurred_at, event_id, event_source
            ) = {{ count_sql(least) }} as from_first,
            row_number() over (
                partition by customer_id order by occurred_at desc, event_id desc, event_source desc
            ) = {{ count_sql(least) }} as from_last
        from ({{ events }}) as events
    ) as numbered
    {%- endif %}
    group by customer_id
    having count(*) >= {{ count_sql(least) }}{{ ' and count(*) <= ' ~ count_sql(most) if most else '' }}
{%- endmacro %}

{% macro counted_in_words(given, singular, plural) -%}
    {%- if 'exactly' in given -%}
        {{ return('exactly ' ~ number_in_words(given['exactly'], singular, plural)) }}
    {%- elif 'at_most' in given -%}
        {{ return(number_in_words(given.get('at_least', 1), '', '') ~ ' to '
            ~ number_in_words(given['at_most'], singular, plural)) }}
    {%- endif -%}
    {{ return('at least ' ~ number_in_words(given.get('at_least', 1), singular, plural)) }}
{%- endmacro %}

{#- "2 orders"; a threshold as `{loyal_min_orders}`, in whose place its value is put (macros/rhythm.sql). -#}
{% macro number_in_words(number, singular, plural) -%}
    {{ return((('{' ~ number ~ '}' if number is string else number | string)
        ~ ' ' ~ (singular if number == 1 else plural)).strip()) }}
{%- endmacro %}

{% macro within_in_words(days) -%}
    {{ return(' in the last ' ~ number_in_words(days, 'day', 'days') if days else '') }}
{%- endmacro %}

{% macro hours_in_words(hours) -%}
    {{ return(number_in_words(hours, 'hour', 'hours')) }}
{%- endmacro %}

{% macro counted_ends_by(given, days, singular, plural) -%}
    {%- set parts = [] -%}
    {%- if days -%}
        {%- do parts.append('when too few ' ~ plural ~ ' are of those days') -%}
    {%- endif -%}
    {%- if 'exactly' in given or 'at_most' in given -%}
        {%- do parts.append('with another ' ~ singular) -%}
    {%- endif -%}
    {{ return(parts | join(', or ') if parts else 'never: ' ~ plural ~ ' stay') }}
{%- endmacro %}

{#- Whoever's last day (customer_id, last_on, last_at) is within so many calendar days or older than so many. -#}
{% macro last_day_within(days_of_people, given) -%}
    {%- set text = dbt.type_string() -%}
    {%- set within, older = given.get('within_days'), given.get('older_than_days') -%}
    select
        customer_id,
        cast(last_on as {{ text }}) as value,
        {{ last_threshold_sql(given) }} as threshold,
        {%- if older %}
        cast({{ dbt.dateadd('day', 'cast(' ~ count_sql(older) ~ ' as integer) + 1', 'last_on') }} as timestamp) as since,
        {%- else %}
        last_at as since,
        {%- endif %}
        {%- if within %}
        cast({{ dbt.dateadd('day', 'cast(' ~ count_sql(within) ~ ' as integer) + 1', 'last_on') }} as timestamp) as ends_at
        {%- else %}
        cast(null as timestamp) as ends_at
        {%- endif %}
    from ({{ days_of_people }}) as people
    where
        last_on is not null
        {%- if within %}
        and {{ days_until_as_of('last_on') }} <= {{ count_sql(within) }}
        {%- endif %}
        {%- if older %}
        and {{ days_until_as_of('last_on') }} > {{ count_sql(older) }}
        {%- endif %}
{%- endmacro %}

{#- The same of moments (customer_id, last_at), to the second. -#}
{% macro last_moment_within(moments_of_people, given) -%}
    {%- set within, older = given.get('within_days'), given.get('older_than_days') -%}
    select
        customer_id,
        cast({{ shop_date('last_at') }} as {{ dbt.type_string() }}) as value,
        {{ last_threshold_sql(given) }} as threshold,
        {{ 'last_at + ' ~ days_sql(older) if older else 'last_at' }} as since,
        {{ 'last_at + ' ~ days_sql(within) if within else 'cast(null as timestamp)' }} as ends_at
    from ({{ moments_of_people }}) as people
    where
        last_at is not null
        {%- if within %}
        and last_at >= {{ as_of() }} - {{ days_sql(within) }}
        {%- endif %}
        {%- if older %}
        and last_at < {{ as_of() }} - {{ days_sql(older) }}
        {%- endif %}
{%- endmacro %}

{% macro last_threshold_sql(given) -%}
    {%- set text = dbt.type_string() -%}
    {%- set parts = [] -%}
    {%- if 'older_than_days' in given -%}
        {%- do parts.append("'more than ' || cast(" ~ count_sql(given['older_than_days']) ~ " as " ~ text ~ ") || ' days ago'") -%}
    {%- endif -%}
    {%- if 'within_days' in given -%}
        {%- do parts.append("'within ' || cast(" ~ count_sql(given['within_days']) ~ " as " ~ text ~ ") || ' days'") -%}
    {%- endif -%}
    {{ return(parts | join(" || ', ' || ") if parts else "'ever'") }}
{%- endmacro %}

{#- " more than 60 days ago"; a call that says neither is a mistake. -#}
{% macro last_in_words(name, given) -%}
    {%- if 'within_days' not in given and 'older_than_days' not in given -%}
        {%- do segment_fault(name ~ '() needs within_days or older_than_days') -%}
    {%- endif -%}
    {%- set parts = [] -%}
    {%- if 'older_than_days' in given -%}
        {%- do parts.append('more than ' ~ number_in_words(given['older_than_days'], 'day', 'days') ~ ' ago') -%}
    {%- endif -%}
    {%- if 'within_days' in given -%}
        {%- do parts.append('at most ' ~ number_in_words(given['within_days'], 'day', 'days') ~ ' ago') -%}
    {%- endif -%}
    {{ return(' ' ~ parts | join(' and ')) }}
{%- endmacro %}

{% macro last_ends_by(given, event) -%}
    {{ return('when that is too long ago' if 'within_days' in given else 'with the next ' ~ event) }}
{%- endmacro %}

{#- Rows of one table, one per person at most, as the columns of a condition. Expressions that are left out are NULL;
    `threshold` is a text. -#}
{% macro rows_of(table, where, value=none, threshold=none, since=none, ends_at=none) -%}
    {%- set text = dbt.type_string() -%}
    select
        customer_id,
        {{ value or 'cast(null as ' ~ text ~ ')' }} as value,
        {{ segment_text(threshold) if threshold else 'cast(null as ' ~ text ~ ')' }} as threshold,
        {{ since or 'cast(null as timestamp)' }} as since,
        {{ ends_at or 'cast(null as timestamp)' }} as ends_at
    from {{ table }}
    where {{ where | join(' and ') }}
{%- endmacro %}

{#- The same of tables with several rows per person: the latest by `moment` counts, with its value. -#}
{% macro latest_of(table, where, moment, key, value=none, threshold=none, ends_at=none) -%}
    {{ rows_of(table, where, value, threshold, moment, ends_at) }}
    qualify row_number() over (partition by customer_id order by {{ moment }} desc, {{ key }}) = 1
{%- endmacro %}

{#- How a measure is held against at_least and at_most, as parts of a WHERE. -#}
{% macro range_where(measure, given) -%}
    {%- set where = [] -%}
    {%- if 'at_least' in given -%}
        {%- do where.append(measure ~ ' >= ' ~ given['at_least']) -%}
    {%- endif -%}
    {%- if 'at_most' in given -%}
        {%- do where.append(measure ~ ' <= ' ~ given['at_most']) -%}
    {%- endif -%}
    {{ return(where) }}
{%- endmacro %}

{#- "at least 0.5 and at most 0.8"; a call that says neither is a mistake. -#}
{% macro range_in_words(name, given) -%}
    {%- set parts = [] -%}
    {%- if 'at_least' in given -%}
        {%- do parts.append('at least ' ~ given['at_least']) -%}
    {%- endif -%}
    {%- if 'at_most' in given -%}
        {%- do parts.append('at most ' ~ given['at_most']) -%}
    {%- endif -%}
    {%- if not parts -%}
        {%- do segment_fault(name ~ '() needs at_least or at_most') -%}
    {%- endif -%}
    {{ return(parts | join(' and ')) }}
{%- endmacro %}

{#- A moment of the last days, as part of a WHERE. -#}
{% macro since_days(moment, days) -%}
    {{ return(moment ~ ' >= ' ~ as_of() ~ ' - ' ~ days_sql(days)) }}
{%- endmacro %}
