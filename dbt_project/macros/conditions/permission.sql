{#- Conditions on what people permitted. A segment ignores permission and the gate applies it; these are for segments
    that are about permission itself. -#}

{#- May be contacted on a channel for a purpose: `contactable(channel='email')`. -#}
{% macro contactable() -%}
    {%- set known = {
        'channel': {'kind': 'word', 'of': contact_channels(), 'required': true},
        'purpose': {'kind': 'word', 'of': contact_purposes(), 'default': 'marketing'},
    } -%}
    {%- set given = condition_arguments('contactable', known, varargs, kwargs) -%}
    {%- set sql -%}
        select
            customer_id,
            reason as value,
            cast(null as {{ dbt.type_string() }}) as threshold,
            granted_at as since,
            expires_at as ends_at
        from {{ ref('contactability') }}
        where channel = '{{ given['channel'] }}' and purpose = '{{ given['purpose'] }}' and is_contactable
    {%- endset -%}
    {%- set what = given['channel'] ~ ' for ' ~ given['purpose'] -%}
    {{ return(condition('contactable', known, given, 'contactability',
        words='may be contacted by ' ~ what, negated='may not be contacted by ' ~ what,
        ends_by='when permission ends', sql=sql)) }}
{%- endmacro %}

{#- Signed up for email: `signed_up(within_days=30)`, at the first time. Checkouts and imports are no sign-up. -#}
{% macro signed_up() -%}
    {%- set known = {
        'within_days': {'kind': 'days'},
        'source': {'kind': 'texts'},
    } -%}
    {%- set given = condition_arguments('signed_up', known, varargs, kwargs) -%}
    {%- set days = given.get('within_days') -%}
    {%- set sql -%}
        select
            customer_id,
            source as value,
            {{ segment_text('within ' ~ days ~ ' days' if days else 'ever') }} as threshold,
            signed_up_at as since,
            {{ 'signed_up_at + ' ~ days_sql(days) if days else 'cast(null as timestamp)' }} as ends_at
        from {{ ref('fct_sign_ups') }}
        where
            is_first
            {%- if days %}
            and signed_up_at >= {{ as_of() }} - {{ days_sql(days) }}
            {%- endif %}
            {%- if given.get('source') %}
            and source in ({{ texts_sql(given['source']) }})
            {%- endif %}
    {%- endset -%}
    {{ return(condition('signed_up', known, given, 'fct_sign_ups',
        words='signed up for email' ~ (' by ' ~ given['source'] | join(' or ') if given.get('source') else '')
            ~ within_in_words(days),
        ends_by='when the sign-up is older than that' if days else 'never', sql=sql)) }}
{%- endmacro %}

{#- How far messages may be personalised for them: `personalisation(of='full')`; never asked is segment. -#}
{% macro personalisation() -%}
    {%- set known = {'of': {'kind': 'words', 'of': personalisation_levels(), 'required': true}} -%}
    {%- set given = condition_arguments('personalisation', known, varargs, kwargs) -%}
    {%- set told = given['of'] | join(' or ') -%}
    {{ return(condition('personalisation', known, given, 'customer_personalisation',
        words='may be personalised at level ' ~ told, ends_by='with their next answer',
        sql=rows_of(ref('customer_personalisation'), ['level in (' ~ texts_sql(given['of']) ~ ')'],
            value='level', threshold=told, since='answered_at'))) }}
{%- endmacro %}

{#- On a list of the mail system; that is no permission: `on_list(name='Newsletter')`, without a name on any. -#}
{% macro on_list() -%}
    {%- set known = {'name': {'kind': 'texts'}} -%}
    {%- set given = condition_arguments('on_list', known, varargs, kwargs) -%}
    {%- set told = given['name'] | join(' or ') if 'name' in given else 'any' -%}
    {%- set where = ['is_member'] + (['list_name in (' ~ texts_sql(given['name']) ~ ')'] if 'name' in given else []) -%}
    {{ return(condition('on_list', known, given, 'customer_lists',
        words='on ' ~ ('the list ' ~ told if 'name' in given else 'a list of the mail system'), ends_by='on leaving the list',
        sql=latest_of(ref('customer_lists'), where,
            'joined_at', 'list_id', value='list_name', threshold=told))) }}
{%- endmacro %}
