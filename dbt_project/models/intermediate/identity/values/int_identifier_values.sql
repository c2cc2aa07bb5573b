{#-
    The dictionary of identifiers: what sources wrote → what is compared → a small integer.

    Incremental, because the matching form of an email or phone is worked out in Python. A plain address
    or an ordinary ASCII one skips Python: for it, lower case is the matching form. Integers make
    everything that follows (edges, components) several times cheaper than texts would. A value keeps its
    integer between runs; no result depends on which one it has.
-#}
{{ config(
    materialized='incremental',
    unique_key=['identifier_type', 'raw_value'],
    incremental_strategy='append',
) }}

{%- set plain_email = '^[a-zA-Z0-9._+-]{1,64}@([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?[.])+[a-z]{2,24}$' %}
{%- set shop_country = "'" ~ var('default_country') ~ "'" %}

with written as (
    {%- for type in identifier_types() %}
    select
        '{{ type }}' as identifier_type,
        {{ type }} as raw_value
    from {{ ref('int_identity_evidence') }}
    where {{ type }} is not null
    union all
    {%- endfor %}
    select
        'login' as identifier_type,
        previous_login as raw_value
    from {{ ref('int_identity_evidence') }}
    where previous_login is not null
    union all
    select
        type_a as identifier_type,
        value_a as raw_value
    from {{ ref('stg_identity_rules__identity_rules') }}
    where value_a is not null
    union all
    select
        type_b as identifier_type,
        value_b as raw_value
    from {{ ref('stg_identity_rules__identity_rules') }}
    where value_b is not null
),

new_values as (
    select distinct
        written.identifier_type,
        written.raw_value
    from written
    {%- if is_incremental() %}
    -- Not "where not exists": for that an engine may first make all of them distinct
    left join {{ this }} as known
        on written.identifier_type = known.identifier_type and written.raw_value = known.raw_value
    where known.raw_value is null
    {%- endif %}
),

-- A number in national form is one of its record's country, else of the shop's
numbers_of_a_country as (
    select
        new_values.raw_value,
        {{ phone_as_written('new_values.raw_value') }} as written,
        coalesce(country_names.country_code, {{ shop_country }}) as country_code
    from new_values
    left join {{ ref('country_names') }} as country_names
        on {{ phone_country('new_values.raw_value') }} = country_names.country_name
    where new_values.identifier_type = 'phone' and {{ phone_country('new_values.raw_value') }} is not null
),

matched as (
    select
        new_values.identifier_type,
        new_values.raw_value,
        case
            when
                new_values.identifier_type = 'email'
                and length(new_values.raw_value) < 200
                and {{ text_matches('new_values.raw_value', "'" ~ plain_email ~ "'") }}
                then lower(new_values.raw_value)
            when numbers_of_a_country.raw_value is not null
                then coalesce(
                    {{ match_identifier("'phone'", 'numbers_of_a_country.written', 'numbers_of_a_country.country_code') }},
                    {{ match_identifier("'phone'", 'numbers_of_a_country.written', shop_country) }}
                )
            when new_values.identifier_type in ('email', 'phone')
                then {{ match_identifier('new_values.identifier_type', 'new_values.raw_value', shop_country) }}
            when length(new_values.raw_value) <= 512 then new_values.raw_value
        end as identifier_value
    from new_values
    left join numbers_of_a_country
        on new_values.raw_value = numbers_of_a_country.raw_value and new_values.identifier_type = 'phone'
),

-- What has no matching form is nobody's: it is kept, so that nothing asks again, and has no integer
numbered as (
    select
        identifier_type,
        raw_value,
        identifier_value,
        case
            when identifier_value is not null
                then dense_rank() over (order by identifier_value nulls last, identifier_type)
        end as place
    from matched
)

{%- if is_incremental() %},

-- Only what may be new under another spelling: the whole dictionary need not be sorted out every day
known_values as (
    select
        identifier_type,
        identifier_value,
        min(identifier_key) as identifier_key
    from {{ this }}
    where identifier_value in (select numbered.identifier_value from numbered)
    group by identifier_type, identifier_value
),

last_key as (
    select coalesce(max(identifier_key), 0) as identifier_key
    from {{ this }}
)

select
    numbered.identifier_type,
    numbered.raw_value,
    numbered.identifier_value,
    cast(coalesce(known_values.identifier_key, last_key.identifier_key + numbered.place) as bigint) as identifier_key
from numbered
cross join last_key
left join known_values
    on
        numbered.identifier_type = known_values.identifier_type
        and numbered.identifier_value = known_values.identifier_value
{%- else %}

select
    identifier_type,
    raw_value,
    identifier_value,
    cast(place as bigint) as identifier_key
from numbered
{%- endif %}
