-- The tables of the page What works, without a row.
create or replace table marts.rpt_attribution (
    attribution_id varchar, report_date date, marketing_channel varchar, campaign varchar,
    model varchar, orders decimal(28,9), first_orders decimal(28,9), attributed_net_sales
    decimal(18,4), attributed_first_net_sales decimal(18,4), attributed_clv decimal(18,4),
    cost decimal(18,4), roas double, difference_to_last_touch decimal(18,4), claimed_orders
    bigint, claimed_value decimal(18,4));
create or replace table marts.rpt_programmes (
    programme_result_id varchar, report_month date, programme varchar, model varchar, orders
    decimal(28,9), first_orders decimal(28,9), attributed_net_sales decimal(18,4),
    attributed_discounts decimal(18,4), attributed_margin decimal(18,4), attributed_clv
    decimal(18,4), predicted_clv_365d decimal(18,4), predicted_clv_low decimal(18,4),
    predicted_clv_high decimal(18,4), clv_null_reason varchar, cost decimal(18,4),
    return_on_investment double);
create or replace table marts.rpt_sender_claims (
    sender_claim_id varchar, report_date date, marketing_channel varchar, campaign varchar,
    claimed_orders bigint, claimed_value decimal(18,4));
create or replace table marts.rpt_paths (
    path_id varchar, path varchar, phase varchar, customer_count bigint, path_count bigint,
    order_count bigint, net_sales decimal(18,4));
create or replace table marts.rpt_experiments (
    experiment_metric_id varchar, kind varchar, holdout varchar, metric varchar, began_at
    timestamp, measured_until timestamp, share_done double, treated_count bigint,
    control_count bigint, is_unequal boolean, treated double, control double, lift double, low
    double, high double, is_conclusive boolean, weeks_to_detect double, variance_kept double,
    null_reason varchar);
create or replace table marts.rpt_campaign_launches (
    campaign_launch_id varchar, channel varchar, campaign_id varchar, campaign_name varchar,
    launched_on date, window_days bigint, is_complete boolean, people_count bigint, orders_before
    bigint, orders_after bigint, net_sales_before decimal(18,4), net_sales_after decimal(18,4),
    others_net_sales_before decimal(18,4), others_net_sales_after decimal(18,4), others_trend
    double, change_beyond_trend decimal(18,4), currency varchar, null_reason varchar);
create or replace table marts.rpt_message_rates (
    message_rate_id varchar, sent_month date, channel varchar, message_kind varchar,
    subscriber_source varchar, sent_count bigint, delivered_count bigint, opened_count bigint,
    machine_opened_count hugeint, clicked_count bigint, unsubscribed_count bigint,
    complained_count bigint, hard_bounce_count hugeint, order_count bigint, net_sales
    decimal(18,4), open_rate double, click_rate double, click_to_open_rate double, order_rate
    double);
create or replace table marts.rpt_contact_pressure (
    week_ends_on date, message_count integer, is_over_limit boolean, people bigint,
    several_channel_count bigint);
create or replace table marts.rpt_acquisition (
    acquisition_id varchar, acquired_month date, marketing_channel varchar, new_customer_count
    bigint, kept_customer_count bigint, cost decimal(18,4), new_customer_cost double,
    kept_customer_cost double, net_sales decimal(18,4), margin decimal(18,4), payback_months
    bigint, payback_basis varchar);
create or replace table marts.rpt_retention_what_if (
    as_of_date date, added_rate double, base_count bigint, kept_count bigint, retention_rate
    double, added_people double, added_net_sales decimal(18,4), added_margin decimal(18,4),
    added_margin_share double, lifetime_margin decimal(18,4), raised_lifetime_margin
    decimal(18,4), lifetime_growth_rate double, null_reason varchar);
