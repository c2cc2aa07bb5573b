{#-
    A card and a phone on one receipt that says nothing else of its buyer, where the card's owner is known
    under another phone: somebody of the household paid. The phone is not taken for the owner's.
-#}
with links as (
    select *
    from {{ ref('int_identity_links_in_scope') }}
    where refusal_reason is null
),

identifiers as (
    select *
    from {{ ref('int_identifiers') }}
    where identifier_type in ('payment_card', 'phone')
),

bare_ties as (
    select
        links.key_a,
        links.key_b,
        case when identifiers_a.identifier_type = 'payment_card' then links.key_a else links.key_b end as card,
        case when identifiers_a.identifier_type = 'phone' then links.key_a else links.key_b end as phone
    from links
    inner join identifiers as identifiers_a on links.key_a = identifiers_a.identifier_key
    inner join identifiers as identifiers_b on links.key_b = identifiers_b.identifier_key
    where identifiers_a.identifier_type <> identifiers_b.identifier_type
),

owned as (
    select *
    from {{ ref('int_identity_bridge_touches') }}
),

phones as (
    select
        owned.core,
        owned.bridge_key as phone
    from owned
    inner join identifiers on owned.bridge_key = identifiers.identifier_key
    where identifiers.identifier_type = 'phone'
)

select
    bare_ties.key_a,
    bare_ties.key_b
from bare_ties
inner join owned on bare_ties.card = owned.bridge_key
inner join phones on owned.core = phones.core
group by bare_ties.key_a, bare_ties.key_b
having not bool_or(phones.phone = bare_ties.phone)
