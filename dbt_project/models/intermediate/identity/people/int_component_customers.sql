{#-
    The customer id of each component. The registry keeps what an earlier run gave:
    a component that holds one registered id keeps it; of several (a merge) the oldest survives and the
    others become aliases; an id that several components hold (a split) stays with the part that has the
    better evidence. Whoever has none is born: the hash of the first identifier by time, type and value.
-#}
with registry as (
    select *
    from {{ ref('stg_ops__identity_registry') }}
    where registered_at <= {{ as_of() }}
),

registered as (
    select
        members.*,
        registry.customer_id,
        registry.registered_at
    from registry
    inner join {{ ref('int_identity_members') }} as members
        on
            registry.identifier_type = members.identifier_type
            and registry.identifier_value = members.identifier_value
),

id_ages as (
    select
        customer_id,
        min(registered_at) as registered_at,
        min(first_seen_at) as first_seen_at
    from registered
    group by customer_id
),

claims as (
    select
        customer_id,
        component,
        min(evidence_rank) as evidence_rank,
        count(*) as identifier_count,
        min(first_seen_at) as first_seen_at,
        min(concat_ws('', identifier_type, '|', identifier_value)) as first_value
    from registered
    group by customer_id, component
),

awarded as (
    select
        customer_id,
        component
    from claims
    qualify row_number() over (
        partition by customer_id
        order by evidence_rank, identifier_count desc, first_seen_at, first_value
    ) = 1
),

ranked as (
    select
        awarded.component,
        awarded.customer_id,
        row_number() over (
            partition by awarded.component
            order by id_ages.registered_at, id_ages.first_seen_at, awarded.customer_id
        ) as age_rank
    from awarded
    inner join id_ages on awarded.customer_id = id_ages.customer_id
),

without_id as (
    select
        members.component,
        members.is_alone,
        members.identifier_type,
        members.identifier_value,
        members.first_seen_at
    from {{ ref('int_identity_members') }} as members
    left join ranked on members.component = ranked.component
    where ranked.component is null
),

first_identifiers as (
    select
        component,
        identifier_type,
        identifier_value
    from without_id
    where is_alone
    union all
    select
        component,
        identifier_type,
        identifier_value
    from without_id
    where not is_alone
    qualify row_number() over (
        partition by component order by first_seen_at, identifier_type, identifier_value
    ) = 1
),

born as (
    select
        first_identifiers.component,
        -- After a split the other part may hold the id that this identifier gave birth to
        case
            when ranked.customer_id is null then {{ hash_key(['identifier_type', 'identifier_value']) }}
            else {{ hash_key(['identifier_type', 'identifier_value', "'split'"]) }}
        end as customer_id
    from first_identifiers
    left join ranked
        on {{ hash_key(['first_identifiers.identifier_type', 'first_identifiers.identifier_value']) }} = ranked.customer_id
)

select
    component,
    customer_id,
    age_rank = 1 as is_current,
    false as is_newly_born
from ranked
union all
select
    component,
    customer_id,
    true as is_current,
    true as is_newly_born
from born
