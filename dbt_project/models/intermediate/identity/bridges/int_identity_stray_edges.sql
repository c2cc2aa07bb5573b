{#-
    Edges by which a record without a name would connect two people, each refused by itself: those of
    `int_identity_nameless_edges`, and those between cards, phones and devices on records without an account
    or address. The latter stay if both ends were seen under one and the same name, with one account or
    address, or with nothing but each other; and where one is a device that was seen with nothing but the
    other, which is a login at a publisher or a push address: nobody else is connected by it.
-#}
with edges as (
    select
        key_a,
        key_b,
        case when is_bridge_a then key_a else key_b end as bridge_key,
        case when is_bridge_a then key_b else key_a end as other_key,
        is_bridge_a and is_bridge_b as is_bare
    from {{ ref('int_identity_edges_in_scope') }}
    where refusal_reason is null and (is_bridge_a or is_bridge_b)
),

nameless as (
    select *
    from {{ ref('int_identity_nameless_edges') }}
),

bridge_cores as (
    select
        bridge_cores.bridge_key,
        bridge_cores.core,
        nameless.core is not null as is_stray
    from {{ ref('int_identity_bridge_cores') }} as bridge_cores
    left join nameless on bridge_cores.bridge_key = nameless.bridge_key and bridge_cores.core = nameless.core
),

known as (
    select distinct bridge_key
    from bridge_cores
),

bare as (
    select
        edges.key_a,
        edges.key_b,
        identifiers_a.identifier_type as type_a,
        identifiers_b.identifier_type as type_b
    from edges
    inner join {{ ref('int_identifiers') }} as identifiers_a on edges.key_a = identifiers_a.identifier_key
    inner join {{ ref('int_identifiers') }} as identifiers_b on edges.key_b = identifiers_b.identifier_key
    where edges.is_bare
),

sides as (
    select
        key_a,
        key_b,
        key_a as bridge_key,
        count(*) over (partition by key_a, type_b) as partner_count
    from bare
    union all
    select
        key_a,
        key_b,
        key_b as bridge_key,
        count(*) over (partition by key_b, type_a) as partner_count
    from bare
),

of_one_core as (
    select distinct
        bare.key_a,
        bare.key_b
    from bare
    inner join bridge_cores as cores_a on bare.key_a = cores_a.bridge_key and not cores_a.is_stray
    inner join bridge_cores as cores_b on bare.key_b = cores_b.bridge_key and not cores_b.is_stray
    where cores_a.core = cores_b.core
),

-- Devices as ends of a chain: no account, no address, one partner
ends as (
    select
        min(key_a) as key_a,
        min(key_b) as key_b
    from (
        select
            key_a as device_key,
            type_b as partner_type,
            key_a,
            key_b
        from bare
        where type_a = 'device'
        union all
        select
            key_b as device_key,
            type_a as partner_type,
            key_a,
            key_b
        from bare
        where type_b = 'device'
    ) as partners
    left join known on partners.device_key = known.bridge_key
    where known.bridge_key is null
    group by partners.device_key
    having count(*) = 1 and min(partners.partner_type) in ({{ quoted(lent_identifier_types()) }})
),

judged as (
    select
        sides.key_a,
        sides.key_b,
        max(sides.partner_count) = 1 and count(known.bridge_key) = 0 as are_alone,
        count(names.full_name) = 2 as have_names,
        max(names.name_count) = 1 and min(names.full_name) = max(names.full_name) as have_one_name
    from sides
    left join known on sides.bridge_key = known.bridge_key
    left join {{ ref('int_identity_bridge_names') }} as names on sides.bridge_key = names.bridge_key
    group by sides.key_a, sides.key_b
)

select
    edges.key_a,
    edges.key_b,
    nameless.refusal_reason
from edges
left join {{ ref('int_identity_cores') }} as cores on edges.other_key = cores.node
inner join nameless
    on edges.bridge_key = nameless.bridge_key and coalesce(cores.component, edges.other_key) = nameless.core
where not edges.is_bare
union all
select
    judged.key_a,
    judged.key_b,
    case when judged.have_names then 'several_people' else 'unnamed_record' end as refusal_reason
from judged
left join of_one_core on judged.key_a = of_one_core.key_a and judged.key_b = of_one_core.key_b
left join ends on judged.key_a = ends.key_a and judged.key_b = ends.key_b
where
    of_one_core.key_a is null
    and ends.key_a is null
    and not judged.are_alone
    and not (judged.have_names and judged.have_one_name)
