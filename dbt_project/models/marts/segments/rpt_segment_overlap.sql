with members as (
    select
        segment,
        customer_id
    from {{ ref('fct_segment_memberships') }}
    where is_current
),

sizes as (
    select
        segment,
        count(*) as member_count
    from members
    group by segment
),

pairs as (
    select
        one.segment,
        other.segment as other_segment,
        count(*) as shared_count
    from members as one
    inner join members as other on one.customer_id = other.customer_id
    where one.segment <> other.segment
    group by one.segment, other.segment
),

final as (
    select
        pairs.segment,
        pairs.other_segment,
        sizes.member_count,
        pairs.shared_count,
        cast(1.0 * pairs.shared_count / sizes.member_count as decimal(9, 4)) as shared_share
    from pairs
    inner join sizes on pairs.segment = sizes.segment
)

select * from final
