{#- Channels and purposes of permission, and how strictly events are read. -#}

{% macro contact_channels() -%}
    {{ return(['email', 'sms', 'push', 'ads', 'onsite']) }}
{%- endmacro %}

{% macro contact_purposes() -%}
    {{ return(['marketing', 'personalisation', 'ads', 'transactional']) }}
{%- endmacro %}

{#- Every channel and purpose, as rows. -#}
{% macro contact_policies() -%}
    {%- for channel in contact_channels() %}
    {%- set last_channel = loop.last %}
    {%- for purpose in contact_purposes() %}
    select
        '{{ channel }}' as channel,
        '{{ purpose }}' as purpose
    {%- if not (last_channel and loop.last) %}
    union all
    {%- endif %}
    {%- endfor %}
    {%- endfor %}
{%- endmacro %}

{#-
    What the latest consent event of an identifier means at the run's time. Anything but a clear
    grant with a source is no permission: an unknown word fails closed.
-#}
{% macro consent_state(status, source, proof, expires_at) -%}
    case
        when {{ status }} in ('denied', 'revoked') then {{ status }}
        when {{ status }} <> 'granted' then 'unknown'
        when {{ source }} is null or {{ source }} = '' then 'no_source'
        when {{ expires_at }} <= {{ as_of() }} then 'expired'
        {%- if var('double_opt_in') %}
        when {{ proof }} is null or {{ proof }} = '' then 'unconfirmed'
        {%- endif %}
        else 'granted'
    end
{%- endmacro %}

{#- Order among the identifiers of one person: a refusal anywhere beats a grant elsewhere. -#}
{% macro consent_strictness(state) -%}
    case {{ state }}
        when 'revoked' then 1
        when 'denied' then 1
        when 'granted' then 2
        when 'unconfirmed' then 3
        when 'expired' then 4
        else 5
    end
{%- endmacro %}

{#- A person's own wish comes before a fact about one address. -#}
{% macro suppression_rank(reason) -%}
    case {{ reason }}
        when 'spam_report' then 1
        when 'unsubscribed' then 2
        when 'manual' then 3
        when 'gpc' then 4
        when 'hard_bounce' then 6
        else 5
    end
{%- endmacro %}
