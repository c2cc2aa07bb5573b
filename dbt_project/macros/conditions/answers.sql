{#- Conditions on questions about permission and what people answered. -#}

{#- Known, and neither yes nor no holds: never answered, or the answer ran out: `unanswered(about='email')`, for
    marketing. Who refused is not in it. -#}
{% macro unanswered() -%}
    {%- set known = {
        'about': {'kind': 'word', 'of': ['personalisation'] + contact_channels(), 'required': true},
    } -%}
    {%- set given = condition_arguments('unanswered', known, varargs, kwargs) -%}
    {%- set about = given['about'] -%}
    {%- set reasons = ['never_asked', 'no_consent', 'expired', 'unconfirmed'] -%}
    {%- set source = 'customer_personalisation' if about == 'personalisation' else 'contactability' -%}
    {%- set sql -%}
        select
            answers.customer_id,
            answers.reason as value,
            'neither yes nor no' as threshold,
            people.first_seen_at as since,
            cast(null as timestamp) as ends_at
        {%- if about == 'personalisation' %}
        from {{ ref('customer_personalisation') }} as answers
        {%- else %}
        from {{ ref('contactability') }} as answers
        {%- endif %}
        inner join {{ ref('dim_customers') }} as people on answers.customer_id = people.customer_id
        where
            people.is_known
            and answers.reason in ({{ texts_sql(reasons) }})
            {%- if about != 'personalisation' %}
            and answers.channel = '{{ about }}'
            and answers.purpose = 'marketing'
            {%- endif %}
    {%- endset -%}
    {{ return(condition('unanswered', known, given, source,
        words='neither yes nor no to ' ~ about, negated='an answer about ' ~ about, ends_by='with their answer', sql=sql)) }}
{%- endmacro %}

{#- When the shop last asked them: `asked(about='personalisation', within_days=90)`; about a channel, for marketing. -#}
{% macro asked() -%}
    {%- set known = {
        'about': {'kind': 'word', 'of': ['personalisation'] + contact_channels(), 'required': true},
        'within_days': {'kind': 'days'},
        'older_than_days': {'kind': 'days'},
    } -%}
    {%- set given = condition_arguments('asked', known, varargs, kwargs) -%}
    {%- set is_dated = 'within_days' in given or 'older_than_days' in given -%}
    {%- set about = given['about'] -%}
    {%- set moments -%}
        {%- if about == 'personalisation' -%}
        select customer_id, requested_at as last_at from {{ ref('customer_personalisation') }}
        {%- else -%}
        select customer_id, requested_at as last_at from {{ ref('contactability') }}
        where channel = '{{ about }}' and purpose = 'marketing'
        {%- endif -%}
    {%- endset -%}
    {{ return(condition('asked', known, given,
        'customer_personalisation' if about == 'personalisation' else 'contactability',
        words='asked about ' ~ about ~ (', the last time' ~ last_in_words('asked', given) if is_dated else ''),
        ends_by=last_ends_by(given, 'question') if is_dated else 'never',
        sql=last_moment_within(moments, given))) }}
{%- endmacro %}
