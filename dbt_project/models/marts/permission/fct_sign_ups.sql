-- A contact record of a list, or a subscription that was granted; checkouts and imports are no sign-up.
with sign_ups as (
    select
        contacts.contact_key as sign_up_key,
        contacts.customer_id,
        contacts.source,
        contacts.created_at as signed_up_at
    from {{ ref('int_contacts_resolved') }} as contacts
    where
        contacts.customer_id is not null
        and contacts.email is not null
        and contacts.contact_source = 'contacts'
        and coalesce(contacts.source, '') not in ('', 'checkout', 'import')
    union all
    select
        consents.consent_event_id as sign_up_key,
        identifiers.customer_id,
        consents.source,
        consents.occurred_at as signed_up_at
    from {{ ref('stg_ops__consent_events') }} as consents
    inner join {{ ref('bridge_customer_identifiers') }} as identifiers
        on
            consents.identifier_type = identifiers.identifier_type
            and consents.identifier_value = identifiers.identifier_value
    where consents.channel = 'email' and consents.purpose = 'marketing' and consents.status = 'granted'
),

final as (
    select
        sign_up_key,
        customer_id,
        source,
        row_number() over (partition by customer_id order by signed_up_at, sign_up_key) = 1 as is_first,
        signed_up_at
    from sign_ups
    where signed_up_at <= {{ as_of() }}
)

select * from final
