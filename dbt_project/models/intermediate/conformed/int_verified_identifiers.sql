{#-
    Addresses and numbers that were proved to be their owner's: a list says when, a consent was confirmed by what was
    sent there (double opt-in), or Shopify says that a customer's address is verified, without a time.
-#}
with verified as (
    select
        'email' as identifier_type,
        email as raw_value,
        verified_at
    from {{ ref('stg_contacts__contacts') }}
    where email is not null and verified_at is not null
    union all
    select
        'phone' as identifier_type,
        phone as raw_value,
        verified_at
    from {{ ref('stg_contacts__contacts') }}
    -- A row that has both says it of the address
    where phone is not null and email is null and verified_at is not null
    union all
    select
        'email' as identifier_type,
        email as raw_value,
        cast(null as timestamp) as verified_at
    from {{ ref('stg_shopify__customers') }}
    where email is not null and is_email_verified
),

identifiers as (
    select *
    from {{ ref('int_raw_identifier_customers') }}
    where identifier_type in ('email', 'phone')
),

matched as (
    select
        identifiers.identifier_type,
        identifiers.identifier_value,
        verified.verified_at
    from verified
    inner join identifiers
        on verified.identifier_type = identifiers.identifier_type and verified.raw_value = identifiers.raw_value
    union all
    -- The ledger keeps them in their matching form
    select
        identifier_type,
        identifier_value,
        occurred_at as verified_at
    from {{ ref('stg_ops__consent_events') }}
    where
        identifier_type in ('email', 'phone')
        and status = 'granted'
        and occurred_at <= {{ as_of() }}
        and {{ word_form('proof') }} in ('doubleoptin', 'confirmedoptin')
)

select
    identifier_type,
    identifier_value,
    min(verified_at) as verified_at
from matched
group by identifier_type, identifier_value
