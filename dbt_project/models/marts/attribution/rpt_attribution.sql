{#-
    Net sales by day, channel, campaign and model, beside what they cost and what their sender claims. Each day's rows of
    a model add up to the day's net sales, `unattributed` among them; cost and claims stand beside every model.
-#}
{%- set text = dbt.type_string() %}
{%- set money = 'decimal(18, 4)' %}

with attribution as (
    select * from {{ ref('fct_attribution') }}
),

lifetimes as (
    {{ lifetime_values() | indent(4) }}
),

credits as (
    select
        attribution.ordered_date as report_date,
        attribution.marketing_channel,
        attribution.campaign,
        attribution.model,
        sum(attribution.credit) as orders,
        sum(case when attribution.is_first_order then attribution.credit else 0 end) as first_orders,
        sum(attribution.attributed_net_sales) as attributed_net_sales,
        sum(case when attribution.is_first_order then attribution.attributed_net_sales else 0 end)
            as attributed_first_net_sales,
        sum(
            case when attribution.is_first_order
                then cast({{ credited_part('attribution.credit', 'lifetimes.lifetime_value') }} as {{ money }})
            end
        ) as attributed_clv
    from attribution
    left join lifetimes on attribution.customer_id = lifetimes.customer_id
    group by
        attribution.ordered_date,
        attribution.marketing_channel,
        attribution.campaign,
        attribution.model
),

spend as (
    select
        spend_date as report_date,
        marketing_channel,
        campaign,
        sum(cost_shop) as cost,
        sum(claimed_orders) as claimed_orders,
        sum(claimed_value_shop) as claimed_value
    from {{ ref('fct_spend') }}
    group by spend_date, marketing_channel, campaign
),

claims as (
    select
        report_date,
        marketing_channel,
        campaign,
        claimed_orders,
        claimed_value
    from {{ ref('rpt_sender_claims') }}
),

claiming as (
    select distinct marketing_channel
    from spend
    where claimed_value is not null
),

-- What a sender states of itself counts, else what its own rule would claim
beside as (
    select
        report_date,
        marketing_channel,
        campaign,
        cost,
        claimed_orders,
        claimed_value
    from spend
    union all
    select
        claims.report_date,
        claims.marketing_channel,
        claims.campaign,
        cast(null as {{ money }}) as cost,
        claims.claimed_orders,
        claims.claimed_value
    from claims
    left join claiming on claims.marketing_channel = claiming.marketing_channel
    where claiming.marketing_channel is null
),

models as (
    select distinct model from attribution
),

cells as (
    select
        report_date,
        marketing_channel,
        campaign,
        model,
        orders,
        first_orders,
        attributed_net_sales,
        attributed_first_net_sales,
        attributed_clv,
        cast(null as {{ money }}) as cost,
        cast(null as bigint) as claimed_orders,
        cast(null as {{ money }}) as claimed_value
    from credits
    union all
    select
        beside.report_date,
        beside.marketing_channel,
        beside.campaign,
        models.model,
        cast(0 as decimal(10, 9)) as orders,
        cast(0 as decimal(10, 9)) as first_orders,
        cast(0 as {{ money }}) as attributed_net_sales,
        cast(0 as {{ money }}) as attributed_first_net_sales,
        cast(null as {{ money }}) as attributed_clv,
        beside.cost,
        beside.claimed_orders,
        beside.claimed_value
    from beside
    cross join models
),

totals as (
    select
        report_date,
        marketing_channel,
        campaign,
        model,
        cast(sum(orders) as decimal(28, 9)) as orders,
        cast(sum(first_orders) as decimal(28, 9)) as first_orders,
        cast(sum(attributed_net_sales) as {{ money }}) as attributed_net_sales,
        cast(sum(attributed_first_net_sales) as {{ money }}) as attributed_first_net_sales,
        cast(sum(attributed_clv) as {{ money }}) as attributed_clv,
        cast(sum(cost) as {{ money }}) as cost,
        cast(sum(claimed_orders) as bigint) as claimed_orders,
        cast(sum(claimed_value) as {{ money }}) as claimed_value
    from cells
    group by report_date, marketing_channel, campaign, model
),

compared as (
    select
        *,
        max(case when model = 'last_touch' then attributed_net_sales end) over (
            partition by report_date, marketing_channel, campaign
        ) as last_touch_net_sales
    from totals
)

select
    {{ hash_key(['report_date', 'marketing_channel', 'campaign', 'model']) }} as attribution_id,
    report_date,
    marketing_channel,
    campaign,
    model,
    orders,
    first_orders,
    attributed_net_sales,
    attributed_first_net_sales,
    attributed_clv,
    cost,
    case when cost > 0 then cast(attributed_net_sales as double) / cast(cost as double) end as roas,
    cast(coalesce(attributed_net_sales, 0) - coalesce(last_touch_net_sales, 0) as {{ money }}) as difference_to_last_touch,
    claimed_orders,
    claimed_value
from compared
