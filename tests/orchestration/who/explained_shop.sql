-- The published tables that explain reads, and a few people in them.
create schema marts; create schema segments; create schema activity; create schema ops;
create table ops.build (build_id text, run_id text, as_of timestamp);
create table marts.dim_customers (
    customer_id text, customer_type text, is_known boolean, first_name text, last_name text,
    email text, email_evidence_grade text, phone text, country_code text, region text,
    first_seen_at timestamp, last_seen_at timestamp, first_ordered_at timestamp,
    last_ordered_at timestamp, order_count bigint, lifetime_net_sales decimal(18,4), currency text);
create table marts.bridge_customer_identifiers (
    customer_id text, identifier_type text, identifier_value text, evidence_grade text,
    is_primary boolean, is_dormant boolean, first_seen_at timestamp, last_seen_at timestamp,
    observation_count bigint);
create table marts.customer_aliases (alias_id text, customer_id text, merged_at timestamp);
create table marts.fct_identity_edges (
    identifier_a_type text, identifier_a_value text, identifier_b_type text,
    identifier_b_value text, source_system text, source_record_id text, observed_at timestamp,
    rule text, evidence_grade text, status text, refusal_reason text);
create table marts.qa_refused_identifiers (
    identifier_type text, identifier_value text, reason text, is_blocked boolean,
    observation_count bigint, order_count bigint, net_sales decimal(18,4));
create table marts.fct_customer_field_provenance (
    customer_id text, field text, claimed_value text, is_winner boolean, rule text,
    source_system text, source_record_id text, evidence_grade text, fact_kind text,
    claim_count bigint, stated_at timestamp);
create table marts.fct_customer_journey_stages (
    customer_id text, stage text, entered_at timestamp, exited_at timestamp, entry_reason text,
    is_current boolean);
create table marts.persona_assignments (
    customer_id varchar, persona_id varchar, persona varchar, is_first boolean, reason varchar
);
create table marts.fct_customer_rfm (
    customer_id text, as_of_date date, recency_days bigint, frequency bigint,
    monetary decimal(18,4), gross_monetary decimal(18,4), r_score int, f_score int, m_score int,
    rfm_segment text);
create table marts.fct_customer_clv (
    customer_id text, as_of_date date, historic_clv decimal(18,4),
    predicted_clv_365d decimal(18,4), null_reason text);
create table marts.fct_customer_predictions (
    customer_id text, as_of_date date, churn_risk double, low double, high double,
    next_category text, null_reason text, next_category_null_reason text);
create table marts.fct_customer_intent (
    customer_id text, as_of_date date, is_current boolean, intent double, alike_share double,
    alike_people bigint, reason text, null_reason text, next_stage text, next_stage_28d double,
    next_stage_null_reason text);
create table marts.customer_preferences (
    customer_id text, size text, size_evidence_kind text, fit text, fit_evidence_kind text,
    colour text, colour_evidence_kind text);
create table marts.customer_channel_preferences (
    customer_id text, channel text, rank bigint, basis text, message_count bigint,
    reaction_count bigint, best_hour bigint, best_weekday text, time_basis text);
create table marts.customer_traits (
    customer_id text, trait text, value text, evidence_kind text, sensitivity text, source text,
    stated_at timestamp, valid_to timestamp, score double);
create table marts.rpt_prediction_backtests (
    model text, target text, origin_date date, error double, baseline_error double,
    is_published boolean);
create table marts.fct_recommendations (
    customer_id text, kind text, rank integer, product_id text, with_product_id text,
    method text, reason text, proof text);
create table marts.fct_replenishments (
    customer_id text, product_id text, basis text, is_displeased boolean, displeased_by text,
    other_product_id text, remind_at timestamp, due_at timestamp);
create table marts.fct_persona_paths (
    customer_id varchar, persona_id varchar, persona varchar, step bigint, done_at timestamp,
    reacted_at timestamp, state varchar, next_step bigint, next_action varchar,
    next_channel varchar, next_due_at timestamp
);
create table marts.customer_personalisation (customer_id text, level text);
create table marts.dim_segments (segment text, label text);
create table marts.fct_segment_memberships (
    segment text, customer_id text, is_current boolean, entered_at timestamp, exited_at timestamp);
