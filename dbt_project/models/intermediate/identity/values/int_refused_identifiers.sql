{#-
    Values that connect nobody, known from the value or from what it was seen with: blocked values, role
    addresses that several people answer to, accounts of such addresses under several names, accounts that
    several people bear (a placeholder that no list knows, a till's collective number), phones that were
    passed on, and values over a limit of the seed `identifier_limits`. Such a value is refused with all of
    its edges, over all history; the other identifiers of its records have edges without it.
-#}
-- depends_on: {{ ref('identifier_limits') }}
with evidence as (
    select *
    from {{ ref('int_identity_evidence_keyed') }}
),

blocked as (
    select
        identifier_key,
        block_reason
    from {{ ref('int_identifiers') }}
    where block_reason is not null
),

role_records as (
    select
        evidence.*,
        {{ full_name('evidence.person_name') }} as full_name
    from evidence
    inner join {{ ref('int_identifiers') }} as identifiers on evidence.email = identifiers.identifier_key
    where identifiers.is_role_address and identifiers.block_reason is null
),

{%- set role_keys = person_account_types() + ['payment_card', 'phone'] %}

role_names as (
    select distinct
        email,
        full_name
    from role_records
    where full_name is not null
),

-- Names that stand anywhere beside an account, a card or a number of a role address
names_of_role_keys as (
    {%- for type in role_keys %}
    select
        bearers.email,
        named.identifier_key,
        named.full_name
    from (
        select distinct
            email,
            {{ type }} as identifier_key
        from role_records
        where {{ type }} is not null
    ) as bearers
    inner join (
        select distinct
            evidence.{{ type }} as identifier_key,
            {{ full_name('evidence.person_name') }} as full_name
        from evidence
        where
            evidence.person_name is not null
            and evidence.{{ type }} in (select role_records.{{ type }} from role_records)
    ) as named on bearers.identifier_key = named.identifier_key
    where named.full_name is not null
    {{ 'union' if not loop.last }}
    {%- endfor %}
),

-- hello@ of one who works alone is her address; of several it is nobody's. Whoever writes from it without a
-- name is who her accounts, cards and numbers say elsewhere. Several accounts are several people unless one
-- name stands beside all of them. So is a named person, and whoever gave no name but an account, a card or a
-- number that no name stands beside.
shared_roles as (
    select email as identifier_key
    from (
        select
            email,
            full_name
        from role_names
        union
        select
            email,
            full_name
        from names_of_role_keys
    ) as role_people
    group by email
    having count(distinct full_name) > 1
    {%- for type in person_account_types() %}
    union
    select email as identifier_key
    from role_records
    left join blocked on role_records.{{ type }} = blocked.identifier_key
    where {{ type }} is not null and blocked.identifier_key is null
    group by email
    having
        count(distinct {{ type }}) > 1
        and count(distinct {{ type }}) > count(distinct case when full_name is not null then {{ type }} end)
    {%- endfor %}
    union
    select role_records.email as identifier_key
    from role_records
    inner join role_names on role_records.email = role_names.email
    {%- for type in role_keys %}
    left join names_of_role_keys as named_{{ type }}
        on role_records.email = named_{{ type }}.email and role_records.{{ type }} = named_{{ type }}.identifier_key
    {%- endfor %}
    where
        role_records.full_name is null
        and coalesce(
            {%- for type in role_keys %}
            role_records.{{ type }}{{ ',' if not loop.last }}
            {%- endfor %}
        ) is not null
        and coalesce(
            {%- for type in role_keys %}
            named_{{ type }}.identifier_key{{ ',' if not loop.last }}
            {%- endfor %}
        ) is null
),

nobodys as (
    select identifier_key
    from blocked
    union all
    select identifier_key
    from shared_roles
),

-- A shop or mail system opens an account for whoever writes from info@. Under several names it is as much
-- nobody's as the address is.
accounts_of_blocked as (
    {%- for type in address_account_types() %}
    select evidence.{{ type }} as identifier_key
    from evidence
    left join nobodys on evidence.email = nobodys.identifier_key
    where evidence.{{ type }} is not null and evidence.email is not null
    group by evidence.{{ type }}
    having count(*) = count(nobodys.identifier_key)
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

blocked_accounts as (
    select identifier_key
    from (
        {%- for type in address_account_types() %}
        select distinct
            accounts_of_blocked.identifier_key,
            evidence.person_name
        from evidence
        inner join accounts_of_blocked on evidence.{{ type }} = accounts_of_blocked.identifier_key
        where evidence.person_name is not null
        {{ 'union' if not loop.last }}
        {%- endfor %}
    ) as named
    group by identifier_key
    having count(distinct {{ full_name('person_name') }}) > 1
),

-- Names beside an account, each with the address or number beside it. Whoever is signed in may order for
-- somebody else, so an order on the site does not name the holder of the login.
account_names as (
    {%- for type in person_account_types() %}
    select distinct
        {{ type }} as identifier_key,
        person_name,
        coalesce(email, phone) as contact_key
    from evidence
    where {{ type }} is not null and person_name is not null and rule <> 'order_completed'
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

-- Comparing names is costly and most accounts have one
names_of_several as (
    select
        *,
        split_part(full_name, ' ', 1) as first_name,
        split_part(full_name, ' ', 2) as last_name
    from (
        select distinct
            identifier_key,
            {{ full_name('person_name') }} as full_name,
            contact_key
        from account_names
        where
            identifier_key in (
                select several.identifier_key
                from account_names as several
                group by several.identifier_key
                having count(distinct several.person_name) > 1
            )
    ) as folded
    where full_name is not null
),

-- A collective account has thousands of names: the first few tell as much
first_names as (
    select *
    from names_of_several
    where contact_key is not null
    qualify dense_rank() over (partition by identifier_key order by full_name) <= 20
),

-- Two people of one account: nothing of the names is alike, and each has an address or number of their own
accounts_of_several as (
    select firsts.identifier_key
    from first_names as firsts
    inner join first_names as seconds
        on firsts.identifier_key = seconds.identifier_key and firsts.full_name < seconds.full_name
    where
        firsts.first_name not in (seconds.first_name, seconds.last_name)
        and firsts.last_name not in (seconds.first_name, seconds.last_name)
    group by firsts.identifier_key, firsts.full_name, seconds.full_name
    having not bool_or(firsts.contact_key = seconds.contact_key)
    union
    select identifier_key
    from names_of_several
    where contact_key is null
    group by identifier_key
    having count(distinct first_name) > 2 and count(distinct last_name) > 2
),

-- A number whose buyers of one time all end long before those of a later time begin. Accounts do not say
-- since when they have the number that they have now; orders do.
phone_companions as (
    {%- for type in ['payment_card', 'orders_customer_id', 'shopify_customer_id', 'email'] %}
    select
        phone as identifier_key,
        min(observed_at) as first_seen_at,
        max(last_seen_at) as last_seen_at
    from evidence
    where phone is not null and {{ type }} is not null and rule in ('order', 'order_completed')
    group by phone, {{ type }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

passed_on as (
    select distinct identifier_key
    from (
        select
            identifier_key,
            first_seen_at,
            max(last_seen_at) over (
                partition by identifier_key
                order by first_seen_at, last_seen_at
                rows between unbounded preceding and 1 preceding
            ) as seen_until
        from phone_companions
    ) as in_order
    where first_seen_at > seen_until + interval '{{ var("phone_passed_on_days") }}' day
),

over_limits as (
    {%- for limit in identifier_limits() %}
    select
        identifier_key,
        '{{ limit.refusal_reason }}' as refusal_reason
    from (
        select
            companions.identifier_key,
            {% if limit.window_days -%}
            count(*) over (
                partition by companions.identifier_key
                order by companions.first_micros
                range between {{ limit.window_days * 86400000000 }} preceding and current row
            ) as seen_with
            {%- else -%}
            count(*) over (partition by companions.identifier_key) as seen_with
            {%- endif %}
        from (
            select
                {{ limit.identifier_type }} as identifier_key,
                {{ limit.linked_type }} as linked_key,
                min({{ epoch_micros('observed_at') }}) as first_micros
            from evidence
            where {{ limit.identifier_type }} is not null and {{ limit.linked_type }} is not null
            group by {{ limit.identifier_type }}, {{ limit.linked_type }}
        ) as companions
        left join nobodys on companions.linked_key = nobodys.identifier_key
        where nobodys.identifier_key is null
    ) as counted
    where seen_with > {{ limit.max_count }}
    {{ 'union all' if not loop.last }}
    {%- else %}
    select
        identifier_key,
        block_reason as refusal_reason
    from blocked
    where false
    {%- endfor %}
)

select
    identifier_key,
    block_reason as refusal_reason,
    true as is_blocked
from blocked
union all
select
    values_refused.identifier_key,
    min(values_refused.refusal_reason) as refusal_reason,
    false as is_blocked
from (
    select
        identifier_key,
        'role_address' as refusal_reason
    from shared_roles
    union all
    select
        identifier_key,
        'role_account' as refusal_reason
    from blocked_accounts
    union all
    select
        identifier_key,
        'several_names' as refusal_reason
    from accounts_of_several
    union all
    select
        identifier_key,
        'passed_on' as refusal_reason
    from passed_on
    union all
    select *
    from over_limits
) as values_refused
left join blocked on values_refused.identifier_key = blocked.identifier_key
where blocked.identifier_key is null
group by values_refused.identifier_key
