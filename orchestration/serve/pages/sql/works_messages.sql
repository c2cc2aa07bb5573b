-- Messages by channel and kind: of the last whole month beside the twelve months up to it. Opens and
-- clicks of machines are in no rate; unsubscribing and complaints are per thousand delivered.
with months as (
    select *,
        sent_month
            = date_trunc('month', $until::date + interval 1 day) - interval 1 month as is_last
    from marts.rpt_message_rates
    where sent_month < date_trunc('month', $until::date + interval 1 day)
        and sent_month >= date_trunc('month', $until::date + interval 1 day) - interval 12 month
)
select channel, message_kind,
    coalesce(sum(sent_count) filter (where is_last), 0)::bigint as sent_1m,
    sum(sent_count)::bigint as sent_12m,
    (sum(opened_count) filter (where is_last))::double
        / nullif(sum(delivered_count) filter (where is_last), 0) as open_rate_1m,
    sum(opened_count)::double / nullif(sum(delivered_count), 0) as open_rate_12m,
    (sum(clicked_count) filter (where is_last))::double
        / nullif(sum(delivered_count) filter (where is_last), 0) as click_rate_1m,
    sum(clicked_count)::double / nullif(sum(delivered_count), 0) as click_rate_12m,
    (sum(order_count) filter (where is_last))::double
        / nullif(sum(delivered_count) filter (where is_last), 0) as order_rate_1m,
    sum(order_count)::double / nullif(sum(delivered_count), 0) as order_rate_12m,
    sum(machine_opened_count)::bigint as machine_opened_12m,
    1000.0 * sum(unsubscribed_count) / nullif(sum(delivered_count), 0) as unsubscribed_per_1000,
    1000.0 * sum(complained_count) / nullif(sum(delivered_count), 0) as complained_per_1000,
    sum(net_sales) as net_sales_12m
from months
group by channel, message_kind
order by channel, sent_12m desc, message_kind
