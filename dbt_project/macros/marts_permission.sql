{#-
    Permission as the models see it: the same rule as the gate that decides at the moment of sending
    (orchestration/activation/gate.py), worked out from the facts as of the run. A test compares the
    two person by person.
-#}

{% macro contact_channels() -%}
    {{ return(['email', 'sms', 'push', 'ads', 'onsite']) }}
{%- endmacro %}

{% macro contact_purposes() -%}
    {{ return(['marketing', 'personalisation', 'ads', 'sell_share', 'transactional']) }}
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

{#- Which identifiers are an address on which channel, the preferred kind first, as rows. -#}
{% macro channel_address_types() -%}
    {%- set kinds = [
        ('email', 'email', 1), ('sms', 'phone', 1), ('push', 'device', 1),
        ('ads', 'email', 1), ('ads', 'phone', 2), ('onsite', 'login', 1), ('onsite', 'device', 2),
    ] -%}
    {%- for channel, identifier_type, position in kinds %}
    select
        '{{ channel }}' as channel,
        '{{ identifier_type }}' as identifier_type,
        {{ position }} as kind_position
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
{%- endmacro %}

{#- How far personalisation may go, the least first. -#}
{% macro personalisation_levels() -%}
    {{ return(['none', 'segment', 'full']) }}
{%- endmacro %}

{% macro personalisation_rank(level) -%}
    case {{ level }}
        {%- for level_word in personalisation_levels() %}
        when '{{ level_word }}' then {{ loop.index }}
        {%- endfor %}
    end
{%- endmacro %}

{#- Reasons against, the strictest first. -#}
{% macro refusal_reasons() -%}
    {{ return([
        'spam_report', 'unsubscribed', 'manual', 'gpc', 'unknown_opt_out', 'revoked', 'denied',
        'hard_bounce', 'unconfirmed', 'expired', 'no_consent', 'no_address',
    ]) }}
{%- endmacro %}

{#- What a person said themselves, which a newer opt-in undoes. -#}
{% macro clearable_reasons() -%}
    {{ return(['spam_report', 'unsubscribed', 'revoked', 'denied']) }}
{%- endmacro %}

{#- Whether a refusal still holds beside the newest opt-in with its evidence (NULL: there is none). -#}
{% macro is_in_force(reason, refused_at, evidenced_at) -%}
    {{ reason }} not in ({{ quoted(clearable_reasons()) }})
    or {{ evidenced_at }} is null
    or date_trunc('second', {{ evidenced_at }}) <= date_trunc('second', {{ refused_at }})
{%- endmacro %}

{#- Whether an opt-in can be shown: what the person saw, or a proof. -#}
{% macro is_evidenced() -%}
    coalesce(wording_version, '') <> '' or coalesce(proof, '') <> ''
{%- endmacro %}

{#- What an opt-out says; a word we do not know is still a no. -#}
{% macro opt_out_reason(written) -%}
    case
        when {{ written }} in (
            'spam_report', 'unsubscribed', 'manual', 'gpc', 'revoked', 'denied', 'hard_bounce'
        ) then {{ written }}
        else 'unknown_opt_out'
    end
{%- endmacro %}

{% macro refusal_rank(reason) -%}
    case {{ reason }}
        {%- for reason_word in refusal_reasons() %}
        when '{{ reason_word }}' then {{ loop.index }}
        {%- endfor %}
    end
{%- endmacro %}

{% macro refusal_of_rank(rank) -%}
    case {{ rank }}
        {%- for reason_word in refusal_reasons() %}
        when {{ loop.index }} then '{{ reason_word }}'
        {%- endfor %}
    end
{%- endmacro %}
