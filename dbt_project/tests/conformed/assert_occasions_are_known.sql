{#- Orders that name an occasion in a word that the seed `occasions` does not have: it is left out, not guessed. -#}
{{ config(severity='warn') }}

select count(*) as order_count
from {{ ref('int_orders_unioned') }}
where is_occasion_unknown
having count(*) > 0
