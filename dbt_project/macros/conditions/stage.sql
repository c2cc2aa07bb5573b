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

{#- What is next for them on the path of their first persona, and due: `next_on_path(action='gift guide')`, in the words
    of the persona's file; `persona='Gift giver'` where several personas have them. -#}
{% macro next_on_path() -%}
    {%- set known = {
        'action': {'kind': 'texts', 'required': true},
        'persona': {'kind': 'texts'},
    } -%}
    {%- set given = condition_arguments('next_on_path', known, varargs, kwargs) -%}
    {%- set labels = [] -%}
    {%- for action in given['action'] -%}
        {%- do labels.append(plain_label(segment_text(action))) -%}
    {%- endfor -%}
    {%- set where = [plain_label('next_action') ~ ' in (' ~ labels | join(', ') ~ ')', 'next_due_at <= ' ~ as_of()] -%}
    {%- set whose = '' -%}
    {%- if 'persona' in given -%}
        {%- do where.append('persona in (' ~ texts_sql(given['persona']) ~ ')') -%}
        {%- set whose = ' of ' ~ given['persona'] | join(' or ') -%}
    {%- endif -%}
    {%- set told = given['action'] | join(' or ') -%}
    {{ return(condition('next_on_path', known, given, 'fct_persona_paths',
        words='the path' ~ whose ~ ' has ' ~ told ~ ' next', ends_by='when it is done, or they react otherwise',
        sql=rows_of(ref('fct_persona_paths'), where, value='next_action', threshold=told, since='next_due_at'))) }}
{%- endmacro %}
