{#- Two cores that a card, phone or device would connect. Most of these values were seen with one core. -#}
with bridge_cores as (
    select *
    from {{ ref('int_identity_bridge_cores') }}
),

several as (
    select bridge_key
    from bridge_cores
    group by bridge_key
    having count(*) > 1
),

between_cores as (
    select
        bridge_cores.bridge_key,
        bridge_cores.core,
        identifiers.identifier_type in ({{ quoted(lent_identifier_types()) }}) as by_device
    from bridge_cores
    inner join several on bridge_cores.bridge_key = several.bridge_key
    inner join {{ ref('int_identifiers') }} as identifiers on bridge_cores.bridge_key = identifiers.identifier_key
)

select
    firsts.bridge_key,
    firsts.core as core_a,
    seconds.core as core_b,
    firsts.by_device
from between_cores as firsts
inner join between_cores as seconds
    on firsts.bridge_key = seconds.bridge_key and firsts.core < seconds.core
