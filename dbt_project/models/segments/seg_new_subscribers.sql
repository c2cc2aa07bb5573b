{{ config(meta={'segment': {
    'label': 'New subscribers',
    'description': 'Signed up for email in the last ' ~ var('new_subscriber_days') ~ ' days: welcome them.',
    'channel': 'email',
    'purpose': 'marketing',
    'message_kind': 'welcome',
    'plain_context': {},
    'destinations': ['file'],
    'priority': 50,
    'window_days': var('new_subscriber_days'),
}}) }}

with sign_ups as (
    select
        contacts.customer_id,
        contacts.source,
        contacts.created_at as signed_up_at,
        contacts.contact_key as sign_up_key
    from {{ ref('int_contacts_resolved') }} as contacts
    where
        contacts.customer_id is not null
        and contacts.email is not null
        and contacts.contact_source = 'contacts'
        and coalesce(contacts.source, '') not in ('', 'checkout', 'import')
    union all
    select
        identifiers.customer_id,
        consents.source,
        consents.occurred_at as signed_up_at,
        consents.consent_event_id as sign_up_key
    from {{ ref('stg_ops__consent_events') }} as consents
    inner join {{ ref('bridge_customer_identifiers') }} as identifiers
        on
            consents.identifier_type = identifiers.identifier_type
            and consents.identifier_value = identifiers.identifier_value
    where consents.channel = 'email' and consents.purpose = 'marketing' and consents.status = 'granted'
),

first_sign_ups as (
    select * from sign_ups
    where signed_up_at <= {{ as_of() }}
    qualify row_number() over (
        partition by customer_id
        order by signed_up_at, sign_up_key
    ) = 1
),

final as (
    select
        sign_ups.customer_id,
        'Signed up for email ' || {{ on_day_in_words('sign_ups.signed_up_at') }}
        || coalesce(' (' || {{ source_in_words('sign_ups.source') }} || ')', '')
        || case
            when customers.order_count = 0 then ', no order yet.'
            else ', ' || {{ count_in_words('customers.order_count', 'order', 'orders') }} || ' so far.'
        end as reason,
        {{ json_object_text({
            'source': 'sign_ups.source',
            'signed_up_at': 'sign_ups.signed_up_at',
            'order_count': 'customers.order_count',
        }) }} as context
    from first_sign_ups as sign_ups
    inner join {{ ref('dim_customers') }} as customers on sign_ups.customer_id = customers.customer_id
    where sign_ups.signed_up_at >= {{ before_as_of(var('new_subscriber_days'), 'day') }}
)

select * from final
