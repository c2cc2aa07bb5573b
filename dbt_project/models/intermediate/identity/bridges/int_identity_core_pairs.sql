{#- Two cores that a card, phone or device would tie together. Most of these values touch one core. -#}
with touches as (
    select *
    from {{ ref('int_identity_bridge_cores') }}
),

several as (
    select bridge_key
    from touches
    group by bridge_key
    having count(*) > 1
),

between_cores as (
    select
        touches.bridge_key,
        touches.core,
        identifiers.identifier_type = 'device' as by_device
    from touches
    inner join several on touches.bridge_key = several.bridge_key
    inner join {{ ref('int_identifiers') }} as identifiers on touches.bridge_key = identifiers.identifier_key
)

select
    firsts.bridge_key,
    firsts.core as core_a,
    seconds.core as core_b,
    firsts.by_device
from between_cores as firsts
inner join between_cores as seconds
    on firsts.bridge_key = seconds.bridge_key and firsts.core < seconds.core
