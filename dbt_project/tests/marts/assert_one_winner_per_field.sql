-- Of the values that records claim for a field exactly one survives, and with a union at least one.
select
    customer_id,
    field
from {{ ref('fct_customer_field_provenance') }}
group by customer_id, field
having
    count(case when is_winner then 1 end) <> 1
    and not (min(rule) = 'union' and (count(case when is_winner then 1 end) > 0 or max(claimed_value) = ''))
