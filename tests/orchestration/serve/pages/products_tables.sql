-- The tables of the page Products, without a row.
create or replace table marts.dim_products (
    product_id varchar, sku varchar, product_name varchar, category varchar, brand varchar,
    substitute_group varchar, size varchar, colour varchar, fit varchar, material varchar,
    occasion varchar, product_source varchar, in_stock boolean, price decimal(18,4), cost
    decimal(18,4), currency varchar, replenish_after_days bigint, order_count bigint,
    sold_quantity decimal(38,4), returned_quantity decimal(38,4), last_ordered_at timestamp);
create or replace table marts.product_affinities (
    kind varchar, product_id varchar, other_product_id varchar, support integer, confidence
    double, lift double, affinity_rank integer);
create or replace table marts.fct_recommendations (
    customer_id varchar, kind varchar, rank integer, product_id varchar, with_product_id
    varchar, score double, method varchar, reason varchar, proof varchar);
create or replace table marts.fct_replenishments (
    customer_id varchar, product_id varchar, purchase_count bigint, interval_days integer,
    basis varchar, is_displeased boolean, displeased_by varchar, other_product_id varchar,
    other_promotion_id varchar, last_bought_at timestamp, remind_at timestamp, due_at
    timestamp);
create or replace table marts.rpt_replenishment_intervals (
    product_id varchar, interval_days integer, basis varchar, found_days double, category_days
    double, declared_days double, repeat_buyer_count bigint, comeback_count bigint,
    found_right_count bigint, declared_right_count bigint, null_reason varchar);
create or replace table marts.rpt_stores (
    store_row_id varchar, sales_channel varchar, store_id varchar, order_count bigint,
    unknown_buyer_order_count bigint, buyer_count bigint, several_stores_count bigint,
    online_too_count bigint, net_sales decimal(18,4), unconverted_count bigint,
    first_ordered_date date, last_ordered_date date);
create or replace table marts.rpt_satisfaction (
    month date, is_complete boolean, order_count bigint, net_sales decimal(18,4), review_count
    bigint, mean_review_score double, bad_review_count bigint, nps_answer_count bigint,
    nps_score double, complaint_count bigint, complaint_rate double, returned_order_count
    bigint, returns decimal(18,4), return_rate double, buyer_count bigint, member_count
    bigint, loyalty_rate double);
