"""The columns of the intermediate and ops tables that marts and segments read.

Belongs here: names and types, so that tests can lay down a handmade world and build only marts and
segments on it. Does not belong here: rows. A test checks these shapes against the real models.
"""

from __future__ import annotations

MONEY = "decimal(18,4)"

INTERMEDIATE: dict[str, str] = {
    "int_customer_identifiers": """
        identifier_type text, identifier_value text, customer_id text, evidence_grade text,
        evidence_rank integer, is_shared boolean, is_blocked boolean, block_reason text,
        share_reason text, first_seen_at timestamp, last_seen_at timestamp,
        observation_count bigint""",
    "int_order_customers": """
        order_id text, order_source text, customer_id text, refused_identifier_type text,
        refused_identifier_value text""",
    "int_email_logins": "email text, last_login_at timestamp",
    "int_verified_identifiers": """
        identifier_type text, identifier_value text, verified_at timestamp""",
    "int_email_slips": "customer_id text, identifier_type text, identifier_value text",
    "int_identifiers": "identifier_key bigint, identifier_type text, identifier_value text",
    "int_identity_edges_judged": """
        key_a bigint, key_b bigint, evidence_rank integer, observed_micros bigint,
        source_system text, rule text, source_record_id text, refusal_reason text""",
    "int_orders_resolved": f"""
        order_id text, order_source text, customer_id text, shop_id text, ordered_at timestamp,
        ordered_date date, created_at timestamp, cancelled_at timestamp, status text,
        is_kept boolean, sales_channel text, store_id text, gross_sales {MONEY},
        discounts {MONEY}, returns {MONEY}, net_sales {MONEY}, shipping {MONEY}, taxes {MONEY},
        total_sales {MONEY}, gift_cards_sold {MONEY}, tips {MONEY},
        adjustments {MONEY}, currency text, gross_sales_shop {MONEY},
        discounts_shop {MONEY}, returns_shop {MONEY}, net_sales_shop {MONEY},
        total_sales_shop {MONEY}, conversion_issue text, email text, phone text,
        payment_fingerprint text,
        is_card_paid boolean, first_name text, last_name text, country_code text, region text,
        city text, is_test boolean,
        accepts_marketing boolean, landing_site text, referring_site text, discount_code text,
        tags text, cart_token text, checkout_token text, checkout_id text,
        is_refund_unknown boolean, refunded_at timestamp, is_gift boolean,
        is_return_document boolean,
        ships_elsewhere boolean, occasion text""",
    "int_order_lines_resolved": f"""
        order_line_id text, order_id text, order_source text, customer_id text,
        line_number bigint, product_id text, sku text, product_name text, category text,
        brand text, line_kind text, quantity {MONEY}, unit_price decimal(26,12),
        gross_sales {MONEY},
        discounts {MONEY}, returns {MONEY}, net_sales {MONEY}, returned_quantity {MONEY},
        other_amount {MONEY}, adjustments {MONEY}, currency text,
        net_sales_shop {MONEY}, unit_cost_shop {MONEY}, cost_basis text, cost_shop {MONEY},
        margin_shop {MONEY}, is_return_line boolean, ordered_at timestamp""",
    "int_product_states": f"""
        product_state_id text, product_source text, product_id text, sku text,
        valid_from timestamp, valid_to timestamp, price {MONEY}, previous_price {MONEY},
        cost {MONEY}, previous_cost {MONEY}, currency text, in_stock boolean,
        was_in_stock boolean, stock_quantity bigint""",
    "int_products_unioned": f"""
        product_id text, sku text, product_name text, category text, brand text, price {MONEY},
        cost {MONEY}, currency text, replenish_after_days bigint, in_stock boolean,
        substitute_group text, attributes text, product_source text""",
    "int_web_sessions_resolved": """
        session_id text, customer_id text, device_id text, login_id text, started_at timestamp,
        ended_at timestamp, event_count bigint, page_view_count bigint, product_view_count bigint,
        product_view_1_at timestamp, product_view_2_at timestamp, product_view_3_at timestamp,
        first_wishlist_at timestamp, first_cart_at timestamp, last_cart_at timestamp,
        first_checkout_at timestamp, last_product_view_at timestamp, order_completed_count bigint,
        landing_page_url text, referrer text, utm_source text, utm_medium text, utm_campaign text,
        marketing_channel text, device_type text, is_bot boolean, is_internal boolean""",
    "int_web_interactions": f"""
        event_id text, visitor_id text, customer_id text, session_id text, device_id text,
        occurred_at timestamp, event_name text, product_id text, sku text, product_name text,
        category text, brand text,
        price {MONEY}, quantity {MONEY}, order_id text, cart_id text,
        checkout_id text, search_query text,
        page_url text""",
    "int_interactions_web": f"""
        interaction_id bigint, customer_id text, occurred_at timestamp, touchpoint text, kind text,
        place text, city text, product_id text, order_id text, value {MONEY}, detail text""",
    "int_messages_resolved": """
        message_id text, customer_id text, email text, channel text, message_kind text,
        campaign_id text, flow_id text, campaign_name text, variant text, sent_at timestamp,
        delivered_at timestamp, opened_at timestamp, machine_opened_at timestamp,
        clicked_at timestamp, machine_clicked_at timestamp, unsubscribed_at timestamp,
        bounced_at timestamp, failed_at timestamp, replied_at timestamp, is_opt_out_reply boolean,
        is_hard_bounce boolean, complained_at timestamp, message_source text""",
    "int_contacts_resolved": """
        contact_key text, customer_id text, contact_source text, source text,
        source_record_id text, email text, phone text, first_name text, last_name text,
        birthday date, gender text, job text, country_code text, region text, postcode text,
        timezone text, loyalty_id text, loyalty_tier text, preferred_channel text,
        created_at timestamp, updated_at timestamp,
        attributes text, evidence_grade text""",
    "int_contact_attributes": """
        contact_key text, customer_id text, trait text, value text, contact_source text,
        source text,
        created_at timestamp, _dlt_load_id text, _line bigint""",
    "int_stated_answers": """
        customer_id text, trait text, value text, source text, stated_at timestamp,
        record_order text""",
    "int_checkouts_resolved": f"""
        checkout_id text, customer_id text, started_at timestamp, changed_at timestamp,
        bought_at timestamp, next_ordered_at timestamp, status text, product_id text, sku text,
        product_name text, line_count bigint, total {MONEY}, currency text, discount_code text""",
    "int_promotion_codes": f"""
        promotion_code_id text, promotion_source text, promotion_id text, shop_id text,
        code text, promotion_name text, discount_kind text, percent_off {MONEY}, amount_off {MONEY},
        currency text, category text, product_id text, for_segment text, starts_at timestamp,
        ends_at timestamp, status text, code_count bigint, voucher_count bigint,
        redeemed_count bigint""",
    "int_list_memberships": """
        list_membership_id text, customer_id text, list_source text, list_id text, list_name text,
        joined_at timestamp, left_at timestamp""",
    "int_spend_resolved": f"""
        spend_key text, spend_date date, marketing_channel text, campaign text, programme text,
        cost {MONEY}, currency text, cost_shop {MONEY}, conversion_issue text,
        claimed_orders bigint, claimed_value {MONEY}, claimed_value_shop {MONEY}""",
    "int_vouchers_resolved": f"""
        voucher_key text, customer_id text, promotion_id text, promotion_name text, code text,
        category text, product_id text, value_percent {MONEY}, value_amount {MONEY}, currency text,
        issued_at timestamp, valid_from timestamp, valid_until timestamp, redeemed_at timestamp,
        redeemed_order_id text""",
    "int_feedback_resolved": f"""
        feedback_key text, customer_id text, kind text, score {MONEY}, product_id text,
        question text, answer text, occurred_at timestamp, closed_at timestamp,
        source text""",
    "int_experiments_resolved": """
        assignment_key text, experiment_id text, customer_id text, experiment_group text,
        assigned_at timestamp, identifier_count bigint, is_in_both_groups boolean""",
    "int_customers": """
        customer_id text, first_seen_at timestamp, last_seen_at timestamp,
        identifier_count bigint, has_known_identifier boolean, is_newly_born boolean,
        previous_customer_ids text""",
    "int_identity_registry_next": """
        identifier_type text, identifier_value text, customer_id text, registered_at timestamp""",
    "int_identity_moves_next": """
        identifier_type text, identifier_value text, moved_at timestamp, from_customer_id text,
        to_customer_id text, move_type text, reason text, rule text, source_system text,
        source_record_id text, evidence_grade text, effective_at timestamp,
        registered_at timestamp""",
    "int_customer_aliases_next": "alias_id text, customer_id text, merged_at timestamp",
    "int_household_members": """
        customer_id text, household_id text, refusal_reason text, basis text, evidence text""",
    "int_identity_over_merging": """
        customer_id text, signal text, score integer, detail text""",
    "int_identity_metrics": "metric text, kind text, value bigint",
    "int_identity_under_merging": """
        customer_a text, customer_b text, signal text, score integer""",
}

