-- What treating people changed, per metric, the newest first, with an interval of 95 %
-- that holds however often one looks, and how many weeks more would show a tenth.
select kind, holdout, metric, began_at, measured_until, share_done, treated_count, control_count,
    is_unequal, treated, control, lift, low, high, is_conclusive, weeks_to_detect, null_reason
from marts.rpt_experiments
order by is_conclusive desc, began_at desc, holdout,
    list_position(['predicted_clv', 'net_sales', 'conversion', 'average_order', 'click_through',
        'orders', 'visits', 'unsubscribes'], metric), kind
