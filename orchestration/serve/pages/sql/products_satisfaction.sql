-- Reviews, NPS, complaints, returns and members of the programme beside orders and net sales, by
-- month, the newest first. What the shop does not record at all is NULL in every month.
select month, is_complete, order_count, net_sales, review_count, mean_review_score,
    bad_review_count, nps_answer_count, nps_score, complaint_count, complaint_rate,
    returned_order_count, return_rate, buyer_count, member_count, loyalty_rate
from marts.rpt_satisfaction
order by month desc
