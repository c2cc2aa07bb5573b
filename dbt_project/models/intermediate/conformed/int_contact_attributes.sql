{#- Traits that lists state under names of their own, with whose they are. -#}
with attributes as (
    select
        contact_key,
        'contacts' as contact_source,
        source,
        email,
        phone,
        coalesce(orders_customer_id, loyalty_id, '') as own_id,
        case when orders_customer_id is not null then 'orders_customer_id' else 'loyalty_id' end as own_id_type,
        name,
        value,
        created_at,
        _dlt_load_id,
        _line
    from {{ ref('stg_contacts__attributes') }}
    union all
    select
        contact_key,
        'klaviyo' as contact_source,
        null as source,
        null as email,
        null as phone,
        klaviyo_profile_id as own_id,
        'klaviyo_profile_id' as own_id_type,
        name,
        value,
        null as created_at,
        _dlt_load_id,
        null as _line
    from {{ ref('stg_klaviyo__profile_properties') }}
),

customers as (
    select *
    from {{ ref('int_raw_identifier_customers') }}
),

owned as (
    select
        attributes.*,
        coalesce(own_ids.customer_id, emails.customer_id, phones.customer_id) as customer_id,
        {{ trait_name('attributes.name') }} as trait,
        {{ words_of_a_person('attributes.value', 'text') }} as plain_value
    from attributes
    left join customers as own_ids
        on attributes.own_id = own_ids.raw_value and attributes.own_id_type = own_ids.identifier_type
    left join customers as emails on attributes.email = emails.raw_value and emails.identifier_type = 'email'
    left join customers as phones on attributes.phone = phones.raw_value and phones.identifier_type = 'phone'
)

select
    contact_key,
    customer_id,
    trait,
    plain_value as value,
    contact_source,
    source,
    created_at,
    _dlt_load_id,
    _line
from owned
where customer_id is not null and plain_value is not null and {{ is_trait_name('trait') }}