STAGING: dict[str, str] = {
    "stg_calendar__occasions": """
        occasion_key text, occasion text, starts_on date, ends_on date, country text""",
    "stg_personas__personas": """
        persona_key text, persona text, who text, needs text, fears text, persona_values text,
        tastes text, content text, offers text, path text""",
}

OPS_EXPORT: dict[str, str] = {
    "run_context": "run_id text, as_of timestamp, code_version text",
    "consent_events": """
        consent_event_id text, identifier_type text, identifier_value text, channel text,
        purpose text, status text, occurred_at timestamp, source text, wording_version text,
        expires_at timestamp, proof text, lawful_basis text, level text, recorded_at timestamp""",
    "quarantine": "source text, table_name text, reason text, row_count bigint",
    "consent_requests": """
        consent_request_id text, identifier_type text, identifier_value text, channel text,
        purpose text, occurred_at timestamp, source text, wording_version text,
        recorded_at timestamp""",
    "suppressions": """
        suppression_id text, identifier_type text, identifier_value text, channel text,
        purpose text, reason text, occurred_at timestamp, source text""",
    "identity_registry": """
        identifier_type text, identifier_value text, customer_id text, registered_at timestamp""",
    "identity_moves": """
        identifier_type text, identifier_value text, moved_at timestamp, from_customer_id text,
        to_customer_id text, move_type text, reason text, rule text, source_system text,
        source_record_id text, evidence_grade text, effective_at timestamp,
        registered_at timestamp""",
    "identity_metrics": "run_id text, metric text, kind text, as_of timestamp, value bigint",
    "holdouts": "customer_id text, holdout text, is_held_out boolean, assigned_at timestamp",
    "customer_aliases": "alias_id text, customer_id text, merged_at timestamp",
    "segment_memberships": """
        segment text, customer_id text, entered_at timestamp, exited_at timestamp,
        left_at timestamp, programme text, entry_reason text, exit_reason text, goal text""",
    "deliveries": """
        delivery_id text, sync_run_id text, segment text, destination text, customer_id text,
        operation text, channel text, purpose text, consent_receipt_id text, content_hash text,
        delivered_at timestamp, outcome text""",
    "audience_sizes": """
        destination text, segment text, asked_at timestamp, held_count bigint,
        ledger_count bigint, missing_count bigint, surplus_count bigint,
        matched_percent bigint""",
    "withdrawals_written": """
        destination text, channel text, refusal_id text, reason text, refused_at timestamp,
        state text, answer text, attempts bigint, first_tried_at timestamp,
        last_tried_at timestamp, done_at timestamp""",
    "held_back": """
        sync_run_id text, segment text, destination text, customer_id text, channel text,
        purpose text, reason text, held_back_at timestamp""",
    "runs": """
        run_id text, as_of timestamp, code_version text, status text, rows_received bigint,
        rows_loaded bigint, rows_quarantined bigint, rows_duplicate bigint,
        started_at timestamp, finished_at timestamp""",
    "run_sources": """
        run_id text, source text, table_name text, rows_received bigint, rows_loaded bigint,
        rows_quarantined bigint, rows_duplicate bigint, values_emptied bigint""",
}
