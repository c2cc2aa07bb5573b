"""A small home in which people stand in every table and kind of file that can name them.

Belongs here: making it. Does not belong here: what erasing should do to it.
"""

from __future__ import annotations

import atexit
import json
import re
import shutil
import sqlite3
import tempfile
from contextlib import closing
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from ingestion.config import Settings
from ingestion.forgetting.whose import PERSONAL
from ingestion.landing.fields import BOOKKEEPING, DUCKDB_TYPES, QUARANTINE_COLUMNS
from ingestion.registry import SOURCES
from orchestration.activation.people import Target
from orchestration.activation.sync import sync
from orchestration.destinations.file import FileDestination, Options
from orchestration.home.kind import claim
from orchestration.home.layout import Home
from orchestration.ops import schema
from orchestration.ops.permission.consents import ConsentEvent, record_consents
from orchestration.ops.runs import SUCCEEDED, Run, finish_run, start_run
from orchestration.ops.store import Store, append, open_store, to_micros
from orchestration.ops.tombstones import Erasable, Key
from orchestration.published.swap import _version_name, versions_dir
from tests.orchestration.activation.shop import SEGMENT, lay_decision

NOW = datetime(2026, 6, 1, 12)
TARGET = Target("vip", "file", "email", "marketing")
VALUES = {
    "email": "p{0:03d}.wandering-canary@example.com",
    "phone": "+4477009{0:05d}",
    "login": "login-canary-{0:03d}",
    "payment_card": "fp_canary{0:06d}",
    "loyalty_id": "LOYAL-CANARY-{0:03d}",
    "device": "device-canary-{0:03d}",
    "shopify_customer_id": "60000000{0:05d}",
    "klaviyo_profile_id": "01HARBCANARY{0:06d}",
    "orders_customer_id": "REF-CANARY-{0:03d}",
    "publisher_login": "publisher-canary-{0:03d}",
    "push_token": "https://push.example/canary-{0:03d}",
}
SHARED = ("device", "kitchen-tablet-canary")  # of a household: nobody's alone


def keys_of(number: int) -> tuple[Key, ...]:
    """The identifiers of a person that are theirs alone."""
    return tuple((kind, form.format(number)) for kind, form in VALUES.items())


def customer(number: int) -> str:
    """A person's id."""
    return f"customer{number:06d}canary"


def subject(number: int) -> Erasable:
    """Whose rows go when the person is forgotten."""
    return Erasable((customer(number), f"earlier-{customer(number)}"), keys_of(number))


@cache
def _template(people: int) -> Home:
    """A home with the raw and the published files alone, made once for every home of a process."""
    folder = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, folder)
    home = Home(Path(folder) / "home").create()
    _raw(home, people)
    _published(home, people)
    return home


def plant(root: Path, people: int) -> Home:
    """A home with so many people, each in every place."""
    home = Home(root)
    claim(home, "shop")
    home.create()
    template = _template(people)
    shutil.copytree(template.root, home.root, symlinks=True, dirs_exist_ok=True)
    with open_store(home) as store:
        _ops(home, store, people)
    _files(home, people)
    return home


def rows_of(home: Home, number: int) -> dict[str, list[Any]]:
    """Every raw row of one person, by table, to be compared with itself later."""
    found = {}
    with duckdb.connect(str(home.raw), read_only=True) as raw:
        for source, table in PERSONAL:
            query = f"select * from raw_{source}.{table} where _row_id like ? order by _row_id"
            rows = raw.execute(query, [f"{number}:%"]).fetchall()
            found[f"{source}.{table}"] = rows
    return found


def _raw(home: Home, people: int) -> None:
    with duckdb.connect(str(home.raw)) as raw:
        for (source, table), personal in PERSONAL.items():
            spec = next(spec for spec in SOURCES[source].tables if spec.name == table)
            columns = {name: DUCKDB_TYPES[kind] for name, kind in spec.stored_columns}
            columns |= {name: DUCKDB_TYPES[kind] for name, kind in BOOKKEEPING}
            raw.execute(f"create schema if not exists raw_{source}")
            shape = ", ".join(f'"{name}" {kind}' for name, kind in columns.items())
            raw.execute(f"create table raw_{source}.{table} ({shape}, _dlt_load_id varchar)")
            places = [(kind, None, expression) for kind, expression in personal.identifiers]
            places += [(kind, a, b) for a, b in personal.typed for kind in VALUES]
            rows = []
            for number in range(people):
                for index, (kind, type_column, expression) in enumerate(places):
                    row = _row(expression, VALUES[kind].format(number), columns)
                    if type_column:
                        row[type_column] = kind
                    if table == "orders":
                        document = json.loads(row.get("payload") or "{}")
                        document |= {"note": VALUES["email"].format(number), "total": "12.50"}
                        row["payload"] = json.dumps(document)
                    filled = {name: row.get(name) for name in columns if columns[name] == "varchar"}
                    rows.append({**filled, "_row_id": f"{number}:{index}"})
            raw.register("planted", pa.Table.from_pylist(rows))
            raw.execute(f"insert into raw_{source}.{table} by name select * from planted")
        _quarantine(raw, people)


