{#- Conditions on intent and interests, which halve as days go by. -#}

{#- How likely an order within a week is, where that was proven: `intent(at_least=0.3)`. -#}
{% macro intent() -%}
    {%- set known = {'at_least': {'kind': 'share'}, 'at_most': {'kind': 'share'}} -%}
    {%- set given = condition_arguments('intent', known, varargs, kwargs) -%}
    {%- set told = range_in_words('intent', given) -%}
    {{ return(condition('intent', known, given, 'fct_customer_intent',
        words='an intent of ' ~ told, ends_by='as signals get older, or with an order',
        sql=rows_of(ref('fct_customer_intent'), ['is_current'] + range_where('intent', given),
            value='cast(cast(intent as decimal(9, 3)) as ' ~ dbt.type_string() ~ ')', threshold=told, since='signal_at'))) }}
{%- endmacro %}

{#- Interested in a category or a topic, anonymous people too: `interested_in(category='Kitchen')`. A score of 1 is one
    product looked at today. -#}
{% macro interested_in() -%}
    {%- set known = {
        'category': {'kind': 'texts'}, 'topic': {'kind': 'texts'},
        'at_least': {'kind': 'amount', 'default': 1}, 'among_first': {'kind': 'count'},
    } -%}
    {%- set given = condition_arguments('interested_in', known, varargs, kwargs) -%}
    {%- if ('category' in given) == ('topic' in given) -%}
        {%- do segment_fault('interested_in() needs a category or a topic, and one of them alone') -%}
    {%- endif -%}
    {%- set kind = 'category' if 'category' in given else 'topic' -%}
    {%- set where = [
        "interest_kind = '" ~ kind ~ "'", 'interest in (' ~ texts_sql(given[kind]) ~ ')', 'score >= ' ~ given['at_least'],
    ] -%}
    {%- if 'among_first' in given -%}
        {%- do where.append('interest_rank <= ' ~ given['among_first']) -%}
    {%- endif -%}
    {{ return(condition('interested_in', known, given, 'customer_interests',
        words='interested in ' ~ given[kind] | join(' or '), ends_by='as signals get older',
        sql=latest_of(ref('customer_interests'), where, 'last_signal_at', 'interest', value='interest',
            threshold='a score of at least ' ~ given['at_least']))) }}
{%- endmacro %}
