{#- Everything that sources say about people themselves, one row per address in a list, profile or form. -#}
with customers as (
    select *
    from {{ ref('int_raw_identifier_customers') }}
),

country_names as (
    select *
    from {{ ref('country_names') }}
),

stated as (
    select *
    from {{ ref('int_web_stated_contacts') }}
),

unioned as (
    select
        contacts.contact_key,
        'contacts' as contact_source,
        contacts.source,
        contacts.email,
        contacts.phone,
        contacts.first_name,
        contacts.last_name,
        contacts.birthday,
        contacts.gender,
        contacts.job,
        contacts.country,
        contacts.region,
        contacts.postcode,
        contacts.timezone,
        contacts.loyalty_id,
        contacts.loyalty_tier,
        contacts.preferred_channel,
        contacts.created_at,
        contacts.created_at as updated_at,
        contacts.attributes,
        coalesce(grades.evidence_grade, 'import') as evidence_grade,
        coalesce(contacts.orders_customer_id, contacts.loyalty_id, '') as own_id,
        case when contacts.orders_customer_id is not null then 'orders_customer_id' else 'loyalty_id' end
            as own_id_type
    from {{ ref('stg_contacts__contacts') }} as contacts
    left join {{ ref('contact_source_grades') }} as grades on contacts.source = grades.contact_source
    union all
    select
        contact_key,
        'klaviyo' as contact_source,
        'klaviyo' as source,
        email,
        phone,
        first_name,
        last_name,
        null as birthday,
        null as gender,
        null as job,
        country,
        null as region,
        postcode,
        timezone,
        null as loyalty_id,
        null as loyalty_tier,
        null as preferred_channel,
        created_at,
        updated_at,
        null as attributes,
        case when lower(email_consent) = 'subscribed' then 'newsletter' else 'import' end as evidence_grade,
        klaviyo_profile_id as own_id,
        'klaviyo_profile_id' as own_id_type
    from {{ ref('stg_klaviyo__profiles') }}
    union all
    select
        contact_key,
        'shopify' as contact_source,
        'checkout' as source,
        email,
        phone,
        first_name,
        last_name,
        null as birthday,
        null as gender,
        null as job,
        country_code as country,
        region,
        postcode,
        null as timezone,
        null as loyalty_id,
        null as loyalty_tier,
        null as preferred_channel,
        created_at,
        updated_at,
        null as attributes,
        'checkout' as evidence_grade,
        shopify_customer_id as own_id,
        'shopify_customer_id' as own_id_type
    from {{ ref('stg_shopify__customers') }}
    union all
    select
        contact_key,
        'web_traits' as contact_source,
        source,
        email,
        phone,
        first_name,
        last_name,
        null as birthday,
        null as gender,
        null as job,
        null as country,
        null as region,
        null as postcode,
        null as timezone,
        null as loyalty_id,
        null as loyalty_tier,
        null as preferred_channel,
        created_at,
        created_at as updated_at,
        null as attributes,
        evidence_grade,
        coalesce(login_id, device_id, '') as own_id,
        case when login_id is not null then 'login' else 'device' end as own_id_type
    from stated
)

select
    unioned.contact_key,
    coalesce(own_ids.customer_id, emails.customer_id, phones.customer_id) as customer_id,
    unioned.contact_source,
    unioned.source,
    case when unioned.contact_source in ('klaviyo', 'shopify') then unioned.own_id else unioned.contact_key end
        as source_record_id,
    coalesce(emails.identifier_value, unioned.email) as email,
    coalesce(phones.identifier_value, {{ phone_as_written('unioned.phone') }}) as phone,
    unioned.first_name,
    unioned.last_name,
    unioned.birthday,
    unioned.gender,
    unioned.job,
    country_names.country_code,
    unioned.region,
    unioned.postcode,
    unioned.timezone,
    unioned.loyalty_id,
    unioned.loyalty_tier,
    unioned.preferred_channel,
    unioned.created_at,
    unioned.updated_at,
    unioned.attributes,
    unioned.evidence_grade
from unioned
left join customers as own_ids
    on unioned.own_id = own_ids.raw_value and unioned.own_id_type = own_ids.identifier_type
left join customers as emails on unioned.email = emails.raw_value and emails.identifier_type = 'email'
left join customers as phones on unioned.phone = phones.raw_value and phones.identifier_type = 'phone'
left join country_names on lower(unioned.country) = country_names.country_name