def _row(expression: str, value: str, columns: dict[str, str]) -> dict[str, Any]:
    """A row that names somebody in the place that an expression reads."""
    if "publisher_login" in expression:
        said = {"externalIds": [{"id": value, "type": "publisher_login"}]}
        return {"context": json.dumps(said)}
    if "anonymous_?id" in expression:
        said = {"customAttributes": [{"key": "anonymous_id", "value": value}]}
        return {"payload": json.dumps(said)}
    path = re.search(r"(\w+) ->> '\$\.([\w.]+)'", expression)
    if path:
        document: Any = f"gid://shopify/Customer/{value}" if "customer.id" in expression else value
        for part in reversed(path[2].split(".")):
            document = {part: document}
        return {path[1]: json.dumps(document)}
    column = expression.rsplit(" ", 1)[-1]
    assert column in columns, expression
    return {column: value.upper() if column == "email" else value}


def _quarantine(raw: duckdb.DuckDBPyConnection, people: int) -> None:
    shape = ", ".join(f"{name} {DUCKDB_TYPES[kind]}" for name, kind in QUARANTINE_COLUMNS)
    raw.execute(f"create table raw_web.quarantine ({shape}, _dlt_load_id varchar)")
    lines = [
        (f"q{number}", "events", 3, json.dumps({"userId": VALUES["login"].format(number)}))
        for number in range(people)
    ]
    everybody = "\n".join(f"{VALUES['email'].format(number)};x" for number in range(people))
    lines.append(("whole", "events", 0, everybody))
    raw.executemany(
        "insert into raw_web.quarantine (quarantine_id, table_name, line, raw_text)"
        " values (?, ?, ?, ?)",
        lines,
    )
    # An order of somebody else in whose note the first person is named.
    raw.execute(
        "insert into raw_orders.order_lines (_row_id, order_id, product_name, email)"
        " values ('9:gift', 'o-gift', 'A tin for p000.wandering-canary@example.com',"
        " 'x@example.org')"
    )


def _published(home: Home, people: int) -> None:
    with duckdb.connect(str(home.published)) as file:
        for space in ("marts", "ops", "segments", "activity"):
            file.execute(f"create schema {space}")
        everybody = range(people)
        _table(
            file,
            "marts.dim_customers",
            "customer_id, email, phone, first_name, last_name, country_code",
            [
                [
                    customer(n),
                    VALUES["email"].format(n),
                    VALUES["phone"].format(n),
                    "Ann",
                    "Lee",
                    "GB",
                ]
                for n in everybody
            ],
        )
        file.execute("comment on table marts.dim_customers is 'One row per customer.'")
        bridge = [[customer(n), *key, False] for n in everybody for key in keys_of(n)]
        bridge += [[customer(n), *SHARED, True] for n in everybody]
        file.execute(
            "create table marts.bridge_customer_identifiers (customer_id varchar,"
            " identifier_type varchar, identifier_value varchar, is_shared boolean,"
            " evidence_grade varchar, is_primary boolean, is_dormant boolean,"
            " last_seen_at timestamp)"
        )
        file.executemany(
            "insert into marts.bridge_customer_identifiers (customer_id, identifier_type,"
            " identifier_value, is_shared) values (?, ?, ?, ?)",
            bridge,
        )
        _table(
            file,
            "marts.customer_aliases",
            "alias_id, customer_id",
            [[f"earlier-{customer(n)}", customer(n)] for n in everybody],
        )
        edge = "identifier_a_type, identifier_a_value, identifier_b_type, identifier_b_value"
        _table(
            file,
            "marts.fct_identity_edges",
            edge,
            [[*keys_of(n)[0], *key] for n in everybody for key in (*keys_of(n)[1:], SHARED)],
        )
        _table(
            file,
            "marts.fct_orders",
            "order_id, customer_id, net_sales, landing_site",
            [[f"o{n}", customer(n), "12.50", "/?email=x"] for n in everybody],
        )
        _table(
            file,
            "marts.rpt_free_text",
            "customer_id, detail",
            [["somebody-else", f"forwarded to {VALUES['email'].format(n)}"] for n in everybody],
        )
        _table(
            file,
            "segments.seg_vip",
            "customer_id, reason, context",
            [[customer(n), "because", "{}"] for n in everybody],
        )
        vip = {**SEGMENT, "segment": "vip", "destinations": '["file"]'}
        for column in ("order_source varchar", "is_kept boolean", "ordered_at timestamp"):
            file.execute(f"alter table marts.fct_orders add column {column}")
        lay_decision(file, [vip], but=("marts.fct_orders",))
        file.execute(
            "create table ops.build as select 'b' as build_id, 'run1' as run_id,"
            " timestamp '2026-06-01 12:00:00' as as_of"
        )
        file.execute(
            "create table ops.build_tables (table_name varchar, row_count bigint, digest varchar)"
        )
        file.execute(f"insert into ops.build_tables values ('marts.dim_customers', {people}, 'x')")
        version = versions_dir(home) / _version_name("b", "run1")
        for folder in (version, versions_dir(home) / "older"):
            folder.mkdir(parents=True)
            copy = folder / "marts.dim_customers.parquet"
            file.execute(f"copy marts.dim_customers to '{copy}' (format parquet)")
        (version / "report.html").write_text(f"<p>{customer(0)}</p>")
    home.published_dir.symlink_to(version.relative_to(home.root), target_is_directory=True)


