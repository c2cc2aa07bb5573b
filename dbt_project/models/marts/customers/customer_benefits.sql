{#-
    Who may have what now: their own vouchers, what their segment may have, and another brand for who was not pleased.
    What anybody may have stands in dim_promotions alone. A benefit that its person has used is none.
-#}
{%- set text = dbt.type_string() %}
{%- set money = 'decimal(18, 4)' %}

with live_promotions as (
    {{ live_promotions() | indent(4) }}
),

open_vouchers as (
    select * from {{ ref('fct_vouchers') }}
    where status = 'open' and customer_id is not null
),

members as (
    {{ all_segment_members() | indent(4) }}
),

for_members as (
    select
        members.customer_id,
        members.segment,
        live_promotions.*
    from members
    inner join live_promotions on members.segment = lower(replace(trim(live_promotions.for_segment), ' ', '_'))
    {{ join_used_code('members', 'live_promotions') }}
    where {{ is_unused('live_promotions') }}
),

for_displeased as (
    select
        replenishments.customer_id,
        replenishments.displeased_by,
        replenishments.other_product_id,
        live_promotions.*
    from {{ ref('fct_replenishments') }} as replenishments
    inner join live_promotions on replenishments.other_promotion_id = live_promotions.promotion_id
    {{ join_used_code('replenishments', 'live_promotions') }}
    where replenishments.is_displeased and {{ is_unused('live_promotions') }}
    qualify row_number() over (
        partition by replenishments.customer_id, live_promotions.promotion_source, live_promotions.promotion_id
        order by replenishments.last_bought_at desc, replenishments.product_id
    ) = 1
),

benefits as (
    select
        {{ hash_key(["'voucher'", 'voucher_key']) }} as benefit_id,
        customer_id,
        'voucher' as benefit,
        'promotions' as promotion_source,
        promotion_id,
        promotion_name,
        code,
        cast(null as {{ text }}) as segment,
        category,
        product_id,
        percent_off,
        amount_off,
        currency,
        valid_from,
        valid_until,
        'Has a voucher of their own' as because
    from open_vouchers
    union all
    select
        {{ hash_key(["'segment'", 'promotion_source', 'promotion_id', 'segment', 'customer_id']) }} as benefit_id,
        customer_id,
        'segment' as benefit,
        promotion_source,
        promotion_id,
        promotion_name,
        code,
        segment,
        category,
        product_id,
        percent_off,
        amount_off,
        currency,
        starts_at as valid_from,
        ends_at as valid_until,
        'Is in the segment that it is for' as because
    from for_members
    union all
    select
        {{ hash_key(["'other_brand'", 'promotion_source', 'promotion_id', 'customer_id']) }} as benefit_id,
        customer_id,
        'other_brand' as benefit,
        promotion_source,
        promotion_id,
        promotion_name,
        code,
        cast(null as {{ text }}) as segment,
        category,
        coalesce(product_id, other_product_id) as product_id,
        percent_off,
        amount_off,
        currency,
        starts_at as valid_from,
        ends_at as valid_until,
        case displeased_by
            when 'bad_review' then 'Was not pleased with what they bought (their review)'
            when 'complaint' then 'Was not pleased with what they bought (their complaint)'
            else 'Sent back what they bought'
        end || '; it is for another brand' as because
    from for_displeased
)

select
    benefit_id,
    customer_id,
    benefit,
    promotion_source,
    promotion_id,
    promotion_name,
    code,
    segment,
    category,
    product_id,
    cast(percent_off as {{ money }}) as percent_off,
    cast(amount_off as {{ money }}) as amount_off,
    currency,
    valid_from,
    valid_until,
    because
    || case
        when valid_until is null then '.'
        else ', until ' || cast({{ shop_date("(valid_until - interval '1' second)") }} as {{ text }}) || '.'
    end as reason
from benefits
