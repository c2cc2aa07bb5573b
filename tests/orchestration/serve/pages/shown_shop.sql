-- What the pages read beyond what explain reads, for the same few people.
alter table marts.dim_segments add column description text;
alter table marts.dim_segments add column channel text;
alter table marts.dim_segments add column channels text;
alter table marts.dim_segments add column purpose text;
alter table marts.dim_segments add column destinations text;
alter table marts.dim_segments add column message_kind text;
alter table marts.dim_segments add column priority integer;
alter table marts.dim_segments add column holdout_share double;
alter table marts.dim_segments add column cooldown_days integer;
update marts.dim_segments set description = 'The best', channel = 'email', channels = '["email"]',
    purpose = 'marketing', destinations = '[]', message_kind = 'offer', priority = 1,
    holdout_share = 0, cooldown_days = 0;
create table marts.fct_orders (
    order_id text, customer_id text, ordered_at timestamp, is_counted boolean,
    net_sales_shop decimal(18,4));
create table marts.rpt_segment_reach (segment text, channel text, reached_count bigint);
create table marts.rpt_segment_overlap (
    segment text, other_segment text, shared_count bigint, member_count bigint);
create table marts.rpt_segment_funnel (
    segment text, condition_rank integer, step_rank integer, words text, is_wanted boolean,
    people_count bigint, kept_alone_count bigint, kept_in_order_count bigint,
    dropped_in_order_count bigint);
insert into marts.rpt_segment_funnel values ('vip', 1, 1, 'bought much', true, 2, 1, 1, 1);
create table activity.rpt_onsite_contacts (
    segment text, outcome text, reason text, people bigint);
create table ops.run_sources (
    run_id text, source text, rows_received bigint, rows_loaded bigint, rows_quarantined bigint,
    rows_duplicate bigint);
create table ops.source_freshness (
    source text, what text, row_count bigint, row_count_1d bigint, row_count_7d bigint,
    hours_since_last_event bigint);
create table ops.quarantine (source text, table_name text, reason text, row_count bigint);
