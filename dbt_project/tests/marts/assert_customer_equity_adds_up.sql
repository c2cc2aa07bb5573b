-- Each date starts from what the date before came to, and its movements are the change, to the last digit; everybody
-- moved in one way.
with equity as (
    select * from {{ ref('rpt_customer_equity') }}
)

select equity.*
from equity
left join equity as earlier on equity.from_date = earlier.as_of_date
where
    equity.change_value
    <> equity.new_value + equity.kept_value + equity.won_back_value + equity.lost_value + equity.waiting_value
    or equity.change_value <> equity.equity_value - equity.from_value
    or equity.from_value <> coalesce(earlier.equity_value, 0)
    or equity.buyer_count
    <> equity.new_count + equity.kept_count + equity.won_back_count + equity.lost_count + equity.waiting_count
