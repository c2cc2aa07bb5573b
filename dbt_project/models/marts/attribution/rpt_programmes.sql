{#-
    What each programme of the shop brought and cost by month and model of attribution. A credit belongs to the programme
    that spend names for its campaign, else to the only one that spends on its channel without a campaign, else to none.
    The margin is after discounts, so the return is what is left of it after cost, on all that was given for it.
-#}
{%- set money = 'decimal(18, 4)' %}

with spend as (
    select
        spend_date,
        marketing_channel,
        campaign,
        programme,
        cost_shop
    from {{ ref('fct_spend') }}
    where programme is not null
),

campaigns as (
    select
        marketing_channel,
        campaign,
        programme
    from spend
    where campaign is not null
    qualify row_number() over (
        partition by marketing_channel, campaign
        order by spend_date desc, programme
    ) = 1
),

channels as (
    select
        marketing_channel,
        min(programme) as programme
    from spend
    where campaign is null
    group by marketing_channel
    having count(distinct programme) = 1
),

credits as (
    select
        {{ month_of('attribution.ordered_date') }} as report_month,
        coalesce(campaigns.programme, channels.programme) as programme,
        attribution.model,
        attribution.credit,
        attribution.is_first_order,
        attribution.attributed_net_sales,
        {{ credited_part('attribution.credit', 'orders.discounts_shop') }} as discounts,
        {{ credited_part('attribution.credit', 'orders.margin_shop') }} as margin,
        case
            when attribution.is_first_order
                then {{ credited_part('attribution.credit', 'lifetimes.lifetime_value') }}
        end as lifetime_value,
        {%- for end in ['365d', 'low', 'high'] %}
        case
            when attribution.is_first_order
                then {{ credited_part('attribution.credit', 'lifetimes.predicted_clv_' ~ end) }}
        end as predicted_clv_{{ end }},
        {%- endfor %}
        case when attribution.is_first_order then lifetimes.null_reason end as null_reason
    from {{ ref('fct_attribution') }} as attribution
    inner join {{ ref('fct_orders') }} as orders
        on attribution.order_source = orders.order_source and attribution.order_id = orders.order_id
    left join campaigns
        on attribution.marketing_channel = campaigns.marketing_channel and attribution.campaign = campaigns.campaign
    left join channels on attribution.marketing_channel = channels.marketing_channel
    left join ({{ lifetime_values() | indent(4) }}) as lifetimes on attribution.customer_id = lifetimes.customer_id
),

credited as (
    select
        report_month,
        programme,
        model,
        cast(sum(credit) as decimal(28, 9)) as orders,
        cast(sum(case when is_first_order then credit else 0 end) as decimal(28, 9)) as first_orders,
        cast(sum(attributed_net_sales) as {{ money }}) as attributed_net_sales,
        cast(sum(discounts) as {{ money }}) as attributed_discounts,
        -- Of all of them or of none: a margin of some would be too small
        case when count(margin) = count(*) then cast(sum(margin) as {{ money }}) end as attributed_margin,
        cast(sum(lifetime_value) as {{ money }}) as attributed_clv,
        {%- for end in ['365d', 'low', 'high'] %}
        cast(sum(predicted_clv_{{ end }}) as {{ money }}) as predicted_clv_{{ end }},
        {%- endfor %}
        case
            when count(lifetime_value) = 0 then 'no_first_order'
            when count(predicted_clv_365d) = 0
                then coalesce(min(case when null_reason <> 'missing_rate' then null_reason end), 'missing_rate')
        end as clv_null_reason
    from credits
    group by report_month, programme, model
),

models as (
    select distinct model from credits
),

costs as (
    select
        {{ month_of('spend.spend_date') }} as report_month,
        spend.programme,
        models.model,
        cast(sum(spend.cost_shop) as {{ money }}) as cost
    from spend
    cross join models
    group by {{ month_of('spend.spend_date') }}, spend.programme, models.model
),

cells as (
    select
        report_month,
        programme,
        model
    from credited
    union
    select
        report_month,
        programme,
        model
    from costs
),

beside as (
    select
        cells.report_month,
        cells.programme,
        cells.model,
        coalesce(credited.orders, 0) as orders,
        coalesce(credited.first_orders, 0) as first_orders,
        coalesce(credited.attributed_net_sales, 0) as attributed_net_sales,
        case when credited.model is null then 0 else credited.attributed_discounts end as attributed_discounts,
        case when credited.model is null then 0 else credited.attributed_margin end as attributed_margin,
        credited.attributed_clv,
        credited.predicted_clv_365d,
        credited.predicted_clv_low,
        credited.predicted_clv_high,
        case when credited.model is null then 'no_first_order' else credited.clv_null_reason end as clv_null_reason,
        costs.cost
    from cells
    left join credited
        on
            cells.report_month = credited.report_month
            and cells.programme is not distinct from credited.programme
            and cells.model = credited.model
    left join costs
        on
            cells.report_month = costs.report_month
            and cells.programme = costs.programme
            and cells.model = costs.model
)

select
    {{ hash_key(['report_month', 'programme', 'model']) }} as programme_result_id,
    report_month,
    programme,
    model,
    orders,
    first_orders,
    attributed_net_sales,
    attributed_discounts,
    attributed_margin,
    attributed_clv,
    predicted_clv_365d,
    predicted_clv_low,
    predicted_clv_high,
    clv_null_reason,
    cost,
    case when cost + attributed_discounts > 0
        then cast(attributed_margin - cost as double) / cast(cost + attributed_discounts as double)
    end as return_on_investment
from beside
