with latest as (
    {{ latest_versions(
        source('raw_identity_rules', 'identity_rules'),
        ['rule', 'type_a', 'value_a', 'type_b', 'value_b']
    ) | indent(4) }}
)

select
    lower(trim(rule)) as rule,
    lower(trim(type_a)) as type_a,
    nullif(trim(value_a), '') as value_a,
    lower(nullif(trim(type_b), '')) as type_b,
    nullif(trim(value_b), '') as value_b,
    reason,
    _row_id
from latest
