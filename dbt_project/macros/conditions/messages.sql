{#- Conditions on messages to people. "Has not received" is none=[got_message(…)]. An open alone decides nothing, so
    none asks for opens; a machine's clicks are no clicks. -#}

{#- Messages that were sent to them: `got_message(channel='email', within_days=7)`. -#}
{% macro got_message() -%}
    {%- set known = {
        'channel': {'kind': 'words', 'of': ['email', 'sms', 'push']}, 'message_kind': {'kind': 'texts'},
        'campaign': {'kind': 'texts'}, 'flow': {'kind': 'texts'},
        'at_least': {'kind': 'count', 'default': 1}, 'within_days': {'kind': 'days'},
    } -%}
    {%- set given = condition_arguments('got_message', known, varargs, kwargs) -%}
    {{ return(condition('got_message', known, given, 'fct_messages',
        words=counted_in_words(given, 'message', 'messages') ~ message_in_words(given) ~ within_in_words(given.get('within_days')),
        ends_by=counted_ends_by(given, given.get('within_days'), 'message', 'messages'),
        sql=messages_sql(given, 'sent_at'))) }}
{%- endmacro %}

{#- Clicks on messages: `clicked_message(within_days=30)`. -#}
{% macro clicked_message() -%}
    {%- set known = {
        'channel': {'kind': 'words', 'of': ['email', 'sms', 'push']}, 'message_kind': {'kind': 'texts'},
        'campaign': {'kind': 'texts'}, 'flow': {'kind': 'texts'},
        'at_least': {'kind': 'count', 'default': 1}, 'within_days': {'kind': 'days'},
    } -%}
    {%- set given = condition_arguments('clicked_message', known, varargs, kwargs) -%}
    {{ return(condition('clicked_message', known, given, 'fct_messages',
        words=counted_in_words(given, 'click', 'clicks') ~ message_in_words(given) ~ within_in_words(given.get('within_days')),
        ends_by=counted_ends_by(given, given.get('within_days'), 'click', 'clicks'),
        sql=messages_sql(given, 'clicked_at'))) }}
{%- endmacro %}

{% macro messages_sql(given, moment) -%}
    {%- set where = [moment ~ ' is not null', 'customer_id is not null'] -%}
    {%- for name, column in [
        ('channel', 'channel'), ('message_kind', 'message_kind'), ('campaign', 'campaign_id'), ('flow', 'flow_id')]
        if name in given -%}
        {%- do where.append(column ~ ' in (' ~ texts_sql(given[name]) ~ ')') -%}
    {%- endfor -%}
    {%- if 'within_days' in given -%}
        {%- do where.append(since_days(moment, given['within_days'])) -%}
    {%- endif -%}
    {{ return(counted_events(
        "select customer_id, message_id as event_id, '' as event_source, " ~ moment ~ ' as occurred_at, cast(' ~ moment
        ~ ' as date) as occurred_on from ' ~ ref('fct_messages') ~ ' where ' ~ where | join(' and '),
        given, given.get('within_days'))) }}
{%- endmacro %}

{% macro message_in_words(given) -%}
    {%- set parts = [] -%}
    {%- for name in ['channel', 'message_kind', 'campaign', 'flow'] if name in given -%}
        {%- do parts.append(given[name] | join(' or ')) -%}
    {%- endfor -%}
    {{ return(' (' ~ parts | join(', ') ~ ')' if parts else '') }}
{%- endmacro %}
