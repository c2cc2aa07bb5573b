{#- Each value once, and whether it may identify anybody. -#}
{%- set blocked = blocked_patterns() %}

with dictionary as (
    select
        identifier_key,
        min(identifier_type) as identifier_type,
        min(identifier_value) as identifier_value
    from {{ ref('int_identifier_values') }}
    where identifier_key is not null
    group by identifier_key
),

blocked_values as (
    select *
    from {{ ref('blocked_identifiers') }}
    where match_kind = 'exact'
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
),

reasons as (
    select
        dictionary.*,
        case
            when block_rules.identifier_key is not null then 'identity_rule'
            when any_type.reason is not null then any_type.reason
            when own_type.reason is not null then own_type.reason
            {%- for row in blocked %}
            when
                {% if row.identifier_type != '*' %}dictionary.identifier_type = '{{ row.identifier_type }}' and {% endif -%}
                {{ text_matches('lower(dictionary.identifier_value)', "'" ~ row.blocked_value ~ "'") }}
                then '{{ row.reason }}'
            {%- endfor %}
        end as block_reason
    from dictionary
    left join blocked_values as any_type
        on lower(dictionary.identifier_value) = any_type.blocked_value and any_type.identifier_type = '*'
    left join blocked_values as own_type
        on
            lower(dictionary.identifier_value) = own_type.blocked_value
            and dictionary.identifier_type = own_type.identifier_type
    left join block_rules on dictionary.identifier_key = block_rules.identifier_key
)

select
    identifier_key,
    identifier_type,
    identifier_value,
    block_reason
from reasons
