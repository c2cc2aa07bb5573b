with latest as (
    {{ latest_versions(
        source('raw_contacts', 'contacts'),
        ["coalesce(customer_ref, email, phone, loyalty_id, _row_id)", "coalesce(source, '')"],
        updated_at='created_at',
        where='created_at <= ' ~ as_of() ~ ' or created_at is null'
    ) | indent(4) }}
)

select
    _row_id as contact_key,
    nullif(trim(email), '') as email,
    {{ phone_with_country("nullif(trim(phone), '')", 'country') }} as phone,
    nullif(trim(first_name), '') as first_name,
    nullif(trim(last_name), '') as last_name,
    birthday,
    nullif(trim(gender), '') as gender,
    nullif(trim(job), '') as job,
    nullif(trim(country), '') as country,
    -- Loaded before the column was ours, it stands among the attributes
    {{ first_text(['region', json_text('attributes', '$.region')]) }} as region,
    nullif(trim(postcode), '') as postcode,
    nullif(trim(timezone), '') as timezone,
    coalesce(lower(nullif(trim(source), '')), 'import') as source,
    created_at,
    lower(trim(status)) as status,
    nullif(trim(loyalty_id), '') as loyalty_id,
    nullif(trim(loyalty_tier), '') as loyalty_tier,
    nullif(trim(customer_ref), '') as orders_customer_id,
    lower(trim(preferred_channel)) as preferred_channel,
    case when verified_at <= {{ as_of() }} then verified_at end as verified_at,
    attributes
from latest