create table marts.contactability (
    customer_id text, channel text, purpose text, is_contactable boolean, reason text,
    consent_receipt_id text);
create table marts.dim_products (product_id text, product_name text);
create table marts.fct_interactions (
    customer_id text, occurred_at timestamp, channel text, touchpoint text, kind text,
    direction text, store_id text, product_id text, campaign_id text, flow_id text,
    message_kind text, order_id text, value decimal(18,4), currency text, detail text,
    interaction_id bigint);
create table segments.seg_vip (customer_id text, reason text, context text);
create table segments.seg_at_risk (customer_id text, reason text, context text);
create table activity.fct_contact_decisions (
    customer_id varchar, decided_for date, class varchar, segment varchar, channel varchar, outcome varchar,
    reason varchar, send_at timestamp, rivals varchar
);
create table activity.fct_deliveries (
    delivery_id text, segment text, destination text, customer_id text, operation text,
    channel text, purpose text, consent_receipt_id text, delivered_at timestamp, outcome text);
create table activity.fct_held_back (
    segment text, destination text, customer_id text, channel text, purpose text, reason text,
    held_back_at timestamp);

-- Rows
insert into ops.build values ('b1', 'r1', timestamp '2026-06-01 00:00:00');
insert into marts.dim_customers values
    ('c1', 'buyer', true, 'Ann', '[bold]Lee', 'ann@shop.example', 'card_paid_order',
     '+442079460000', 'GB', null, timestamp '2025-01-01', timestamp '2026-05-01',
     timestamp '2025-02-01', timestamp '2026-05-01', 3, 120.5000, 'GBP'),
    ('c2', 'prospect', true, null, null, 'bo@shop.example', 'newsletter', null, null, null,
     timestamp '2025-03-01', timestamp '2025-03-01', null, null, 0, 0, 'GBP');
insert into marts.bridge_customer_identifiers values
    ('c1', 'email', 'ann@shop.example', 'card_paid_order', true, false,
     timestamp '2025-02-01', timestamp '2026-05-01', 3),
    ('c1', 'email', 'old@shop.example', 'newsletter', false, true,
     timestamp '2025-01-01', timestamp '2025-01-01', 1),
    ('c1', 'phone', '+442079460000', 'checkout', true, false,
     timestamp '2025-02-01', timestamp '2025-02-01', 1),
    ('c1', 'device', 'dev-1', 'checkout', false, false,
     timestamp '2025-01-01', timestamp '2026-05-01', 40),
    ('c1', 'loyalty_id', '77', 'store_till', false, false,
     timestamp '2025-06-01', timestamp '2025-06-01', 1),
    ('c2', 'orders_customer_id', '77', 'import', false, false,
     timestamp '2025-03-01', timestamp '2025-03-01', 1),
    ('c2', 'email', 'bo@shop.example', 'newsletter', true, false,
     timestamp '2025-03-01', timestamp '2025-03-01', 1);
insert into marts.customer_aliases values ('c0', 'c1', timestamp '2025-06-01');
insert into marts.qa_refused_identifiers values
    ('orders_customer_id', '(none)', 'placeholder', true, 12, 10, 1234.5),
    ('phone', '+441111111111', 'repeated_digits', true, 3, 0, 0);
insert into marts.fct_identity_edges values
    ('email', 'ann@shop.example', 'phone', '+442079460000', 'orders', '1001',
     timestamp '2025-02-01', 'same_order', 'card_paid_order', 'used', null),
    ('device', 'dev-1', 'email', 'old@shop.example', 'web', 'm-1',
     timestamp '2025-01-01', 'identify', 'newsletter', 'used', null),
    ('device', 'dev-1', 'order', '1001', 'web', 'm-9',
     timestamp '2025-02-01', 'order_completed', 'checkout', 'used', null),
    ('email', 'ann@shop.example', 'order', '1001', 'orders', '1001',
     timestamp '2025-02-01', 'same_order', 'card_paid_order', 'used', null),
    ('email', 'ann@shop.example', 'order', '1002', 'orders', '1002',
     timestamp '2025-04-01', 'same_order', 'card_paid_order', 'used', null),
    ('device', 'kiosk', 'email', 'ann@shop.example', 'web', 'm-5',
     timestamp '2025-05-01', 'identify', 'checkout', 'refused', 'shared_device'),
    ('email', 'none@none.example', 'phone', '+442079460009', 'orders', '2001',
     timestamp '2025-05-01', 'same_order', 'checkout', 'refused', 'blocked_value'),
    ('device', 'kiosk', 'email', 'bo@shop.example', 'web', 'm-6',
     timestamp '2025-05-02', 'identify', 'newsletter', 'refused', 'shared_device'),
    ('email', 'bo@shop.example', 'orders_customer_id', '77', 'contacts', 'row-1',
     timestamp '2025-03-01', 'import', 'import', 'used', null),
    ('loyalty_id', '77', 'orders_customer_id', '77', 'contacts', 'row-2',
     timestamp '2025-04-01', 'import', 'import', 'refused', 'cannot_link');
