-- What treating the people of one segment changed, by those who were held out of it, with an interval
-- of 95 % that holds however often one looks.
select kind, holdout, metric, began_at, measured_until, share_done, treated_count, control_count,
    is_unequal, treated, control, lift, low, high, is_conclusive, weeks_to_detect, null_reason
from marts.rpt_experiments
where kind = 'holdout' and holdout = $segment
order by list_position(['predicted_clv', 'net_sales', 'conversion', 'average_order',
    'click_through', 'orders', 'visits', 'unsubscribes'], metric)
