{#- An order number in a line file that is also a JSON order's: taken for the same order, whose JSON counts.
    If they are different orders, give the line file's numbers a prefix in its mapping. -#}
{{ config(severity='warn') }}

select distinct lines.order_id
from {{ ref('stg_orders__order_lines') }} as lines
inner join {{ ref('int_order_versions') }} as versions on lines.order_id = versions.order_id
