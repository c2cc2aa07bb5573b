"""Raw files for tests: the declared columns that consent facts read, and a few rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb

TABLES = {
    "raw_consents.consents": "identifier_type varchar, identifier_value varchar, channel varchar,"
    " purpose varchar, status varchar, level varchar, occurred_at timestamp, source varchar,"
    " wording_version varchar, expires_at timestamp, proof varchar, lawful_basis varchar",
    "raw_email.events": "email varchar, occurred_at timestamp, event varchar, sg_event_id varchar,"
    " reason varchar, type varchar, bounce_classification varchar, asm_group_id varchar",
    "raw_messages.messages": "message_id varchar, channel varchar, identifier_type varchar,"
    " identifier_value varchar, event varchar, occurred_at timestamp, reason varchar,"
    " is_opt_out_reply boolean",
    "raw_feedback.feedback": "identifier_type varchar, identifier_value varchar, kind varchar,"
    " answer varchar, occurred_at timestamp",
    "raw_klaviyo.profiles": "profile_id varchar, email varchar, phone_number varchar,"
    " updated_at timestamp, payload varchar",
    "raw_klaviyo.events": "event_id varchar, metric_name varchar, profile_id varchar,"
    " is_opt_out_reply boolean, email varchar, phone_number varchar, occurred_at timestamp,"
    " payload varchar",
    "raw_shopify.customers": "shopify_customer_id varchar, email varchar, phone varchar,"
    " updated_at timestamp, payload varchar",
    "raw_shopify.orders": "order_id varchar, created_at timestamp, processed_at timestamp,"
    " payload varchar",
    "raw_orders.orders": "order_id varchar, created_at timestamp, processed_at timestamp,"
    " payload varchar",
    "raw_orders.order_lines": "order_id varchar, ordered_at timestamp, email varchar",
    "raw_contacts.contacts": "email varchar, phone varchar, status varchar, created_at timestamp,"
    " loyalty_id varchar, customer_ref varchar, country varchar, attributes varchar, _file varchar",
    "raw_web.events": "event varchar, anonymous_id varchar, user_id varchar,"
    " occurred_at timestamp, properties varchar, traits varchar, context varchar",
}


HELD = (
    "quarantine_id varchar, table_name varchar, file varchar, line bigint, reason varchar,"
    " field varchar, raw_text varchar, row_hash varchar, run_id varchar"
)
for _source in (
    *("consents", "email", "messages", "feedback", "contacts", "web", "orders", "klaviyo"),
    "shopify",
):
    TABLES[f"raw_{_source}.quarantine"] = HELD


def write_held(path: Path, load_id: str, table: str, file: str, *texts: str, line: int = 1) -> None:
    """Rows of `table` (`email.events`) in quarantine with these texts, as one load."""
    source, name = table.split(".")
    rows = [
        {
            "quarantine_id": f"{load_id}-{file}-{number}",
            "table_name": name,
            "file": file,
            "line": 0 if line == 0 else number,
            "raw_text": text,
        }
        for number, text in enumerate(texts, line)
    ]
    write_raw(path, load_id, **{f"raw_{source}__quarantine": rows})


def write_raw(path: Path, load_id: str, **tables: list[dict[str, Any]]) -> None:
    """Append rows (by table, `raw_email__events` for `raw_email.events`) as one load."""
    with duckdb.connect(str(path)) as connection:
        connection.begin()  # one commit, not one for each of sixty statements
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
        connection.commit()
