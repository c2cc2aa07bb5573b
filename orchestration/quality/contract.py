"""The public contract: tables and columns that every published file has, and their keys.

Belongs here: what others build on by name. Does not belong here: what values mean (suites and dbt's
tests). A new public column is added here when it is added to the model.
"""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from ingestion.duckdb import name
from orchestration.published.checks import CheckResult


@dataclass(frozen=True)
class PublicTable:
    """A table that must exist with these columns; `key` is unique and never NULL."""

    columns: tuple[str, ...]
    key: tuple[str, ...] = ()


def _table(columns: str, key: str = "") -> PublicTable:
    return PublicTable(tuple(columns.split()), tuple(key.split()))


PUBLIC_TABLES = {
    "marts.dim_customers": _table(
        "customer_id customer_type is_known first_name last_name email email_evidence_grade phone"
        " country_code region first_seen_at last_seen_at first_ordered_at last_ordered_at"
        " order_count lifetime_net_sales currency",
        key="customer_id",
    ),
    "marts.bridge_customer_identifiers": _table(
        "customer_id identifier_type identifier_value evidence_grade is_primary is_dormant"
        " first_seen_at last_seen_at observation_count",
        key="identifier_type identifier_value",
    ),
    "marts.fct_customer_field_provenance": _table(
        "customer_id field claimed_value is_winner rule source_system source_record_id"
        " evidence_grade fact_kind claim_count stated_at",
        key="customer_id field claimed_value",
    ),
    "marts.fct_identity_edges": _table(
        "identifier_a_type identifier_a_value identifier_b_type identifier_b_value source_system"
        " source_record_id observed_at rule evidence_grade status refusal_reason"
    ),
    "marts.bridge_customer_households": _table(
        "household_id customer_id basis evidence", key="customer_id"
    ),
    "marts.dim_households": _table(
        "household_id member_count order_count lifetime_net_sales currency first_seen_at",
        key="household_id",
    ),
    "marts.fct_identity_changes": _table(
        "identity_change_id change_type customer_id previous_customer_id reason effective_at"
        " recorded_at",
        key="identity_change_id",
    ),
    "marts.customer_identifier_history": _table(
        "identifier_type identifier_value customer_id effective_from recorded_from recorded_to"
        " is_current",
        key="identifier_type identifier_value recorded_from",
    ),
    "marts.qa_identity_over_merging": _table(
        "customer_id signal severity score review_rank detail", key="customer_id signal"
    ),
    "marts.qa_refused_identifiers": _table(
        "identifier_type identifier_value reason is_blocked observation_count order_count"
        " net_sales",
        key="identifier_type identifier_value",
    ),
    "marts.qa_identity_under_merging": _table(
        "customer_a customer_b signal score review_rank", key="customer_a customer_b signal"
    ),
    "marts.fct_orders": _table(
        "order_id customer_id shop_id ordered_at ordered_date status sales_channel store_id"
        " gross_sales discounts returns net_sales shipping taxes total_sales currency",
    ),
    "marts.fct_order_lines": _table("order_id customer_id"),
    "marts.dim_products": _table("product_id"),
    "marts.fct_web_sessions": _table("customer_id started_at marketing_channel"),
    "marts.fct_messages": _table(
        "customer_id channel message_kind sent_at opened_at clicked_at unsubscribed_at"
    ),
    "marts.fct_interactions": _table(
        "customer_id occurred_at channel touchpoint kind direction place store_id product_id"
        " campaign_id flow_id message_kind order_id value detail"
    ),
    "marts.fct_customer_rfm": _table(
        "customer_id as_of_date recency_days frequency monetary gross_monetary r_score f_score"
        " m_score rfm_segment",
        key="customer_id as_of_date",
    ),
    "marts.fct_customer_journey_stages": _table(
        "customer_id stage entered_at exited_at entry_reason is_current"
    ),
    "marts.fct_customer_clv": _table(
        "customer_id as_of_date historic_clv predicted_clv_365d probability_alive"
        " predicted_clv_low predicted_clv_high margin_365d expected_orders_365d"
        " predicted_next_order_at null_reason",
        key="customer_id as_of_date",
    ),
    "marts.fct_customer_predictions": _table(
        "customer_id as_of_date churn_risk low high buys_in_7d buys_in_30d buys_in_90d"
        " next_category clv_tier model null_reason",
        key="customer_id as_of_date",
    ),
    "marts.fct_customer_intent": _table(
        "customer_id as_of_date intent reason signal signal_at null_reason next_stage"
        " next_stage_28d next_stage_null_reason",
        key="customer_id as_of_date",
    ),
    "marts.customer_channel_preferences": _table(
        "customer_id channel rank basis best_hour best_weekday", key="customer_id channel"
    ),
    "marts.rpt_rfm_transitions": _table(
        "from_date to_date from_segment to_segment customer_count",
        key="to_date from_segment to_segment",
    ),
    "marts.rpt_engagement_opportunities": _table(
        "rfm_segment engagement opportunity customer_count monetary", key="rfm_segment engagement"
    ),
    "marts.rpt_prediction_backtests": _table(
        "model target origin_date horizon_days people error baseline_error baseline coverage_90"
        " is_published"
    ),
    "marts.product_affinities": _table(
        "product_id other_product_id kind support lift", key="kind product_id other_product_id"
    ),
    "marts.fct_recommendations": _table(
        "customer_id kind rank product_id score reason", key="customer_id kind rank"
    ),
    "marts.rpt_recommendation_backtests": _table(
        "method people hit_rate_10 is_published null_reason", key="method"
    ),
    "marts.fct_replenishments": _table(
        "customer_id product_id due_at remind_at basis is_displeased",
        key="customer_id product_id",
    ),
    "marts.rpt_replenishment_intervals": _table("product_id interval_days basis", key="product_id"),
    "marts.contactability": _table(
        "customer_id channel purpose is_contactable reason consent_receipt_id requested_at source"
        " wording_version proof",
        key="customer_id channel purpose",
    ),
    "marts.rpt_permission_trend": _table(
        "month channel purpose level wording_version asked_count granted_count denied_count"
        " withdrawn_count opt_in_rate"
    ),
    "marts.rpt_contact_pressure": _table(
        "week_ends_on message_count is_over_limit people several_channel_count"
    ),
    "marts.customer_personalisation": _table(
        "customer_id level reason receipt_id", key="customer_id"
    ),
    "marts.customer_traits": _table(
        # What nobody dated has no valid_from, so its key is dbt's test alone
        "customer_id trait value evidence_kind sensitivity source valid_from stated_at valid_to"
        " score",
    ),
    "marts.customer_360": _table("customer_id", key="customer_id"),
    "marts.dim_segments": _table("segment label description channel purpose", key="segment"),
    "marts.fct_segment_memberships": _table(
        "segment customer_id programme is_current entered_at exited_at left_at entry_reason"
        " exit_reason goal",
        key="segment customer_id entered_at",
    ),
    "activity.fct_deliveries": _table("customer_id segment destination"),
    "activity.fct_audience_sizes": _table(
        "destination segment asked_at held_count ledger_count missing_count surplus_count"
        " drift_count match_rate",
        key="destination segment asked_at",
    ),
    "activity.fct_withdrawals_written": _table(
        "destination channel refusal_id reason refused_at state answer attempt_count"
        " first_tried_at last_tried_at done_at",
        key="destination channel refusal_id",
    ),
    "activity.fct_held_back": _table("customer_id segment destination reason"),
    "activity.fct_contact_decisions": _table(
        "customer_id decided_for class segment channel address_kind message_kind send_at not_after"
        " held_until outcome reason rivals",
        key="customer_id decided_for class",
    ),
    "activity.fct_holdouts": _table(
        "customer_id holdout is_held_out assigned_at", key="customer_id holdout"
    ),
    "activity.rpt_onsite_contacts": _table("segment outcome reason people"),
    "ops.runs": _table("run_id as_of code_version", key="run_id"),
}
SEGMENT_TABLE = _table("customer_id reason context", key="customer_id")


