"""What a pulse costs in a large shop: three of them, over a home's published file many times over.

Each person is there so many times, with what they did, said and are, under ids of their own. The
first pulse plans everybody, as the first of a day or of a published file does; before the second,
one visitor in ten does something new; the third has nothing new.

Belongs here: drawing that home, and the bill. Does not belong here: what a pulse is.

Run as a module: `python -m tests.benchmarks.pulse HOME [--times N]`, HOME being one of `regulars
demo`; the last line is JSON: people, new events, rows sent, and per pulse seconds and CPU seconds.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import sys
import tempfile
import time
from datetime import datetime, timedelta
from pathlib import Path

import duckdb

from ingestion.config import Destination, Settings
from ingestion.config import Shop as ShopSettings
from ingestion.duckdb import literal
from orchestration.activation.pulse.pulse import Pulse, pulse
from orchestration.home.layout import Home
from orchestration.ops.adoption import record_home
from orchestration.ops.store import open_store
from orchestration.published.reader import read_build

READ_AT = datetime(2100, 1, 1)  # of a pulse: after its files were written
# Ids that each copy of a person has of their own
_TEXTS = frozenset(
    {
        *("customer_id", "session_id", "device_id", "login_id", "event_id", "order_id"),
        *("order_line_id", "cart_id", "checkout_id", "identifier_value", "message_id"),
        *("alias_id", "consent_event_id", "suppression_id"),
    }
)
_NUMBERS = frozenset({"interaction_id"})
# Large tables of people that neither a trigger nor a plan reads
_UNREAD = frozenset(
    {
        *("contactability", "fct_attribution", "fct_customer_field_provenance"),
        *("fct_experiment_assignments", "fct_experiment_outcomes", "fct_messages"),
        *("fct_segment_conditions", "fct_touchpoints", "identity_registry"),
    }
)
_STORE = ("runs", "consent_events", "suppressions", "segment_memberships")
_NEW_EVENTS = """
    select device_id, event, timestamp
    from (
        select distinct on (device_id) device_id
        from marts.fct_web_sessions
        where device_id is not null and customer_id is not null and is_human
            and hash(device_id) % 10 = 0
    ) as visitors
    cross join (values
        ('Product Viewed', $at::timestamp - interval 3 hour),
        ('Product Added', $at::timestamp - interval 2 hour)
    ) as steps (event, timestamp)
    order by all
"""


def multiply_published(source: Path, into: Path, times: int) -> int:
    """Copy a published file with everybody so many times; returns how many people that is."""
    with duckdb.connect(str(into)) as connection:
        connection.execute(f"attach {literal(source)} as one (read_only)")
        tables = connection.execute(
            "select schema_name, table_name, list(column_name order by column_index)"
            " from duckdb_columns() where database_name = 'one' and schema_name <> 'main'"
            " group by all order by all"
        ).fetchall()
        for schema, table, columns in tables:
            connection.execute(f"create schema if not exists {schema}")
            many = times if _TEXTS & set(columns) and table not in _UNREAD else 1
            listed = ", ".join(map(_of_copy, columns))
            connection.execute(
                f"create table {schema}.{table} as select {listed}"
                f" from one.{schema}.{table}, range({many}) as copies (copy)"
            )
        row = connection.execute("select count(*) from marts.dim_customers").fetchone()
    return int(row[0]) if row else 0


def _of_copy(column: str) -> str:
    if column in _TEXTS:
        return f"case copy when 0 then {column} else copy || '.' || {column} end as {column}"
    if column in _NUMBERS:
        return f"case copy when 0 then {column} else hash({column}, copy) >> 1 end as {column}"
    return f'"{column}"'


def multiply_store(source: Path, into: Path, times: int) -> None:
    """Copy permission and stays of a store in the same way, into one that has no rows of them."""
    with sqlite3.connect(into) as connection:
        connection.execute("attach ? as one", [str(source)])
        connection.execute("create temp table copies (copy integer)")
        connection.executemany("insert into copies values (?)", [(n,) for n in range(times)])
        for table in _STORE:
            described = connection.execute(f"pragma one.table_info({table})").fetchall()
            columns = [each[1] for each in described]
            many = times if _TEXTS & set(columns) else 1
            connection.execute(
                f"insert into main.{table} ({', '.join(columns)})"
                f" select {', '.join(map(_of_copy, columns))}"
                f" from one.{table}, copies where copy < {many}"
            )


def write_events(home: Home, folder: Path, at: datetime) -> int:
    """What one visitor in ten does before a moment; returns how many events."""
    folder.mkdir(parents=True)
    with duckdb.connect(str(home.published), read_only=True) as connection:
        rows = connection.execute(_NEW_EVENTS, {"at": at}).fetchall()
        product = connection.execute("select min(product_id) from marts.dim_products").fetchone()
    with (folder / "new.jsonl").open("w", encoding="utf-8") as stream:
        for number, (device, event, moment) in enumerate(rows):
            made = {"type": "track", "event": event, "messageId": f"new-{number}"}
            made |= {"anonymousId": device, "timestamp": f"{moment:%Y-%m-%dT%H:%M:%SZ}"}
            own = {"product_id": product[0] if product else None}
            stream.write(json.dumps({**made, "properties": own}) + "\n")
    return len(rows)


def _timed(home: Home, settings: Settings, at: datetime) -> tuple[Pulse, dict[str, float | int]]:
    wall, cpu = time.perf_counter(), time.process_time()
    outcome = pulse(home, settings, at=at, send="scheduled", read_at=READ_AT)
    sent = sum(each.changes for each in outcome.deliveries)
    seconds = {
        "wall": round(time.perf_counter() - wall, 1),
        "cpu": round(time.process_time() - cpu, 1),
        "sent": sent,
    }
    return outcome, seconds


def main() -> int:
    """Draw the home, run the pulses, print the bill."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("home", type=Path)
    parser.add_argument("--times", type=int, default=10)
    asked = parser.parse_args()
    source = Home(asked.home)
    with tempfile.TemporaryDirectory(prefix="regulars-pulse-", dir="/tmp") as scratch:
        home = Home(Path(scratch) / "home").create()
        people = multiply_published(source.published, home.published, asked.times)
        with open_store(home) as store:
            record_home(store, home)
        multiply_store(source.ops, home.ops, asked.times)
        settings = Settings(
            input=str(Path(scratch) / "input"),
            shop=ShopSettings(name="Shop", timezone="Europe/London", currency="GBP"),
            destinations={
                "file": Destination(send=True),
                "site": Destination(kind="onsite", send=True),
            },
        )
        (Path(scratch) / "input").mkdir()
        at = read_build(home.published)[2] + timedelta(hours=12)
        _, first = _timed(home, settings, at)
        events = write_events(home, Path(scratch) / "input/web", at)
        second, bill = _timed(home, settings, at + timedelta(minutes=5))
        _, third = _timed(home, settings, at + timedelta(minutes=10))
    print(second.laid, second.turned.entered)
    figures = {"people": people, "events": events}
    print(json.dumps({**figures, "first": first, "second": bill, "third": third}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
