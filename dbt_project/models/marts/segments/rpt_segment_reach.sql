-- Only people seen for a while count, because a shop's first weeks are new to everybody.
with channels as (
    {%- for channel in contact_channels() %}
    select '{{ channel }}' as channel
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

segments as (
    select
        segments.segment,
        segments.purpose,
        segments.may_be_everybody,
        channels.channel
    from {{ ref('dim_segments') }} as segments
    inner join channels on segments.channels like '%"' || channels.channel || '"%'
),

members as (
    {{ all_segment_members() }}
),

established as (
    select
        customer_id,
        is_known
    from {{ ref('dim_customers') }}
    where {{ dbt.datediff('first_seen_at', as_of(), 'day') }} > {{ var('everybody_min_days') }}
),

-- An address is known of known people; push, ads and the shop's own site reach devices too
addressable as (
    select
        channels.channel,
        established.customer_id
    from established
    inner join channels on established.is_known or channels.channel not in ('email', 'sms')
),

reachable as (
    select
        permissions.channel,
        permissions.purpose,
        established.customer_id
    from {{ ref('contactability') }} as permissions
    inner join established on permissions.customer_id = established.customer_id
    where permissions.is_contactable
),

addressable_counts as (
    select
        channel,
        count(*) as people
    from addressable
    group by channel
),

reachable_counts as (
    select
        channel,
        purpose,
        count(*) as people
    from reachable
    group by channel, purpose
),

addressed as (
    select
        segments.segment,
        segments.channel,
        count(*) as people
    from segments
    inner join members on segments.segment = members.segment
    inner join addressable
        on members.customer_id = addressable.customer_id and segments.channel = addressable.channel
    group by segments.segment, segments.channel
),

reached as (
    select
        segments.segment,
        segments.channel,
        count(*) as people
    from segments
    inner join members on segments.segment = members.segment
    inner join reachable
        on
            members.customer_id = reachable.customer_id
            and segments.channel = reachable.channel
            and segments.purpose = reachable.purpose
    group by segments.segment, segments.channel
),

counted as (
    select
        segments.segment,
        segments.channel,
        segments.may_be_everybody,
        coalesce(addressable_counts.people, 0) as addressable_count,
        coalesce(addressed.people, 0) as addressed_count,
        coalesce(reachable_counts.people, 0) as reachable_count,
        coalesce(reached.people, 0) as reached_count
    from segments
    left join addressable_counts on segments.channel = addressable_counts.channel
    left join reachable_counts
        on segments.channel = reachable_counts.channel and segments.purpose = reachable_counts.purpose
    left join addressed on segments.segment = addressed.segment and segments.channel = addressed.channel
    left join reached on segments.segment = reached.segment and segments.channel = reached.channel
),

final as (
    select
        segment,
        channel,
        addressable_count,
        addressed_count,
        reachable_count,
        reached_count,
        not may_be_everybody and (
            (
                addressable_count >= {{ var('everybody_min_people') }}
                and addressed_count >= {{ var('everybody_share') }} * addressable_count
            )
            or (
                reachable_count >= {{ var('everybody_min_people') }}
                and reached_count >= {{ var('everybody_share') }} * reachable_count
            )
        ) as is_everybody
    from counted
)

select * from final
