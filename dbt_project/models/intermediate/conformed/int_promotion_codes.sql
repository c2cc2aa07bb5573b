{#-
    Offers of both kinds in one shape, by code: those of the promotions folder and Shopify's discounts. A voucher
    that names its owner is that person's and no offer to others: it is counted, and its code stays out.
-#}
{%- set text = dbt.type_string() %}

with promotions as (
    select
        *,
        orders_customer_id is not null or identifier_value is not null as is_owned
    from {{ ref('stg_promotions__promotions') }}
),

offers as (
    select
        'promotions' as promotion_source,
        promotion_id,
        cast(null as {{ text }}) as shop_id,
        case when not is_owned then nullif(trim(code), '') end as code,
        promotion_name,
        case when value_percent is not null then 'percent' when value_amount is not null then 'amount' end
            as discount_kind,
        value_percent as percent_off,
        value_amount as amount_off,
        currency,
        category,
        product_id,
        for_segment,
        starts_at,
        -- An owner's own last day is the voucher's
        coalesce(ends_at, case when not is_owned then valid_until end) as ends_at,
        cast(null as {{ text }}) as stated_status,
        cast(null as bigint) as code_count,
        is_owned,
        redeemed_at,
        _row_id as record_order
    from promotions
    where promotion_id is not null
    union all
    select
        'shopify' as promotion_source,
        discount_id as promotion_id,
        -- As an order of the only shop is written
        coalesce(shop_id, 'shop') as shop_id,
        code,
        title as promotion_name,
        case
            when percent_off is not null then 'percent'
            when amount_off is not null then 'amount'
            when discount_kind = 'freeshipping' then 'free_shipping'
            when discount_kind = 'bxgy' then 'buy_some_get_some'
            when discount_kind = 'app' then 'app'
        end as discount_kind,
        percent_off,
        amount_off,
        currency,
        cast(null as {{ text }}) as category,
        cast(null as {{ text }}) as product_id,
        cast(null as {{ text }}) as for_segment,
        starts_at,
        ends_at,
        status as stated_status,
        code_count,
        false as is_owned,
        cast(null as timestamp) as redeemed_at,
        lpad(cast(code_number as {{ text }}), 9, '0') as record_order
    from {{ ref('stg_shopify__discount_codes') }}
),

counted as (
    select
        *,
        count(*) filter (where is_owned) over (partition by promotion_source, promotion_id) as voucher_count,
        count(redeemed_at) filter (where is_owned) over (partition by promotion_source, promotion_id)
            as redeemed_count
    from offers
)

select
    {{ hash_key(['promotion_source', 'promotion_id', 'code']) }} as promotion_code_id,
    promotion_source,
    promotion_id,
    shop_id,
    code,
    promotion_name,
    discount_kind,
    percent_off,
    amount_off,
    currency,
    category,
    product_id,
    for_segment,
    starts_at,
    ends_at,
    -- Shopify may switch a discount off before its last day
    case
        when starts_at > {{ as_of() }} then 'scheduled'
        when ends_at <= {{ as_of() }} or stated_status = 'expired' then 'ended'
        else 'live'
    end as status,
    code_count,
    voucher_count,
    redeemed_count
from counted
-- Rows without a code of their own are one: the promotion. Codes differ in more than their letters' case.
qualify row_number() over (
    partition by promotion_source, promotion_id, coalesce(upper(code), '')
    order by is_owned, starts_at nulls last, record_order
) = 1
