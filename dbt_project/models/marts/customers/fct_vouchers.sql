{#- Vouchers that name their owner, and what became of each. -#}
{%- set money = 'decimal(18, 4)' %}

with numbered as (
    select
        *,
        upper(code) as code_key,
        count(*) over (partition by upper(code)) as voucher_count
    from {{ ref('int_vouchers_resolved') }}
),

-- A key of its own, so that the join is by equality and no row meets every other
vouchers as (
    select
        *,
        case when voucher_count = 1 then code_key end as only_code_key
    from numbered
),

used_codes as (
    {{ used_codes() | indent(4) }}
),

codes_used_by_anybody as (
    select
        code,
        max(ordered_at) as last_used_at
    from {{ ref('fct_order_codes') }}
    group by code
),

-- A code that one voucher has is spent by whoever wrote it; one of many, by each owner for themselves
judged as (
    select
        vouchers.*,
        coalesce(used_codes.last_used_at < vouchers.valid_from, used_codes.last_used_at is null)
        and coalesce(
            codes_used_by_anybody.last_used_at < vouchers.valid_from, codes_used_by_anybody.last_used_at is null
        ) as is_unspent
    from vouchers
    left join used_codes
        on vouchers.customer_id = used_codes.customer_id and vouchers.code_key = used_codes.code
    left join codes_used_by_anybody
        on vouchers.only_code_key = codes_used_by_anybody.code
)

select
    voucher_key,
    customer_id,
    promotion_id,
    promotion_name,
    code,
    category,
    product_id,
    cast(value_percent as {{ money }}) as percent_off,
    cast(value_amount as {{ money }}) as amount_off,
    currency,
    case
        when redeemed_at is not null or redeemed_order_id is not null or not is_unspent then 'redeemed'
        when valid_from > {{ as_of() }} then 'scheduled'
        when valid_until < {{ as_of() }} then 'expired'
        else 'open'
    end as status,
    issued_at,
    valid_from,
    valid_until,
    redeemed_at
from judged
