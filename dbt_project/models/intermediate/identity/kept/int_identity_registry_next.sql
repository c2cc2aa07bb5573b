with current_identifiers as (
    select *
    from {{ ref('int_customer_identifiers') }}
    where customer_id is not null
),

registry as (
    select *
    from {{ ref('stg_ops__identity_registry') }}
),

aliases as (
    select *
    from {{ ref('int_customer_aliases_next') }}
)

select
    current_identifiers.identifier_type,
    current_identifiers.identifier_value,
    current_identifiers.customer_id,
    coalesce(registry.registered_at, {{ as_of() }}) as registered_at,
    coalesce(registry.customer_id <> current_identifiers.customer_id, true) as is_changed
from current_identifiers
left join registry
    on
        current_identifiers.identifier_type = registry.identifier_type
        and current_identifiers.identifier_value = registry.identifier_value
union all
-- Identifiers that no visible record names just now keep their place
select
    registry.identifier_type,
    registry.identifier_value,
    coalesce(aliases.customer_id, registry.customer_id) as customer_id,
    registry.registered_at,
    aliases.customer_id is not null as is_changed
from registry
left join current_identifiers
    on
        registry.identifier_type = current_identifiers.identifier_type
        and registry.identifier_value = current_identifiers.identifier_value
left join aliases on registry.customer_id = aliases.alias_id
where current_identifiers.identifier_value is null