def check_contract(connection: duckdb.DuckDBPyConnection) -> list[CheckResult]:
    """Compare an open candidate with the contract: one result per public or segment table."""
    present: dict[str, set[str]] = {}
    for schema, table, column in connection.execute(
        "select schema_name, table_name, column_name from duckdb_columns() where not internal"
    ).fetchall():
        present.setdefault(f"{schema}.{table}", set()).add(column)
    wanted = dict(PUBLIC_TABLES)
    for table in sorted(present):
        if table.startswith("segments.seg_"):
            wanted[table] = SEGMENT_TABLE
    return [_check(connection, table, must, present.get(table)) for table, must in wanted.items()]


def _check(
    connection: duckdb.DuckDBPyConnection, table: str, must: PublicTable, columns: set[str] | None
) -> CheckResult:
    problem, observed = _problem(connection, table, must, columns)
    return CheckResult(
        kind="contract",
        name=f"contract.{table}",
        table=table,
        passed=not problem,
        observed=observed,
        sentence=problem,
        hint="Mend the model of that table; DESIGN lists what must exist." if problem else "",
    )


def _problem(
    connection: duckdb.DuckDBPyConnection, table: str, must: PublicTable, columns: set[str] | None
) -> tuple[str, float | None]:
    if columns is None:
        return f"The table {table} is missing.", None
    missing = [column for column in must.columns if column not in columns]
    if missing:
        return f"{table} lacks the column {', '.join(missing)}.", float(len(missing))
    if not must.key:
        return "", None
    key = ", ".join(name(column) for column in must.key)
    quoted = name(*table.split("."))
    nulls = " or ".join(f"{name(column)} is null" for column in must.key)
    row = connection.execute(
        f"select (select count(*) from {quoted})"
        f" - (select count(*) from (select distinct {key} from {quoted})),"
        f" (select count(*) from {quoted} where {nulls})"
    ).fetchone()
    assert row is not None  # noqa: S101 - two scalars always make one row
    repeated, empty = row
    if repeated or empty:
        text = (
            f"{table} has {repeated:,} repeated and {empty:,} empty keys ({', '.join(must.key)})."
        )
        return text, float(repeated + empty)
    return "", 0.0