insert into marts.fct_customer_field_provenance values
    ('c1', 'first_name', 'Ann', true, 'best_grade', 'orders', '1001', 'card_paid_order',
     'observed', 3, timestamp '2025-02-01'),
    ('c1', 'first_name', 'Annie', false, 'best_grade', 'klaviyo', 'k-1', 'newsletter',
     'stated', 1, timestamp '2025-03-01'),
    ('c1', 'timezone', 'Europe/London', true, 'best_grade', 'klaviyo', 'k-1', 'newsletter',
     'inferred', 1, timestamp '2025-03-01'),
    ('c1', 'email', 'ann@shop.example', true, 'primary_identifier', 'orders', '1001',
     'card_paid_order', 'observed', 3, timestamp '2025-02-01');
insert into marts.fct_customer_journey_stages values
    ('c1', 'awareness', timestamp '2025-01-01', timestamp '2025-02-01', 'first visit', false),
    ('c1', 'purchase', timestamp '2025-02-01', null, 'first kept order', true);
insert into marts.persona_assignments values
    ('c1', 'k2', 'Giver', false, 'buys gifts is yes'),
    ('c1', 'k1', 'Warm cup', true, 'favourite department is tea; order count at least 1');
insert into marts.fct_persona_paths values
    ('c1', 'k1', 'Warm cup', 1, timestamp '2026-05-01', null, 'did_not_react', 2, 'refill',
     'email', timestamp '2026-05-29');
insert into marts.fct_customer_rfm values
    ('c1', date '2026-05-31', 30, 2, 80, 90, 5, 3, 3, 'active'),
    ('c1', date '2026-06-01', 31, 3, 120.5, 130, 5, 4, 4, 'loyal');
insert into marts.fct_customer_clv values
    ('c1', date '2026-06-01', 120.5, null, 'history_too_short');
insert into marts.fct_customer_predictions values
    ('c1', date '2026-05-31', null, null, null, null, 'past_date', 'past_date'),
    ('c1', date '2026-06-01', 0.254, 0.2, 0.31, null, null, 'not_surely_better');
insert into marts.fct_customer_intent values
    ('c1', date '2026-05-31', false, 0.9, 0.9, 9, 'Earlier.', null, null, null, null),
    ('c1', date '2026-06-01', true, 0.12, 0.1, 640, 'Viewed a product on 2026-05-30; no order since.',
     null, null, null, 'loses_to_baseline');
insert into marts.customer_preferences values ('c1', 'M', 'stated', null, null, 'red', 'observed');
insert into marts.customer_channel_preferences values
    ('c1', 'sms', 1, 'stated', 0, 0, null, null, null),
    ('c1', 'email', 2, 'measured', 9, 3, 16, 'monday', 'own'),
    ('c1', 'push', 3, 'measured', 1, 1, 9, 'sunday', 'shop');
insert into marts.customer_traits values
    ('c1', 'interest_brand', 'Leaf', 'inferred', 'none', 'customer_interests',
     timestamp '2026-05-30', null, 2.5),
    ('c1', 'interest_brand', 'Bean', 'inferred', 'none', 'customer_interests',
     timestamp '2026-05-31', null, 0.5),
    ('c1', 'interest_brand', 'Closed', 'inferred', 'none', 'customer_interests',
     timestamp '2026-01-30', timestamp '2026-02-28', 9);
