{#-
    How content people are, month by month, beside what they bought. What a shop does not record at all is NULL and not
    0: its counts are NULL in every month. What it records and had none of in a month counts 0, without a mean or a rate.
-#}
with orders as (
    select
        {{ month_of('ordered_date') }} as month,
        customer_id,
        is_kept,
        ordered_date,
        net_sales_shop,
        returns_shop
    from {{ ref('fct_orders') }}
    where is_counted
),

sales as (
    select
        month,
        count(case when is_kept then 1 end) as order_count,
        count(case when returns_shop > 0 then 1 end) as returned_order_count,
        case when count(net_sales_shop) = count(*) then sum(net_sales_shop) end as net_sales,
        case when count(returns_shop) = count(*) then sum(returns_shop) end as returns
    from orders
    group by month
),

feedback as (
    select
        {{ month_of(shop_date('occurred_at')) }} as month,
        kind,
        score
    from {{ ref('int_feedback_resolved') }}
    where kind in ('review', 'nps', 'complaint') and occurred_at <= {{ as_of() }}
),

answers as (
    select
        month,
        count(case when kind = 'review' then 1 end) as review_count,
        count(case when kind = 'review' then score end) as scored_review_count,
        sum(case when kind = 'review' then score end) as review_score,
        count(case when kind = 'review' and score <= {{ var('bad_review_score') }} then 1 end) as bad_review_count,
        count(case when kind = 'nps' then score end) as nps_answer_count,
        count(case when kind = 'nps' and score >= 9 then 1 end) as promoter_count,
        count(case when kind = 'nps' and score <= 6 then 1 end) as detractor_count,
        count(case when kind = 'complaint' then 1 end) as complaint_count
    from feedback
    group by month
),

-- Whoever bought first and joined later counts from the month of joining
buyers as (
    select
        customer_id,
        min(month) as first_month
    from orders
    where is_kept and customer_id is not null
    group by customer_id
),

members as (
    select
        customer_id,
        {{ month_of(shop_date('min(first_seen_at)')) }} as joined_month
    from {{ ref('bridge_customer_identifiers') }}
    where identifier_type = 'loyalty_id'
    group by customer_id
),

changes as (
    select
        first_month as month,
        1 as buyer_change,
        0 as member_change
    from buyers
    union all
    select
        greatest(buyers.first_month, members.joined_month) as month,
        0 as buyer_change,
        1 as member_change
    from buyers
    inner join members on buyers.customer_id = members.customer_id
),

joined as (
    select
        month,
        sum(buyer_change) as buyer_change,
        sum(member_change) as member_change
    from changes
    group by month
),

months as (
    select month from sales
    union
    select month from answers
    union
    select month from joined
),

signs as (
    select kind
    from feedback
    union all
    select 'return' as kind
    from orders
    where returns_shop > 0
    union all
    select 'member' as kind
    from members
),

-- What was never recorded is not known to be nothing
recorded as (
    select
        count(case when kind = 'review' then 1 end) > 0 as has_reviews,
        count(case when kind = 'nps' then 1 end) > 0 as has_nps,
        count(case when kind = 'complaint' then 1 end) > 0 as has_complaints,
        count(case when kind = 'return' then 1 end) > 0 as has_returns,
        count(case when kind = 'member' then 1 end) > 0 as has_programme
    from signs
),

counted as (
    select
        months.month,
        coalesce(sales.order_count, 0) as order_count,
        case when sales.month is null then 0 else sales.net_sales end as net_sales,
        case when recorded.has_reviews then coalesce(answers.review_count, 0) end as review_count,
        answers.scored_review_count,
        answers.review_score,
        case when recorded.has_reviews then coalesce(answers.bad_review_count, 0) end as bad_review_count,
        case when recorded.has_nps then coalesce(answers.nps_answer_count, 0) end as nps_answer_count,
        answers.promoter_count,
        answers.detractor_count,
        case when recorded.has_complaints then coalesce(answers.complaint_count, 0) end as complaint_count,
        case when recorded.has_returns then coalesce(sales.returned_order_count, 0) end as returned_order_count,
        case when recorded.has_returns then case when sales.month is null then 0 else sales.returns end end as returns,
        sum(coalesce(joined.buyer_change, 0)) over (
            order by months.month
            rows between unbounded preceding and current row
        ) as buyer_count,
        case
            when recorded.has_programme
                then sum(coalesce(joined.member_change, 0)) over (
                    order by months.month
                    rows between unbounded preceding and current row
                )
        end as member_count
    from months
    cross join recorded
    left join sales on months.month = sales.month
    left join answers on months.month = answers.month
    left join joined on months.month = joined.month
)

select
    month,
    {{ months_from('month', as_of_date()) }} > 0 as is_complete,
    order_count,
    cast(net_sales as decimal(18, 4)) as net_sales,
    review_count,
    case when scored_review_count > 0 then cast(review_score as double) / scored_review_count end as mean_review_score,
    bad_review_count,
    nps_answer_count,
    case when nps_answer_count > 0 then cast(100 * (promoter_count - detractor_count) as double) / nps_answer_count end
        as nps_score,
    complaint_count,
    case when order_count > 0 then cast(complaint_count as double) / order_count end as complaint_rate,
    returned_order_count,
    cast(returns as decimal(18, 4)) as returns,
    case when net_sales + returns > 0 then cast(returns as double) / cast(net_sales + returns as double) end as return_rate,
    cast(buyer_count as bigint) as buyer_count,
    cast(member_count as bigint) as member_count,
    case when buyer_count > 0 then cast(member_count as double) / cast(buyer_count as double) end as loyalty_rate
from counted
