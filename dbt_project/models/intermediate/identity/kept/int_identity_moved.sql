{#- Identifiers whose customer is another than the one that the registry remembers. -#}
with moves as (
    select *
    from {{ ref('stg_ops__identity_moves') }}
    where moved_at <= {{ as_of() }}
),

-- A value that was refused belongs to nobody until a move says otherwise
last_moves as (
    select
        identifier_type,
        identifier_value,
        to_customer_id
    from moves
    qualify row_number() over (partition by identifier_type, identifier_value order by moved_at desc) = 1
),

registry as (
    select
        registry.identifier_type,
        registry.identifier_value,
        registry.registered_at,
        case
            when last_moves.identifier_type is null or last_moves.to_customer_id is not null
                then registry.customer_id
        end as customer_id
    from {{ ref('stg_ops__identity_registry') }} as registry
    left join last_moves
        on
            registry.identifier_type = last_moves.identifier_type
            and registry.identifier_value = last_moves.identifier_value
    where registry.registered_at <= {{ as_of() }}
),

owners as (
    select
        identifiers.identifier_key,
        identifiers.identifier_type,
        identifiers.identifier_value,
        registry.customer_id as from_customer_id,
        identifiers.customer_id as to_customer_id,
        coalesce(identifiers.block_reason, identifiers.share_reason) as value_reason,
        registry.registered_at
    from {{ ref('int_customer_identifiers') }} as identifiers
    inner join registry
        on
            identifiers.identifier_type = registry.identifier_type
            and identifiers.identifier_value = registry.identifier_value
),

living as (
    select distinct to_customer_id as customer_id
    from owners
    where to_customer_id is not null
),

moved as (
    select
        owners.*,
        case
            when owners.to_customer_id is null then 'refused'
            when owners.from_customer_id is null then 'restored'
            when living.customer_id is null then 'merged'
            else 'split'
        end as move_type
    from owners
    left join living on owners.from_customer_id = living.customer_id
    where owners.from_customer_id is distinct from owners.to_customer_id
)

select * from moved
