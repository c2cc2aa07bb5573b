with address_types as (
    {{ channel_address_types() }}
),

identifiers as (
    select
        *,
        {{ grade_rank('evidence_grade') }} as grade_rank
    from {{ ref('bridge_customer_identifiers') }}
),

permissions as (
    select * from {{ ref('identifier_permissions') }}
),

-- What is known of each of a person's identifiers, and whether it is an address on the channel.
standings as (
    select
        identifiers.customer_id,
        identifiers.identifier_type,
        identifiers.identifier_value,
        identifiers.grade_rank,
        address_types.kind_position is not null as is_address,
        permissions.channel,
        permissions.purpose,
        permissions.consent_receipt_id,
        permissions.lacking,
        permissions.opt_out_reason,
        permissions.is_bounced
    from permissions
    inner join identifiers
        on
            permissions.identifier_type = identifiers.identifier_type
            and permissions.identifier_value = identifiers.identifier_value
    left join address_types
        on
            permissions.channel = address_types.channel
            and permissions.identifier_type = address_types.identifier_type
),

-- The strictest of all the person's identifiers counts for the whole person.
people as (
    select
        customer_id,
        channel,
        purpose,
        min(case
            when opt_out_reason is not null then {{ refusal_rank('opt_out_reason') }}
            when is_bounced and not is_address then {{ refusal_rank("'hard_bounce'") }}
        end) as opt_out_rank,
        min({{ refusal_rank('lacking') }}) as lacking_rank,
        -- An opt-in given for the person rather than for one address.
        min_by(consent_receipt_id, cast(grade_rank as {{ dbt.type_string() }}) || identifier_type || identifier_value) filter (
            where consent_receipt_id is not null
            and channel <> 'push'
            and (not is_address or channel in ('ads', 'onsite'))
            and (identifier_type not in ({{ quoted(anonymous_identifier_types()) }}) or channel in ('ads', 'onsite'))
        ) as personal_receipt_id
    from standings
    group by customer_id, channel, purpose
),

candidates as (
    select
        people.customer_id,
        people.channel,
        people.purpose,
        coalesce(own.consent_receipt_id, people.personal_receipt_id) as receipt_id,
        coalesce(own.is_bounced, false) as is_bounced,
        row_number() over (
            partition by people.customer_id, people.channel, people.purpose
            order by
                case when coalesce(own.is_bounced, false) then 1 else 0 end,
                case when own.consent_receipt_id is null then 1 else 0 end,
                address_types.kind_position,
                identifiers.is_dormant,
                identifiers.grade_rank,
                case when identifiers.is_primary then 0 else 1 end,
                identifiers.last_seen_at desc,
                identifiers.identifier_value
        ) as preference,
        identifiers.identifier_type,
        identifiers.identifier_value
    from people
    inner join address_types on people.channel = address_types.channel
    inner join identifiers
        on
            people.customer_id = identifiers.customer_id
            and address_types.identifier_type = identifiers.identifier_type
    left join standings as own
        on
            people.channel = own.channel
            and people.purpose = own.purpose
            and identifiers.identifier_type = own.identifier_type
            and identifiers.identifier_value = own.identifier_value
),

addresses as (
    select
        customer_id,
        channel,
        purpose,
        bool_or(receipt_id is not null) as has_permitted,
        bool_or(not is_bounced) as has_living,
        max(case when preference = 1 and not is_bounced then receipt_id end) as receipt_id,
        max(case when preference = 1 and not is_bounced then identifier_type end) as address_type,
        max(case when preference = 1 and not is_bounced then identifier_value end) as address
    from candidates
    group by customer_id, channel, purpose
),

final as (
    select
        people.customer_id,
        people.channel,
        people.purpose,
        addresses.receipt_id as consent_receipt_id,
        addresses.address_type,
        addresses.address,
        case
            when people.opt_out_rank is not null then {{ refusal_of_rank('people.opt_out_rank') }}
            when addresses.receipt_id is not null then 'granted'
            when addresses.has_permitted and not addresses.has_living then 'hard_bounce'
            when people.lacking_rank is not null and people.personal_receipt_id is null
                then {{ refusal_of_rank('people.lacking_rank') }}
            when addresses.customer_id is null and people.personal_receipt_id is not null
                then 'no_address'
            when not addresses.has_living then 'hard_bounce'
            else 'no_consent'
        end as reason
    from people
    left join addresses
        on
            people.customer_id = addresses.customer_id
            and people.channel = addresses.channel
            and people.purpose = addresses.purpose
)

select * from final
