"""A handmade shop: rows laid straight into the intermediate tables, then marts and segments built.

Belongs here: laying down rows and running dbt on them. Does not belong here: what the rows mean;
each test file brings its own people.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb

from tests.dbt.marts.int_schema import INTERMEDIATE, OPS_EXPORT, STAGING
from tests.dbt.warm import run_dbt

PROJECT = Path(__file__).resolve().parents[3] / "dbt_project"
SELECT = [
    *(
        "path:models/staging/ops",
        "path:models/staging/science",
        "path:models/intermediate/intent",
        "path:models/intermediate/interests",
        "path:models/marts",
        "path:models/segments",
    ),
    *("survivorship_rules", "region_names", "int_customer_claims"),
    *("int_interactions_messages", "int_interactions_facts", "int_search_categories"),
    *("int_condition_results", "int_segment_stays"),
    *("int_persona_conditions", "int_customer_profiles"),
    *("traits", "occasions", "flagged_words", "rfm_groups", "rfm_group_map"),
]
WITHOUT_TESTS = ("--exclude-resource-type", "test", "--exclude-resource-type", "unit_test")
# One set for whoever needs hosts: dbt reads the project anew for every other set of variables.
HOSTS = {"shop_hosts": ["shop.example", "www.shop.example"]}
Row = dict[str, Any]


class Shop:
    """Rows by table; `build` writes them into a home and runs dbt there."""

    def __init__(self, home: Path, as_of: dt.datetime) -> None:
        self.home = home
        self.as_of = as_of
        self.rows: dict[str, list[Row]] = {}
        self._serial = 0
        self._reader: duckdb.DuckDBPyConnection | None = None

    def serial(self, prefix: str) -> str:
        self._serial += 1
        return f"{prefix}{self._serial:05d}"

    def add(self, table: str, **row: Any) -> Row:
        self.rows.setdefault(table, []).append(row)
        return row

    def person(
        self, customer: str, seen: dt.datetime, *, known: bool = True, **changes: Any
    ) -> str:
        self.add(
            "int_customers",
            customer_id=customer,
            first_seen_at=seen,
            last_seen_at=changes.pop("last_seen_at", seen),
            identifier_count=1,
            has_known_identifier=known,
            is_newly_born=False,
            previous_customer_ids="[]",
        )
        if known:
            self.identifier(customer, "email", f"{customer}@shop.example", seen, **changes)
        else:
            self.identifier(customer, "device", f"device-{customer}", seen, evidence_grade="import")
        return customer

    def identifier(
        self, customer: str | None, kind: str, value: str, seen: dt.datetime, **changes: Any
    ) -> None:
        row: Row = {
            "identifier_type": kind,
            "identifier_value": value,
            "customer_id": customer,
            "evidence_grade": "checkout",
            "evidence_rank": 3,
            "is_shared": False,
            "is_blocked": False,
            "first_seen_at": seen,
            "last_seen_at": seen,
            "observation_count": 1,
        }
        self.add("int_customer_identifiers", **(row | changes))

    def order(self, customer: str | None, at: dt.datetime, net: str = "50", **changes: Any) -> Row:
        order_id = changes.get("order_id") or self.serial("order-")
        returns = changes.get("returns", "0")
        gross = changes.get("gross_sales", str(float(net) + float(returns)))
        row: Row = {
            "order_id": order_id,
            "order_source": "orders_json",
            "customer_id": customer,
            "shop_id": "shop",
            "ordered_at": at,
            "ordered_date": at.date(),
            "created_at": at,
            "status": "placed",
            "is_kept": True,
            "sales_channel": "web",
            "gross_sales": gross,
            "discounts": "0",
            "returns": returns,
            "net_sales": net,
            "shipping": "0",
            "taxes": "0",
            "total_sales": net,
            "gift_cards_sold": "0",
            "tips": "0",
            "adjustments": "0",
            "currency": "GBP",
            "is_card_paid": True,
            "is_test": False,
            "is_return_document": False,
        } | changes
        for measure in ("gross_sales", "discounts", "returns", "net_sales", "total_sales"):
            row.setdefault(f"{measure}_shop", row[measure])
        self.add("int_orders_resolved", **row)
        self.add(
            "int_order_lines_resolved",
            order_line_id=f"{order_id}-1",
            order_id=order_id,
            order_source=row["order_source"],
            customer_id=customer,
            line_number=1,
            product_id="mug",
            sku="MUG",
            product_name="Blue mug",
            category="Kitchen",
            brand="Regular",
            quantity="1",
            unit_price=row["gross_sales"],
            gross_sales=row["gross_sales"],
            discounts=row["discounts"],
            returns=row["returns"],
            net_sales=row["net_sales"],
            returned_quantity="0",
            line_kind="goods",
            other_amount="0",
            adjustments="0",
            currency=row["currency"],
            net_sales_shop=row["net_sales_shop"],
            is_return_line=row["status"] == "returned" and not row["is_kept"],
            ordered_at=at,
        )
        return row

    def visit(self, customer: str | None, at: dt.datetime, **changes: Any) -> Row:
        row: Row = {
            "session_id": self.serial("session-"),
            "customer_id": customer,
            "device_id": f"device-{customer}",
            "started_at": at,
            "ended_at": at + dt.timedelta(minutes=5),
            "event_count": 1,
            "page_view_count": 1,
            "product_view_count": 0,
            "order_completed_count": 0,
            "marketing_channel": "direct",
            "is_bot": False,
            "is_internal": False,
        }
        return self.add("int_web_sessions_resolved", **(row | changes))

    def event(self, customer: str | None, name: str, at: dt.datetime, **changes: Any) -> Row:
        row: Row = {
            "event_id": self.serial("event-"),
            "visitor_id": f"device-{customer}",
            "customer_id": customer,
            "session_id": "session",
            "occurred_at": at,
            "event_name": name,
            "product_id": "mug",
            "sku": "MUG",
            "product_name": "Blue mug",
            "category": "Kitchen",
            "price": "12.50",
            "quantity": "1",
            "page_url": "https://shop.example/mug",
        }
        row |= changes
        if customer:
            self.interaction(
                customer,
                name.lower().replace(" ", "_"),
                at,
                key=f"web|{row['event_id']}|{row['visitor_id']}",
                product_id=row["product_id"],
            )
        return self.add("int_web_interactions", **row)

    def interaction(self, customer: str, kind: str, at: dt.datetime, key: str, **more: Any) -> Row:
        """A line of the timeline; its id is what the models make of `key`."""
        hashed = hashlib.md5(key.encode(), usedforsecurity=False).hexdigest()
        row: Row = {
            "interaction_id": int(hashed[:15], 16),
            "customer_id": customer,
            "occurred_at": at,
            "touchpoint": "web",
            "kind": kind,
        }
        return self.add("int_interactions_web", **(row | more))

    def message(self, customer: str, sent: dt.datetime, **changes: Any) -> Row:
        row: Row = {
            "message_id": self.serial("message-"),
            "customer_id": customer,
            "email": f"{customer}@shop.example",
            "channel": "email",
            "message_kind": "promo",
            "sent_at": sent,
            "is_hard_bounce": False,
            "message_source": "email",
        }
        return self.add("int_messages_resolved", **(row | changes))

    def consent(self, value: str, status: str, at: dt.datetime, **changes: Any) -> Row:
        row: Row = {
            "consent_event_id": self.serial("receipt-"),
            "identifier_type": "email",
            "identifier_value": value,
            "channel": "email",
            "purpose": "marketing",
            "status": status,
            "occurred_at": at,
            "source": "newsletter",
            "wording_version": "v1",
            "lawful_basis": "consent",
            "recorded_at": at,
        }
        return self.add("consent_events", **(row | changes))

    def question(self, value: str, at: dt.datetime, **changes: Any) -> Row:
        row: Row = {
            "consent_request_id": self.serial("question-"),
            "identifier_type": "email",
            "identifier_value": value,
            "channel": "email",
            "purpose": "marketing",
            "occurred_at": at,
            "source": "newsletter",
            "wording_version": "v1",
            "recorded_at": at,
        }
        return self.add("consent_requests", **(row | changes))

    def suppression(self, value: str, reason: str, at: dt.datetime, **changes: Any) -> Row:
        row: Row = {
            "suppression_id": self.serial("suppression-"),
            "identifier_type": "email",
            "identifier_value": value,
            "channel": "email",
            "purpose": "*",
            "reason": reason,
            "occurred_at": at,
            "source": "email",
        }
        return self.add("suppressions", **(row | changes))

    def build(
        self,
        variables: dict[str, Any] | None = None,
        *,
        up_to: Sequence[str] = (),
        tested: bool = True,
        threads: int = 2,
    ) -> None:
        """Write the rows and run dbt on marts and segments, or on what these models rest on."""
        self._write()
        selected = [f"+{model},{part}" for model in up_to for part in SELECT] or SELECT
        chosen = ["--threads", str(threads), "--select", *selected]
        chosen += ("--indirect-selection", "cautious") if tested and up_to else ()
        chosen += () if tested else WITHOUT_TESTS
        done = self.dbt("build", *chosen, variables=variables)
        assert done.returncode == 0, done.stdout[-6000:]

    def run(self, models: list[str], variables: dict[str, Any] | None = None) -> None:
        """Write the rows and build these models alone, without tests."""
        self._write()
        done = self.dbt("build", "--select", *models, *WITHOUT_TESTS, variables=variables)
        assert done.returncode == 0, done.stdout[-6000:]

    def dbt(
        self, command: str, *arguments: str, variables: dict[str, Any] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run dbt in this home, whatever comes of it."""
        self.close()
        told = json.dumps(variables or {})
        return run_dbt(
            self.home, "--no-use-colors", "--no-write-json", command, *arguments, variables=told
        )

    def query(self, sql: str) -> list[Row]:
        """Rows of what was built; the file stays open for the next question, as opening it costs
        more than most questions do."""
        if self._reader is None:
            self._reader = duckdb.connect(str(self.home / "warehouse.duckdb"), read_only=True)
        found = self._reader.sql(sql)
        names = found.columns
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

    def writer(self) -> duckdb.DuckDBPyConnection:
        """A connection that may change what was built; the caller closes it."""
        self.close()
        return duckdb.connect(str(self.home / "warehouse.duckdb"))

    def close(self) -> None:
        """Let go of the file, which nobody may write while it is read."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def _write(self) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        duckdb.connect(str(self.home / "raw.duckdb")).close()
        export = self.home / "ops_export"
        export.mkdir(exist_ok=True)
        context = {"run_id": "run-now", "as_of": self.as_of, "code_version": "test"}
        counts = dict.fromkeys(
            ("rows_received", "rows_loaded", "rows_quarantined", "rows_duplicate"), 0
        )
        self.rows["run_context"] = [context]
        self.rows.setdefault("runs", [context | counts | {"status": "succeeded"}])
        with self.writer() as connection:
            connection.execute("create schema if not exists intermediate")
            for table, columns in INTERMEDIATE.items():
                connection.execute(f"create or replace table intermediate.{table} ({columns})")
                self._insert(connection, f"intermediate.{table}", self.rows.get(table, []))
            connection.execute("create schema if not exists staging")
            for table, columns in STAGING.items():
                connection.execute(f"create or replace table staging.{table} ({columns})")
                self._insert(connection, f"staging.{table}", self.rows.get(table, []))
            for table, columns in OPS_EXPORT.items():
                connection.execute(f"create or replace temp table export ({columns})")
                self._insert(connection, "export", self.rows.get(table, []))
                connection.execute(f"copy export to '{export / table}.parquet' (format parquet)")

    @staticmethod
    def _insert(connection: duckdb.DuckDBPyConnection, table: str, rows: list[Row]) -> None:
        for row in rows:
            marks = ", ".join("?" for _ in row)
            connection.execute(
                f"insert into {table} ({', '.join(row)}) values ({marks})", list(row.values())
            )