def _table(
    file: duckdb.DuckDBPyConnection, table: str, columns: str, rows: list[list[Any]]
) -> None:
    shape = ", ".join(f"{name} varchar" for name in columns.split(", "))
    file.execute(f"create table {table} ({shape})")
    file.executemany(f"insert into {table} values ({', '.join('?' for _ in rows[0])})", rows)


def _ops(home: Home, store: Store, people: int) -> None:
    run = Run("run1", NOW, "test")
    start_run(store, run, started_at=NOW)
    finish_run(store, "run1", SUCCEEDED, finished_at=NOW)
    events = [
        ConsentEvent(
            *key, "email", "marketing", "granted", NOW - timedelta(days=9), "form", "v1", None, "p"
        )
        for number in range(people)
        for key in keys_of(number)
        if key[0] in ("email", "login")
    ]
    record_consents(store, events, recorded_at=NOW)
    at = to_micros(NOW)
    with store.write() as connection:
        for number in range(people):
            mine = customer(number)
            append(
                connection,
                schema.identity_registry,
                [
                    {
                        "identifier_type": kind,
                        "identifier_value": value,
                        "customer_id": mine,
                        "registered_at": at,
                    }
                    for kind, value in keys_of(number)
                ],
            )
            device, endpoint = VALUES["device"].format(number), VALUES["push_token"].format(number)
            place = {"device": device, "endpoint": endpoint, "p256dh": "p", "auth": "a"}
            times = {"subscribed_at": at, "seen_at": at, "gone_at": None}
            append(connection, schema.push_subscriptions, [place | times])
            old = {"alias_id": f"earlier-{mine}", "customer_id": mine, "merged_at": at}
            append(connection, schema.customer_aliases, [old])
            stay = {"segment": "vip", "customer_id": mine, "entered_at": at, "exited_at": None}
            append(connection, schema.segment_memberships, [stay])
            kind, value = keys_of(number)[0]
            refusal = {
                "suppression_id": f"s{number}",
                "identifier_type": kind,
                "identifier_value": value,
                "channel": "sms",
                "purpose": "*",
                "reason": "unsubscribed",
                "occurred_at": at,
                "source": "test",
                "recorded_at": at,
            }
            append(connection, schema.suppressions, [refusal])
            told = {
                "destination": "klaviyo",
                "channel": "sms",
                "refusal_id": refusal["suppression_id"],
                "reason": "unsubscribed",
                "refused_at": at,
                "state": "done",
                "answer": "written",
                "attempts": 1,
                "first_tried_at": at,
                "last_tried_at": at,
            }
            append(connection, schema.withdrawals_written, [told])
    destination = FileDestination("file", Options(), home)
    sync(store, home, TARGET, destination, at=NOW)


def _files(home: Home, people: int) -> None:
    said = "\n".join(f"loaded {VALUES['email'].format(n)}" for n in range(people))
    home.warehouse.write_bytes(said.encode())
    home.masked.write_bytes(said.encode())
    for path in (
        home.dlt / "web" / "load.jsonl",
        home.dbt / "logs" / "dbt.log",
        home.dagster / "storage" / "run1" / "compute_logs" / "step.err",
        home.root / "notes.txt",
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(said)
    with closing(sqlite3.connect(home.dagster / "events.db")) as file:
        file.execute("pragma journal_mode = wal")
        file.execute("create table event_logs (id integer, event text)")
        rows = [(n, json.dumps({"said": VALUES["email"].format(n)})) for n in range(people)]
        file.executemany("insert into event_logs values (?, ?)", rows)
        file.commit()
    table = pa.table({"customer_id": [customer(n) for n in range(people)]})
    for path in (home.review / "pairs.parquet", home.ops_export / "consent_events.parquet"):
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(table, path)
    home.subject_exports.mkdir()
    for number in range(people):
        path = home.subject_exports / f"{customer(number)}-20260601T000000.json"
        path.write_text(VALUES["email"].format(number))


def settings() -> Settings:
    """A shop with the one destination of these tests."""
    return Settings.model_validate({"destinations": {"file": {"kind": "file"}}})
