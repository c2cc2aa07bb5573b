-- The same twelve months by where the reader's permission came from.
select channel, subscriber_source, sum(sent_count)::bigint as sent,
    sum(clicked_count)::double / nullif(sum(delivered_count), 0) as click_rate,
    sum(order_count)::double / nullif(sum(delivered_count), 0) as order_rate,
    1000.0 * sum(unsubscribed_count) / nullif(sum(delivered_count), 0) as unsubscribed_per_1000,
    1000.0 * sum(complained_count) / nullif(sum(delivered_count), 0) as complained_per_1000
from marts.rpt_message_rates
where sent_month < date_trunc('month', $until::date + interval 1 day)
    and sent_month >= date_trunc('month', $until::date + interval 1 day) - interval 12 month
group by channel, subscriber_source
order by channel, sent desc, subscriber_source