insert into marts.rpt_prediction_backtests values
    ('logistic', 'intent', date '2026-05-01', 0.2, 0.3, true),
    ('bg_nbd', 'alive', date '2025-01-01', 0.3, 0.4, true),
    ('bg_nbd', 'alive', date '2024-07-01', 0.5, 0.4, true),
    ('mbg_nbd', 'alive', date '2025-01-01', 0.2, 0.4, false);
insert into marts.fct_recommendations values
    ('c1', 'next', 1, 'mug', null, 'cosine', 'Often bought with Tea, which they have.',
     'Proven on this shop''s past.'),
    ('c1', 'next', 2, 'second', null, 'cosine', 'Next best.', 'Proven on this shop''s past.');
insert into marts.fct_replenishments values
    ('c1', 'beans', 'declared', true, 'returned', 'mug', timestamp '2026-05-20',
     timestamp '2026-06-05'),
    ('c1', 'early', 'declared', true, 'returned', 'mug', timestamp '2026-07-20',
     timestamp '2026-08-05');
insert into marts.customer_personalisation values ('c1', 'segment');
insert into marts.dim_segments values ('vip', 'Best customers'), ('at_risk', 'At risk');
insert into marts.fct_segment_memberships values
    ('vip', 'c1', false, timestamp '2025-03-01', timestamp '2025-04-01'),
    ('vip', 'c1', true, timestamp '2026-05-02', null);
insert into segments.seg_vip values ('c1', 'among the top 5 %', '{}');
insert into marts.contactability values
    ('c1', 'email', 'marketing', true, 'granted at checkout', 'receipt-1'),
    ('c1', 'sms', 'marketing', false, 'revoked', null),
    ('c1', 'push', 'marketing', false, 'no_consent', null);
insert into activity.fct_contact_decisions values
    (
        'c1', '2026-05-31', 'marketing', 'vip', 'email', 'chosen', null, '2026-05-31', '[]'
    ),
    (
        'c1', '2026-06-01', 'marketing', 'abandoned_cart', 'email', 'deferred', 'contact_cap', '2026-06-02',
        '[{"segment": "vip", "channel": "sms", "outcome": "dropped", "reason": "quiet_time"}]'
    );
insert into activity.fct_deliveries values
    ('d1', 'vip', 'file', 'c1', 'added', 'email', 'marketing', 'receipt-1',
     timestamp '2026-05-03', 'delivered');
insert into activity.fct_held_back values
    ('vip', 'file', 'c1', 'sms', 'marketing', 'no consent recorded', timestamp '2026-05-03');
insert into marts.dim_products values ('p1', 'Blue mug'), ('p2', 'Tea [bold]pot');
insert into marts.fct_interactions by name
    select 'c1' as customer_id, timestamp '2025-01-01 09:00' + i * interval 1 minute as occurred_at,
        'web' as channel, 'web' as touchpoint,
        case i when 0 then 'visit' else 'product_viewed' end as kind, 'inbound' as direction,
        case i when 0 then null when 1 then 'p1' when 2 then 'p2' else 'x' || i end as product_id,
        case i when 0 then '{"source":"paid_social","pages":3}' end as detail, i as interaction_id
    from range(15) as steps (i)
    union all by name
    select 'c1' as customer_id, timestamp '2025-02-01 10:00' as occurred_at, 'store' as channel,
        'store' as touchpoint, 'order_placed' as kind, 'inbound' as direction, 'north' as store_id,
        '1001' as order_id, 60.5 as value, 'GBP' as currency, 100 as interaction_id
    union all by name
    select 'c1' as customer_id, timestamp '2025-03-01 07:00' + step * interval 1 hour as occurred_at,
        'email' as channel, 'email' as touchpoint, kind, direction, 'spring' as campaign_id,
        'promo' as message_kind, 200 + step as interaction_id
    from (values (0, 'message_sent', 'outbound'), (1, 'message_opened', 'inbound'),
        (2, 'message_clicked', 'inbound')) as steps (step, kind, direction)
    union all by name
    select 'c1' as customer_id, timestamp '2024-12-01' as occurred_at, 'email' as channel,
        'email' as touchpoint, 'message_sent' as kind, 'outbound' as direction,
        'welcome' as message_kind, 300 as interaction_id;
