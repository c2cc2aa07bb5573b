{{ config(materialized='view') }}

with contacts as (
    select
        contacts.*,
        coalesce(grades.evidence_rank, 6) as evidence_rank
    from {{ ref('stg_contacts__contacts') }} as contacts
    left join {{ ref('contact_source_grades') }} as sources on contacts.source = sources.contact_source
    left join {{ ref('evidence_grades') }} as grades on sources.evidence_grade = grades.evidence_grade
),

klaviyo as (
    select *
    from {{ ref('stg_klaviyo__profiles') }}
),

shopify as (
    select *
    from {{ ref('stg_shopify__customers') }}
)

select
    'contacts' as source_system,
    source as rule,
    evidence_rank,
    contact_key as source_record_id,
    coalesce(created_at, {{ as_of() }}) as observed_at,
    coalesce(created_at, {{ as_of() }}) as last_seen_at,
    1 as observation_count,
    {{ written_name('first_name', 'last_name') }} as person_name,
    {{ identifier_columns({
        'orders_customer_id': 'orders_customer_id',
        'email': 'email',
        'phone': 'phone',
        'loyalty_id': 'loyalty_id',
    }) }}
from contacts
union all
select
    'klaviyo' as source_system,
    'profile' as rule,
    case when lower(email_consent) = 'subscribed' then 5 else 6 end as evidence_rank,
    klaviyo_profile_id as source_record_id,
    coalesce(created_at, updated_at) as observed_at,
    coalesce(updated_at, created_at) as last_seen_at,
    1 as observation_count,
    {{ written_name('first_name', 'last_name') }} as person_name,
    {{ identifier_columns({
        'klaviyo_profile_id': 'klaviyo_profile_id',
        'login': 'external_id',
        'email': 'email',
        'phone': 'phone',
        'device': 'device_id',
    }) }}
from klaviyo
union all
select
    'shopify' as source_system,
    'customer' as rule,
    3 as evidence_rank,
    shopify_customer_id as source_record_id,
    coalesce(created_at, updated_at) as observed_at,
    coalesce(updated_at, created_at) as last_seen_at,
    1 as observation_count,
    {{ written_name('first_name', 'last_name') }} as person_name,
    {{ identifier_columns({'shopify_customer_id': 'shopify_customer_id', 'email': 'email', 'phone': 'phone'}) }}
from shopify
