{#- What a list says of a person in columns that we do not know, of every version: an earlier one was true then. -#}
with versions as (
    select *
    from {{ source('raw_contacts', 'contacts') }}
    where attributes is not null and (created_at <= {{ as_of() }} or created_at is null)
)

select
    _row_id as contact_key,
    nullif(trim(email), '') as email,
    {{ phone_with_country("nullif(trim(phone), '')", 'country') }} as phone,
    nullif(trim(customer_ref), '') as orders_customer_id,
    nullif(trim(loyalty_id), '') as loyalty_id,
    coalesce(lower(nullif(trim(source), '')), 'import') as source,
    created_at,
    _dlt_load_id,
    _line,
    {{ json_entries('attributes') }}
from versions
