{#-
    Each value once, and whether it may identify anybody. What blocks a value is said per type: a shop's own
    numbers (accounts, cards of its own) may be 1, 11 or 1111, so only words, zeros, the data (see
    int_refused_identifiers) or a rule by hand block them.
-#}
{%- set patterns = blocked_patterns() %}

with dictionary as (
    select
        identifier_key,
        min(identifier_type) as identifier_type,
        min(identifier_value) as identifier_value
    from {{ ref('int_identifier_values') }}
    where identifier_key is not null
    group by identifier_key
),

compared as (
    select
        *,
        lower(identifier_value) as lower_value,
        -- Words have no digits; most devices have, and cost nothing then. An address is no word either
        case
            when identifier_type not in ('email', 'phone') and not {{ text_matches('identifier_value', "'[0-9]'") }}
                then {{ word_form('identifier_value') }}
        end as word_form
    from dictionary
),

blocked_values as (
    select
        types.identifier_type,
        blocked.match_kind,
        blocked.blocked_value,
        min(blocked.reason) as reason
    from {{ ref('blocked_identifiers') }} as blocked
    inner join {{ ref('identifier_types') }} as types on blocked.identifier_type in ('*', types.identifier_type)
    where blocked.match_kind in ('exact', 'word')
    group by types.identifier_type, blocked.match_kind, blocked.blocked_value
),

exact_values as (
    select *
    from blocked_values
    where match_kind = 'exact'
),

words as (
    select *
    from blocked_values
    where match_kind = 'word'
),

block_rules as (
    select
        dictionary.identifier_key,
        min(rules.reason) as reason
    from {{ ref('stg_identity_rules__identity_rules') }} as rules
    inner join {{ ref('int_identifier_values') }} as dictionary
        on rules.type_a = dictionary.identifier_type and rules.value_a = dictionary.raw_value
    where rules.rule = 'block'
    group by dictionary.identifier_key
)

select
    compared.identifier_key,
    compared.identifier_type,
    compared.identifier_value,
    case
        when block_rules.identifier_key is not null then 'identity_rule'
        when exact_values.reason is not null then exact_values.reason
        when words.reason is not null then words.reason
        {%- for row in patterns if not row.is_role %}
        when
            {% if row.identifier_type != '*' %}compared.identifier_type = '{{ row.identifier_type }}' and {% endif -%}
            {{ text_matches('compared.lower_value', pattern(row.blocked_value)) }}
            then '{{ row.reason }}'
        {%- endfor %}
    end as block_reason,
    {%- for row in patterns if row.is_role %}
    {% if loop.first %}coalesce({% endif -%}
    (
        {% if row.identifier_type != '*' %}compared.identifier_type = '{{ row.identifier_type }}' and {% endif -%}
        {{ text_matches('compared.lower_value', pattern(row.blocked_value)) }}
    )
    {%- if loop.last %}, false){% else %} or{% endif %}
    {%- else %}
    false
    {%- endfor %} as is_role_address
from compared
left join exact_values
    on compared.lower_value = exact_values.blocked_value and compared.identifier_type = exact_values.identifier_type
left join words
    on compared.word_form = words.blocked_value and compared.identifier_type = words.identifier_type
left join block_rules on compared.identifier_key = block_rules.identifier_key
