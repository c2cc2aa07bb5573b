{#- An order of a line file that is also a JSON order, by id, name or number: taken for the same order, whose
    JSON counts. If they are different orders, give the line file's numbers a prefix in its mapping. -#}
{{ config(severity='warn') }}

select order_id
from {{ ref('int_order_line_orders') }}
where document_order_id is not null
