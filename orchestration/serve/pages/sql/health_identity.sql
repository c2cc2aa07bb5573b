-- Identifiers, the people behind them, and how many of these have several.
select count(*) as people, coalesce(sum(identifiers), 0)::bigint as identifiers,
    count(*) filter (where identifiers > 1) as joined
from (
    select customer_id, count(*) as identifiers
    from marts.bridge_customer_identifiers
    where customer_id is not null
    group by customer_id
)
