"""A hand-written world for golden tables: raw tables, ops export, one `dbt build`, a connection.

Belongs here: the shapes of the raw and ops tables that models read, and how to fill and build them.
Does not belong here: what any one test expects.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import duckdb

from tests.dbt.warm import run_dbt

REPOSITORY = Path(__file__).resolve().parents[2]
PROJECT = REPOSITORY / "dbt_project"

LOADED = "_row_id varchar, _run_id varchar, _file varchar, _line bigint, _dlt_load_id varchar"

RAW: dict[str, str] = {
    "raw_web.events": "type varchar, message_id varchar, anonymous_id varchar, user_id varchar, "
    "previous_id varchar, event varchar, occurred_at timestamp, sent_at timestamp, "
    "received_at timestamp, properties varchar, traits varchar, context varchar",
    "raw_email.events": "email varchar, occurred_at timestamp, event varchar, sg_event_id varchar, "
    "sg_message_id varchar, category varchar, url varchar, useragent varchar, ip varchar, "
    "reason varchar, type varchar, bounce_classification varchar, asm_group_id varchar, "
    "sg_machine_open boolean, marketing_campaign_id varchar, campaign_id varchar, "
    "message_kind varchar, variant varchar, unique_args varchar",
    "raw_orders.orders": "order_id varchar, created_at timestamp, processed_at timestamp, "
    "updated_at timestamp, currency varchar, payload varchar",
    "raw_orders.order_lines": "order_id varchar, line_id varchar, ordered_at timestamp, "
    "customer_ref varchar, email varchar, phone varchar, payment_fingerprint varchar, "
    "first_name varchar, last_name varchar, sku varchar, product_name varchar, category varchar, "
    "quantity decimal(18,4), unit_price decimal(26,12), line_amount decimal(18,4), "
    "discount decimal(18,4), shipping decimal(18,4), refunded_amount decimal(18,4), "
    "currency varchar, country varchar, status varchar, cancelled_at timestamp, "
    "sales_channel varchar, store_id varchar, is_return boolean, line_key varchar",
    "raw_payments.payments": "order_id varchar, provider varchar, fingerprint varchar, "
    "billing_email varchar, billing_name varchar, status varchar, amount decimal(18,4), "
    "currency varchar, paid_at timestamp",
    "raw_products.products": "product_id varchar, sku varchar, name varchar, category varchar, "
    "brand varchar, price decimal(18,4), cost decimal(18,4), replenish_after_days bigint, "
    "in_stock boolean, substitute_group varchar",
    "raw_promotions.promotions": "promotion_id varchar, name varchar, category varchar, "
    "product_id varchar, starts_at timestamp, ends_at timestamp, code varchar, "
    "customer_ref varchar, redeemed_at timestamp",
    "raw_contacts.contacts": "email varchar, phone varchar, first_name varchar, last_name varchar, "
    "birthday date, gender varchar, job varchar, country varchar, postcode varchar, "
    "timezone varchar, source varchar, created_at timestamp, status varchar, loyalty_id varchar, "
    "loyalty_tier varchar, customer_ref varchar, attributes varchar",
    "raw_consents.consents": "identifier_type varchar, identifier_value varchar, channel varchar, "
    "purpose varchar, status varchar, occurred_at timestamp, source varchar, "
    "wording_version varchar, expires_at timestamp, proof varchar, lawful_basis varchar",
    "raw_feedback.feedback": "identifier_type varchar, identifier_value varchar, kind varchar, "
    "score decimal(18,4), product_id varchar, text_key varchar, occurred_at timestamp",
    "raw_spend.spend": "date date, marketing_channel varchar, campaign varchar, "
    "cost decimal(18,4), currency varchar",
    "raw_rates.rates": "date date, currency varchar, rate decimal(18,8)",
    "raw_identity_rules.identity_rules": "rule varchar, type_a varchar, value_a varchar, "
    "type_b varchar, value_b varchar, reason varchar",
    "raw_klaviyo.profiles": "profile_id varchar, email varchar, phone_number varchar, "
    "external_id varchar, anonymous_id varchar, first_name varchar, last_name varchar, "
    "created_at timestamp, updated_at timestamp, payload varchar",
    "raw_klaviyo.events": "event_id varchar, metric_name varchar, profile_id varchar, "
    "email varchar, occurred_at timestamp, payload varchar",
    "raw_klaviyo.campaigns": "campaign_id varchar, name varchar, status varchar, "
    "send_time timestamp, channel varchar, payload varchar",
    "raw_klaviyo.lists": "list_id varchar, name varchar, created_at timestamp, "
    "updated_at timestamp, payload varchar",
    "raw_shopify.orders": "order_id varchar, created_at timestamp, processed_at timestamp, "
    "updated_at timestamp, currency varchar, payload varchar",
    "raw_shopify.customers": "shopify_customer_id varchar, email varchar, phone varchar, "
    "first_name varchar, last_name varchar, created_at timestamp, updated_at timestamp, "
    "payload varchar",
    "raw_shopify.products": "product_id varchar, title varchar, vendor varchar, "
    "product_type varchar, updated_at timestamp, payload varchar",
}

OPS: dict[str, str] = {
    "run_context": "run_id varchar, as_of timestamp, code_version varchar",
    "consent_events": "consent_event_id varchar, identifier_type varchar, "
    "identifier_value varchar, channel varchar, purpose varchar, status varchar, "
    "occurred_at timestamp, source varchar, wording_version varchar, expires_at timestamp, "
    "proof varchar, lawful_basis varchar, recorded_at timestamp",
    "suppressions": "suppression_id varchar, identifier_type varchar, identifier_value varchar, "
    "channel varchar, purpose varchar, reason varchar, occurred_at timestamp, source varchar",
    "identity_registry": "identifier_type varchar, identifier_value varchar, customer_id varchar, "
    "registered_at timestamp",
    "identity_moves": "identifier_type varchar, identifier_value varchar, moved_at timestamp, "
    "from_customer_id varchar, to_customer_id varchar, move_type varchar, reason varchar, "
    "rule varchar, source_system varchar, source_record_id varchar, evidence_grade varchar, "
    "effective_at timestamp, registered_at timestamp",
    "identity_metrics": "run_id varchar, metric varchar, kind varchar, as_of timestamp, "
    "value bigint",
    "customer_aliases": "alias_id varchar, customer_id varchar, merged_at timestamp",
    "segment_memberships": "segment varchar, customer_id varchar, entered_at timestamp, "
    "exited_at timestamp",
    "deliveries": "delivery_id varchar, sync_run_id varchar, segment varchar, "
    "destination varchar, customer_id varchar, operation varchar, channel varchar, "
    "purpose varchar, consent_receipt_id varchar, content_hash varchar, delivered_at timestamp, "
    "outcome varchar",
    "held_back": "sync_run_id varchar, segment varchar, destination varchar, customer_id varchar, "
    "channel varchar, purpose varchar, reason varchar, held_back_at timestamp",
    "runs": "run_id varchar, as_of timestamp, code_version varchar, status varchar, "
    "rows_received bigint, rows_loaded bigint, rows_quarantined bigint, rows_duplicate bigint, "
    "started_at timestamp, finished_at timestamp",
    "run_sources": "run_id varchar, source varchar, table_name varchar, rows_received bigint, "
    "rows_loaded bigint, rows_quarantined bigint, rows_duplicate bigint, values_emptied bigint",
}

Row = Mapping[str, Any]


class World:
    """One shop's data folder, with raw rows and an ops export that a test writes by hand."""

    def __init__(self, home: Path, as_of: str) -> None:
        self.home = home
        self.as_of = as_of
        self.load_number = 0
        self.lines = 0
        home.mkdir(parents=True, exist_ok=True)
        (home / "ops_export").mkdir(exist_ok=True)
        with duckdb.connect(str(home / "raw.duckdb")) as con:
            for table, columns in RAW.items():
                con.execute(f"create schema if not exists {table.split('.')[0]}")
                con.execute(f"create table if not exists {table} ({columns}, {LOADED})")
        for name in OPS:
            self.export(name, [])
        self.set_as_of(as_of)

    def set_as_of(self, as_of: str) -> None:
        """Move the run's "now"."""
        self.as_of = as_of
        run = {"run_id": "run", "as_of": as_of, "code_version": "test"}
        self.export("run_context", [run])

    def export(self, name: str, rows: Iterable[Row]) -> None:
        """Write one file of the ops export."""
        target = self.home / "ops_export" / f"{name}.parquet"
        with duckdb.connect() as con:
            con.execute(f"create table export ({OPS[name]})")
            _insert(con, "export", list(rows))
            con.execute(f"copy export to '{target}' (format parquet)")

    def new_load(self) -> None:
        """Later rows belong to a later load."""
        self.load_number += 1

    def add(self, table: str, rows: Iterable[Row], file: str = "file") -> None:
        """Append raw rows; dicts and lists become JSON text."""
        ready = []
        for row in rows:
            self.lines += 1
            ready.append(
                {k: json.dumps(v) if isinstance(v, dict | list) else v for k, v in row.items()}
                | {
                    "_row_id": f"row-{self.lines:08d}",
                    "_run_id": "run",
                    "_file": file,
                    "_line": self.lines,
                    "_dlt_load_id": f"{1_700_000_000 + self.load_number}.5",
                }
            )
        with duckdb.connect(str(self.home / "raw.duckdb")) as con:
            _insert(con, table, ready)

    def build(self, *arguments: str, artifacts: bool = False) -> None:
        """Run dbt; a failure shows dbt's own words."""
        written = "--write-json" if artifacts else "--no-write-json"
        done = run_dbt(self.home, "--no-use-colors", written, "build", *arguments)
        assert done.returncode == 0, done.stdout[-8000:]

    def warehouse(self) -> duckdb.DuckDBPyConnection:
        """A read-only connection to what was built; the caller closes it."""
        con = duckdb.connect(str(self.home / "warehouse.duckdb"), read_only=True)
        con.execute(f"attach if not exists '{self.home / 'raw.duckdb'}' as raw (read_only)")
        return con


def _insert(con: duckdb.DuckDBPyConnection, table: str, rows: list[Row]) -> None:
    """Insert dictionaries; a column that a row does not name is NULL."""
    if not rows:
        return
    columns = sorted({key for row in rows for key in row})
    marks = ", ".join("?" for _ in columns)
    con.executemany(
        f"insert into {table} ({', '.join(columns)}) values ({marks})",
        [[row.get(column) for column in columns] for row in rows],
    )
