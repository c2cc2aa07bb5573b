{#-
    Values that may tie nobody, known from the value or from what it was seen with: blocked values, the
    accounts of blocked addresses under several names, phones that were passed on, and values over a limit
    of the seed `identifier_limits`. Such a value is demoted whole and the records are tied without it, over
    all history.
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

-- A shop or mail system opens an account for whoever writes from info@. Under several names it is as much
-- nobody's as the address is.
accounts_of_blocked as (
    {%- for type in address_account_types() %}
    select evidence.{{ type }} as identifier_key
    from evidence
    left join blocked on evidence.email = blocked.identifier_key
    where evidence.{{ type }} is not null and evidence.email is not null
    group by evidence.{{ type }}
    having count(*) = count(blocked.identifier_key)
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
            pairs.identifier_key,
            {% if limit.window_days -%}
            count(*) over (
                partition by pairs.identifier_key
                order by pairs.first_micros
                range between {{ limit.window_days * 86400000000 }} preceding and current row
            ) as seen_with
            {%- else -%}
            count(*) over (partition by pairs.identifier_key) as seen_with
            {%- endif %}
        from (
            select
                {{ limit.identifier_type }} as identifier_key,
                {{ limit.linked_type }} as linked_key,
                min({{ epoch_micros('observed_at') }}) as first_micros
            from evidence
            where {{ limit.identifier_type }} is not null and {{ limit.linked_type }} is not null
            group by {{ limit.identifier_type }}, {{ limit.linked_type }}
        ) as pairs
        left join blocked on pairs.linked_key = blocked.identifier_key
        where blocked.identifier_key is null
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
    found.identifier_key,
    min(found.refusal_reason) as refusal_reason,
    false as is_blocked
from (
    select
        identifier_key,
        'role_account' as refusal_reason
    from blocked_accounts
    union all
    select
        identifier_key,
        'passed_on' as refusal_reason
    from passed_on
    union all
    select *
    from over_limits
) as found
left join blocked on found.identifier_key = blocked.identifier_key
where blocked.identifier_key is null
group by found.identifier_key
