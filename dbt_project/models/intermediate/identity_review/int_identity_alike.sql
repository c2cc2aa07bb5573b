{#-
    People of one full name, in groups that also share something that did not tie them: the home, the
    postcode, the birthday, the words of an address, or a card, phone or device that several people use. A
    group that is too large to read says so; nobody is paired in it.
-#}
with names as (
    select distinct
        identifiers.customer_id,
        facts.fact as full_name
    from {{ ref('int_identity_core_facts') }} as facts
    inner join {{ ref('int_customer_identifiers') }} as identifiers on facts.core = identifiers.identifier_key
    where facts.fact_type = 'full_name' and facts.fact_count = 1 and identifiers.customer_id is not null
),

-- Nobody has a second record under a name that only one customer bears
several as (
    select full_name
    from names
    group by full_name
    having count(*) > 1
),

namesakes as (
    select names.*
    from names
    inner join several on names.full_name = several.full_name
),

contacts as (
    select
        customer_id,
        {{ squeezed('postcode') }} as postcode,
        cast(birthday as {{ dbt.type_string() }}) as birthday
    from {{ ref('int_contacts_resolved') }}
    where customer_id is not null and (postcode is not null or birthday is not null)
),

shared_phones as (
    select shared.identifier_key
    from {{ ref('int_shared_identifiers') }} as shared
    inner join {{ ref('int_identifiers') }} as identifiers on shared.identifier_key = identifiers.identifier_key
    where identifiers.identifier_type = 'phone'
),

seen_with as (
    {%- for one, other in [('key_a', 'key_b'), ('key_b', 'key_a')] %}
    select
        shared_phones.identifier_key as phone,
        links.{{ other }} as other_key
    from {{ ref('int_identity_edges_observed') }} as links
    inner join shared_phones on links.{{ one }} = shared_phones.identifier_key
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

traits as (
    select
        'same_birthday' as signal,
        customer_id,
        birthday as shared_value
    from contacts
    union all
    select
        'same_postcode' as signal,
        customer_id,
        postcode as shared_value
    from contacts
    union all
    select
        'same_address_words' as signal,
        customer_id,
        split_part(identifier_value, '@', 1) as shared_value
    from {{ ref('int_customer_identifiers') }}
    where identifier_type = 'email' and customer_id is not null
    union all
    select
        case when ties.basis = 'address' then 'same_home' else concat_ws('', 'shared_', ties.basis) end as signal,
        component_customers.customer_id,
        ties.shared_value
    from {{ ref('int_household_ties') }} as ties
    inner join {{ ref('int_component_customers') }} as component_customers
        on ties.component = component_customers.component and component_customers.is_current
    union all
    select
        'shared_phone' as signal,
        identifiers.customer_id,
        cast(seen_with.phone as {{ dbt.type_string() }}) as shared_value
    from seen_with
    inner join {{ ref('int_customer_identifiers') }} as identifiers on seen_with.other_key = identifiers.identifier_key
    where identifiers.customer_id is not null
),

groups as (
    select distinct
        traits.signal,
        namesakes.full_name,
        traits.shared_value,
        traits.customer_id
    from traits
    inner join namesakes on traits.customer_id = namesakes.customer_id
    where traits.shared_value <> ''
),

sized as (
    select
        *,
        count(*) over (partition by signal, full_name, shared_value) as people_count
    from groups
)

select
    signal,
    {{ hash_key(['signal', 'full_name', 'shared_value']) }} as group_key,
    customer_id,
    people_count,
    people_count > {{ var('review_max_group') }} as is_skipped
from sized
where people_count > 1
