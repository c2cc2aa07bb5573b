{#-
    Who may have what now: their own vouchers, what their segment may have, and another brand for who was not pleased.
    What anybody may have stands in dim_promotions alone. A benefit that its person has used is none.
-#}
{%- set text = dbt.type_string() %}
{%- set money = 'decimal(18, 4)' %}

with promotions as (
    select * from {{ ref('dim_promotions') }}
    where status = 'live' and coalesce(starts_at, {{ as_of() }}) <= {{ as_of() }}
),

-- A promotion of many codes is one benefit, and none of its codes is everybody's
live_promotions as (
    select
        promotion_source,
        promotion_id,
        promotion_name,
        case when count(*) over (partition by promotion_source, promotion_id) = 1 then code end as code,
        discount_kind,
        percent_off,
        amount_off,
        currency,
        category,
        product_id,
        for_segment,
        starts_at,
        ends_at
    from promotions
    qualify row_number() over (
        partition by promotion_source, promotion_id
        order by percent_off desc nulls last, amount_off desc nulls last, promotion_code_id
    ) = 1
),

used_codes as (
    select
        customer_id,
        code,
        max(ordered_at) as last_used_at
    from {{ ref('fct_order_codes') }}
    where customer_id is not null
    group by customer_id, code
),

codes_used_by_anybody as (
    select
        code,
        max(ordered_at) as last_used_at
    from {{ ref('fct_order_codes') }}
    group by code
),

vouchers as (
    select
        *,
        upper(code) as code_key,
        count(*) over (partition by upper(code)) as voucher_count
    from {{ ref('int_vouchers_resolved') }}
),

-- A code that one voucher has is spent by whoever wrote it; one of many, by each owner for themselves
open_vouchers as (
    select vouchers.*
    from vouchers
    left join used_codes
        on vouchers.customer_id = used_codes.customer_id and vouchers.code_key = used_codes.code
    left join codes_used_by_anybody
        on vouchers.code_key = codes_used_by_anybody.code and vouchers.voucher_count = 1
    where
        vouchers.customer_id is not null
        and vouchers.redeemed_at is null
        and vouchers.redeemed_order_id is null
        and coalesce(vouchers.valid_from, {{ as_of() }}) <= {{ as_of() }}
        and coalesce(vouchers.valid_until >= {{ as_of() }}, true)
        and coalesce(used_codes.last_used_at < vouchers.valid_from, used_codes.last_used_at is null)
        and coalesce(
            codes_used_by_anybody.last_used_at < vouchers.valid_from, codes_used_by_anybody.last_used_at is null
        )
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
    left join used_codes
        on
            members.customer_id = used_codes.customer_id
            and upper(live_promotions.code) = used_codes.code
            and used_codes.last_used_at >= coalesce(live_promotions.starts_at, used_codes.last_used_at)
    where used_codes.customer_id is null
),

for_displeased as (
    select
        replenishments.customer_id,
        replenishments.displeased_by,
        replenishments.other_product_id,
        live_promotions.*
    from {{ ref('fct_replenishments') }} as replenishments
    inner join live_promotions on replenishments.other_promotion_id = live_promotions.promotion_id
    left join used_codes
        on
            replenishments.customer_id = used_codes.customer_id
            and upper(live_promotions.code) = used_codes.code
            and used_codes.last_used_at >= coalesce(live_promotions.starts_at, used_codes.last_used_at)
    where replenishments.is_displeased and used_codes.customer_id is null
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
        value_percent as percent_off,
        value_amount as amount_off,
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
