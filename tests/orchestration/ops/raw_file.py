"""Raw files for tests: the declared columns that consent facts read, and a few rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb

TABLES = {
    "raw_consents.consents": "identifier_type varchar, identifier_value varchar, channel varchar,"
    " purpose varchar, status varchar, occurred_at timestamp, source varchar,"
    " wording_version varchar, expires_at timestamp, proof varchar, lawful_basis varchar",
    "raw_email.events": "email varchar, occurred_at timestamp, event varchar, sg_event_id varchar,"
    " reason varchar, type varchar, bounce_classification varchar, asm_group_id varchar",
    "raw_klaviyo.profiles": "profile_id varchar, email varchar, phone_number varchar,"
    " updated_at timestamp, payload varchar",
    "raw_klaviyo.events": "event_id varchar, metric_name varchar, profile_id varchar,"
    " email varchar, occurred_at timestamp, payload varchar",
    "raw_shopify.customers": "shopify_customer_id varchar, email varchar, phone varchar,"
    " updated_at timestamp, payload varchar",
    "raw_shopify.orders": "order_id varchar, created_at timestamp, processed_at timestamp,"
    " payload varchar",
    "raw_orders.orders": "order_id varchar, created_at timestamp, processed_at timestamp,"
    " payload varchar",
    "raw_orders.order_lines": "order_id varchar, ordered_at timestamp, email varchar",
    "raw_contacts.contacts": "email varchar, phone varchar, status varchar, created_at timestamp",
    "raw_web.events": "event varchar, anonymous_id varchar, user_id varchar,"
    " occurred_at timestamp, traits varchar, context varchar",
}


def write_raw(path: Path, load_id: str, **tables: list[dict[str, Any]]) -> None:
    """Append rows (by table, `raw_email__events` for `raw_email.events`) as one load."""
    with duckdb.connect(str(path)) as connection:
        for name, columns in TABLES.items():
            connection.execute(f"create schema if not exists {name.split('.')[0]}")
            connection.execute(
                f"create table if not exists {name} ({columns}, _dlt_load_id varchar)"
            )
        for table, rows in tables.items():
            for row in rows:
                full = {**row, "_dlt_load_id": load_id}
                places = ", ".join("?" for _ in full)
                connection.execute(
                    f"insert into {table.replace('__', '.')} ({', '.join(full)}) values ({places})",
                    list(full.values()),
                )
