-- What each segment's members are expected to bring in the next 365 days, each and together, with the
-- sums of their intervals' ends; and the difference that treating people made of it.
select segment, programme, member_count, buyer_count, predicted_count, historic_clv_each,
    predicted_clv_365d, predicted_clv_low, predicted_clv_high, predicted_clv_each, null_reason,
    treated_clv_each, control_clv_each, clv_lift, clv_lift_low, clv_lift_high, lift_null_reason
from marts.rpt_segment_value
where $segment is null or segment = $segment
order by predicted_clv_each desc nulls last, segment
