{#-
    Cards, devices and what is lent like these (`lent_identifier_types`), of somebody with a name, and an
    account or address without one that was seen with them: somebody of the household may have paid or used
    the tablet. A card is somebody's if another core or any full name was seen with it; a device is if a core
    with a name was. The owner's after all is an address that bears the owner's first name, and one on a
    device if neither was seen on another.
-#}
with full_names as (
    select
        core,
        split_part(fact, ' ', 1) as first_name,
        fact_count = 1 as is_certain
    from {{ ref('int_identity_core_facts') }}
    where fact_type = 'full_name'
),

bridge_cores as (
    select
        bridge_cores.bridge_key,
        bridge_cores.core,
        identifiers.identifier_type,
        full_names.core is not null as is_named,
        case when full_names.is_certain then full_names.first_name end as first_name,
        count(*) over (partition by bridge_cores.core, identifiers.identifier_type) as bridge_count
    from {{ ref('int_identity_bridge_cores') }} as bridge_cores
    inner join {{ ref('int_identifiers') }} as identifiers on bridge_cores.bridge_key = identifiers.identifier_key
    left join full_names on bridge_cores.core = full_names.core
    where identifiers.identifier_type in ('payment_card', {{ quoted(lent_identifier_types()) }})
),

-- Apart from the owners, so that no engine compares every word with everybody of that first name
called as (
    select distinct
        bridge_cores.bridge_key,
        bridge_cores.core,
        words.word
    from bridge_cores
    inner join {{ ref('int_identity_address_words') }} as words on bridge_cores.core = words.core
),

by_their_address as (
    select distinct
        called.bridge_key,
        called.core
    from called
    inner join bridge_cores as owners on called.bridge_key = owners.bridge_key and called.word = owners.first_name
),

somebodys_cards as (
    select
        bridge_key,
        identifier_type
    from bridge_cores
    where identifier_type = 'payment_card'
    group by bridge_key, identifier_type
    having count(*) > 1
    union
    select
        bridge_key,
        'payment_card' as identifier_type
    from {{ ref('int_identity_bridge_names') }}
),

somebodys_devices as (
    select
        bridge_key,
        max(bridge_count) as device_count
    from bridge_cores
    where identifier_type in ({{ quoted(lent_identifier_types()) }}) and is_named
    group by bridge_key
),

-- Joined by what is equal alone: a condition on one side of a left join makes an engine compare all with all
judged as (
    select
        bridge_cores.bridge_key,
        bridge_cores.core,
        case
            when cards.bridge_key is not null then 'unnamed_record'
            when devices.bridge_key is not null and greatest(devices.device_count, bridge_cores.bridge_count) > 1
                then 'unnamed_visitor'
        end as refusal_reason
    from bridge_cores
    left join somebodys_cards as cards
        on bridge_cores.bridge_key = cards.bridge_key and bridge_cores.identifier_type = cards.identifier_type
    left join somebodys_devices as devices on bridge_cores.bridge_key = devices.bridge_key
    where not bridge_cores.is_named
)

select
    judged.bridge_key,
    judged.core,
    judged.refusal_reason
from judged
left join by_their_address
    on judged.bridge_key = by_their_address.bridge_key and judged.core = by_their_address.core
where judged.refusal_reason is not null and by_their_address.core is null
