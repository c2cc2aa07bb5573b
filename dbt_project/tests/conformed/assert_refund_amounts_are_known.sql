{#- Refunds in the buyer's currency that the order gives no rate for: only their lines and adjustments count. -#}
{{ config(severity='warn') }}

select
    order_id,
    refund_number
from {{ ref('int_order_refunds') }}
where is_amount_unknown
