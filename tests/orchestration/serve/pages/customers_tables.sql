-- The tables of the page Customers, without a row.
alter table marts.fct_customer_predictions add column is_current boolean;
alter table marts.fct_customer_predictions add column clv_tier text;
delete from marts.fct_customer_predictions;
create or replace table marts.fct_customer_rfm (
    customer_id varchar, as_of_date date, is_current boolean, recency_days bigint, frequency
    bigint, monetary decimal(18,4), gross_monetary decimal(18,4), currency varchar, r_score
    integer, f_score integer, m_score integer, rfm_score varchar, rfm_segment varchar,
    last_ordered_date date);
create or replace table marts.rpt_rfm_transitions (
    from_date date, to_date date, from_segment varchar, to_segment varchar, is_current
    boolean, customer_count bigint, monetary decimal(18,4), currency varchar);
create or replace table marts.rpt_journey_flow (
    journey_flow_id varchar, from_stage varchar, to_stage varchar, customer_count bigint,
    share double, skipped_stage_count integer, silent_count hugeint, median_days double);
create or replace table marts.rpt_journey_sources as
    select 'direct' as source, * from marts.rpt_journey_flow limit 0;
create or replace table marts.rpt_cohorts (
    cohort_month date, age_months integer, is_complete boolean, customer_count bigint,
    active_count bigint, retention_rate double, order_count bigint, net_sales decimal(18,4),
    margin decimal(18,4), cumulative_net_sales decimal(18,4), repeat_rate double);
create or replace table marts.rpt_cohort_spend (
    cohort_month date, customer_count bigint, first_half_year_net_sales decimal(18,4),
    months_24_to_29_net_sales decimal(18,4), growth_rate double, null_reason varchar);
create or replace table marts.rpt_customer_equity (
    as_of_date date, from_date date, is_current boolean, buyer_count bigint, equity_value
    decimal(18,4), from_value decimal(18,4), change_value decimal(18,4), new_count bigint,
    new_value decimal(18,4), kept_count bigint, kept_value decimal(18,4), won_back_count
    bigint, won_back_value decimal(18,4), lost_count bigint, lost_value decimal(18,4),
    waiting_count bigint, waiting_value decimal(18,4), null_reason varchar);
create or replace table marts.dim_personas (
    persona_id varchar, persona varchar, who varchar, needs varchar, fears varchar,
    cares_about varchar, tastes varchar, content varchar, offers varchar, path varchar,
    problem varchar);
create or replace table marts.persona_assignments (
    customer_id varchar, persona_id varchar, persona varchar, is_first boolean, reason varchar);
create or replace table marts.rpt_persona_paths (
    persona_step_id varchar, persona_id varchar, persona varchar, step bigint, action varchar,
    channel varchar, after_days bigint, if_reacts varchar, if_reacts_step bigint, if_not varchar,
    if_not_step bigint, customer_count bigint, waiting_count bigint);
create or replace table marts.fct_customer_clv (
    customer_id varchar, as_of_date date, is_current boolean, historic_clv decimal(18,4),
    predicted_clv_365d decimal(18,4), predicted_clv_low decimal(18,4), predicted_clv_high
    decimal(18,4), margin_365d decimal(18,4), probability_alive double, expected_orders_365d
    double, currency varchar, null_reason varchar, margin_null_reason varchar,
    predicted_next_order_at timestamp);
