"""What a model costs grows with the shop, not with its square: all rows never meet all rows."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb

from ingestion.functions.registration import register
from tests.end_to_end.conftest import DemoHome

EVERY_PAIR = re.compile(r"BLOCKWISE_NL_JOIN|NESTED_LOOP_JOIN|CROSS_PRODUCT")
# Where one side has a few rows, however big the shop
FEW_ON_ONE_SIDE = {
    "int_order_payments": "names of card gateways",
    "int_web_traffic_sources": "rules of marketing channels",
    "int_web_user_agents": "one pattern of bots",
    "contactability": "policies of channels",
    "int_interactions_messages": "steps of a message",
    "dim_occasions": "the days of the shop's calendar",
    "rpt_rfm_matrix": "scores from one to five",
    "int_identifiers": "blocked words by kind of identifier",
    "int_list_memberships": "lists of the mail system",
    "int_order_conversions": "currencies of costs",
    "int_intent_signals": "steps of a message",
    "fct_attribution": "models of attribution",
    "rpt_attribution": "models of attribution",
    "rpt_programmes": "models of attribution",
    "rpt_campaign_launches": "days on which there was an order",
    "rpt_cohorts": "months of a shop's life",
    "rpt_customer_equity": "one row of what today's prediction is",
    "rpt_satisfaction": "one row of what the shop records",
    "seg_category_with_promotion": "live promotions",
    "persona_assignments": "conditions of the shop's personas",
    **dict.fromkeys(
        (
            "shop_rhythm",
            "dim_segments",
            "fct_customer_order_summary",
            "fct_customer_journey_stages",
            "seg_at_risk",
            "seg_loyal_customers",
            "seg_recent_buyers",
        ),
        "one row of thresholds",
    ),
}


def test_no_model_compares_everything_with_everything(demo_home: DemoHome) -> None:
    compiled = demo_home.root / "dbt" / "target" / "compiled" / "regulars" / "models"
    models = [path for path in compiled.rglob("*.sql") if path.parent.suffix != ".yml"]
    assert len(models) > 100
    with duckdb.connect(str(demo_home.root / "warehouse.duckdb"), read_only=True) as connection:
        connection.execute(f"attach '{demo_home.root / 'raw.duckdb'}' as raw (read_only)")
        register(connection)
        pairing = {path.stem for path in models if EVERY_PAIR.search(_plan(connection, path))}
    assert pairing <= set(FEW_ON_ONE_SIDE)


def _plan(connection: duckdb.DuckDBPyConnection, path: Path) -> str:
    rows = connection.execute(f"explain {path.read_text('utf-8')}").fetchall()
    return "\n".join(plan for _, plan in rows)
