{#- Lines with a price but no pieces come to nothing: map the line's own amount (line_amount), if the file has one. -#}
{{ config(severity='warn') }}

select
    order_id,
    line_id
from {{ ref('stg_orders__order_lines') }}
where quantity = 0 and unit_price > 0 and line_amount is null
