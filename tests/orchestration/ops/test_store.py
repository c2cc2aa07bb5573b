"""The store is private, survives reopening, and says clearly when it cannot be trusted."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from datetime import datetime, timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sqlalchemy import func, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import IntegrityError
from sqlalchemy.schema import CreateTable

from ingestion.errors import UsageError
from orchestration.home.layout import Home
from orchestration.ops import schema
from orchestration.ops.export import export_ops
from orchestration.ops.permission.consents import (
    ConsentEvent,
    grant_consent,
    record_consents,
    revoke_consent,
)
from orchestration.ops.runs import (
    FAILED,
    AuditLog,
    Run,
    SourceCounts,
    fail_killed_runs,
    finish_run,
    record_source_counts,
    run_status,
    start_run,
)
from orchestration.ops.shapes import arrow_columns, leaving
from orchestration.ops.store import (
    Store,
    StoreError,
    append,
    from_micros,
    open_store,
    to_micros,
)
from tests.orchestration.ops.conftest import AS_OF
from tests.orchestration.suppressions import Suppression, record_suppressions

GRANT = ConsentEvent(
    "email", "a@example.com", "email", "marketing", "granted", AS_OF, "newsletter", "v1"
)


def test_only_the_owner_may_read_it(store: Store, home: Home) -> None:
    record_consents(store, [GRANT], recorded_at=AS_OF)
    for path in home.root.glob("ops.sqlite*"):
        assert path.stat().st_mode & 0o077 == 0, path.name


def test_settings_that_keep_commits(store: Store) -> None:
    with store.read() as connection:
        pragma = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert pragma == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "busy_timeout": 30_000,
    }


def test_opening_twice_changes_nothing(store: Store, home: Home) -> None:
    record_consents(store, [GRANT], recorded_at=AS_OF)
    with open_store(home) as again, again.read() as connection:
        count = select(func.count()).select_from(schema.consent_events)
        assert connection.execute(count).scalar() == 1


def test_a_damaged_store_is_one_sentence(home: Home) -> None:
    home.ops.write_bytes(os.urandom(8192))
    with pytest.raises(StoreError, match="cannot be opened"):
        open_store(home)


def test_times_survive_to_the_microsecond() -> None:
    for moment in (datetime(1990, 1, 1), datetime(2100, 1, 1, 23, 59, 59, 999_999)):
        assert from_micros(to_micros(moment)) == moment
    aware = datetime.fromisoformat("2026-06-01T14:00:00+02:00")
    assert from_micros(to_micros(aware)) == AS_OF


def test_facts_are_appended_once(store: Store) -> None:
    out = Suppression("email", "a@example.com", "email", "*", "manual", AS_OF, "test")
    assert record_consents(store, [GRANT, GRANT], recorded_at=AS_OF) == 1
    assert record_consents(store, [GRANT], recorded_at=AS_OF) == 0
    assert record_suppressions(store, [out], recorded_at=AS_OF) == 1
    assert record_suppressions(store, [out], recorded_at=AS_OF) == 0


def test_grant_and_revoke_by_hand(store: Store) -> None:
    person = {
        "identifier_type": "email",
        "identifier_value": " A@Example.com",
        "channel": "email",
        "purpose": "marketing",
        "source": "desk",
        "at": AS_OF,
        "default_country": "GB",
    }
    receipt = grant_consent(store, **person, wording_version="v1")  # type: ignore[arg-type]
    assert receipt == grant_consent(store, **person, wording_version="v1")  # type: ignore[arg-type]
    revoke_consent(store, **{**person, "purpose": "*"})  # type: ignore[arg-type]
    with store.read() as connection:
        rows = connection.execute(select(schema.consent_events)).mappings().all()
    assert {row["identifier_value"] for row in rows} == {"a@example.com"}
    assert {row["status"] for row in rows} == {"granted", "revoked"}
    for wrong in (
        {"wording_version": " "},
        {"wording_version": "v1", "channel": "fax"},
        {"wording_version": "v1", "purpose": "*"},
        {"wording_version": "v1", "identifier_value": "nobody"},
        {"wording_version": "v1", "expires_at": AS_OF},
    ):
        with pytest.raises(UsageError) as caught:
            grant_consent(store, **{**person, **wrong})  # type: ignore[arg-type]
        assert "example.com" not in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "value", "hint"),
    [
        ("email", "07700 900123", "Add `--type phone` if it is one."),
        ("phone", "a@example.com", "Add `--type email` if it is one."),
        ("email", "nobody", "Check it for typing errors; a phone needs its area code."),
    ],
)
def test_an_identifier_of_another_type_is_told_by_its_type(
    store: Store, kind: str, value: str, hint: str
) -> None:
    with pytest.raises(UsageError) as told:
        revoke_consent(
            store, identifier_type=kind, identifier_value=value, channel="sms", purpose="*",
            source="desk", at=AS_OF, default_country="GB",
        )  # fmt: skip
    assert told.value.hint == hint
    assert value not in told.value.message


def test_a_run_is_counted_and_killed_ones_are_failed(store: Store, run: Run) -> None:
    start_run(store, run, started_at=AS_OF)
    start_run(store, run, started_at=AS_OF)
    counts = SourceCounts("web", "events", 10, 7, 2, 1)
    record_source_counts(store, run.run_id, [counts, SourceCounts("email", "events", 5, 5)])
    record_source_counts(store, run.run_id, [counts])
    with store.read() as connection:
        row = connection.execute(select(schema.runs)).mappings().one()
    assert (row["rows_received"], row["rows_loaded"]) == (15, 12)
    assert fail_killed_runs(store, at=AS_OF) == [run.run_id]
    assert run_status(store, run.run_id) == FAILED
    finish_run(store, run.run_id, "stopped", finished_at=AS_OF)
    assert run_status(store, run.run_id) == FAILED


def test_audit_records_are_found_by_digest(store: Store) -> None:
    log = AuditLog(store)
    assert log.find_audit("d1") is None
    record = {
        "digest": "d1",
        "build_id": "b1",
        "run_id": "r1",
        "as_of": AS_OF.isoformat(),
        "passed": False,
        "checks": [{"name": "rows", "passed": False}, {"name": "keys", "passed": True}],
    }
    log.record_audit("d1", record)
    log.record_audit("d1", record)
    assert log.find_audit("d1") == record
    with store.read() as connection:
        assert connection.execute(select(schema.audits.c.failing_checks)).scalar() == '["rows"]'


def test_every_file_is_exported_typed_even_when_empty(store: Store, home: Home, run: Run) -> None:
    sizes = export_ops(store, home.ops_export, run)
    assert set(sizes) == {table.name for table in leaving()} | {"run_context"}
    for declared in leaving():
        table = pq.read_table(home.ops_export / f"{declared.name}.parquet")
        assert [(f.name, f.type) for f in table.schema] == list(arrow_columns(declared))
    moved = pq.read_schema(home.ops_export / "identity_moves.parquet").field("moved_at")
    assert moved.type == pa.timestamp("us")
    context = pq.read_table(home.ops_export / "run_context.parquet").to_pylist()
    assert context == [{"run_id": "run1", "as_of": AS_OF, "code_version": "test"}]
    assert not list(home.ops_export.glob("*.new"))


def test_the_export_hides_the_future_and_foretells_its_own_run(
    store: Store, home: Home, run: Run
) -> None:
    later = ConsentEvent(**{**GRANT.__dict__, "occurred_at": datetime(2026, 6, 1, 12, 0, 1)})
    group = ConsentEvent(**{**GRANT.__dict__, "purpose": "group:7"})
    gifts = ConsentEvent(**{**GRANT.__dict__, "purpose": "gifts"})
    record_consents(store, [GRANT, later, group, gifts], recorded_at=AS_OF)
    start_run(store, run, started_at=AS_OF)
    start_run(store, Run("dead", AS_OF, "test"), started_at=AS_OF)
    record_source_counts(store, run.run_id, [SourceCounts("web", "events", 1, 1)])
    export_ops(store, home.ops_export, run)
    consents = pq.read_table(home.ops_export / "consent_events.parquet").to_pylist()
    assert {row["consent_event_id"] for row in consents} == {
        GRANT.consent_event_id,
        group.consent_event_id,
    }
    assert consents[0]["occurred_at"] == AS_OF
    assert consents[0]["expires_at"] is None
    runs = pq.read_table(home.ops_export / "runs.parquet").to_pylist()
    assert [(r["run_id"], r["status"], r["finished_at"]) for r in runs] == [
        ("run1", "succeeded", None)
    ]
    assert pq.read_table(home.ops_export / "run_sources.parquet").num_rows == 1


def test_a_refusal_dated_ahead_is_exported_once_it_is_known(
    store: Store, home: Home, run: Run
) -> None:
    ahead = AS_OF + timedelta(days=300)
    no = ConsentEvent(**{**GRANT.__dict__, "status": "revoked", "occurred_at": ahead})
    stop = Suppression("email", "b@shop.example", "email", "*", "unsubscribed", ahead, "api")
    record_consents(store, [no], recorded_at=AS_OF)
    record_suppressions(store, [stop], recorded_at=AS_OF)
    export_ops(store, home.ops_export, run)
    for name in ("consent_events", "suppressions"):
        rows = pq.read_table(home.ops_export / f"{name}.parquet").to_pylist()
        assert [row["occurred_at"] for row in rows] == [ahead]

    export_ops(store, home.ops_export, Run("run0", AS_OF - timedelta(days=1), "test"))
    for name in ("consent_events", "suppressions"):
        assert pq.read_table(home.ops_export / f"{name}.parquet").num_rows == 0


def test_the_same_store_exports_the_same_bytes(store: Store, home: Home, run: Run) -> None:
    record_consents(store, [GRANT], recorded_at=AS_OF)
    export_ops(store, home.ops_export, run)
    first = {p.name: p.read_bytes() for p in home.ops_export.glob("*.parquet")}
    export_ops(store, home.ops_export, run)
    assert first == {p.name: p.read_bytes() for p in home.ops_export.glob("*.parquet")}


def test_the_file_is_plain_sqlite(store: Store, home: Home) -> None:
    with sqlite3.connect(home.ops) as connection:
        assert connection.execute("pragma integrity_check").fetchone() == ("ok",)


def test_whoever_waits_to_write_is_next_however_often_another_writes(home: Home) -> None:
    """A send takes the lock for one batch after the other; a refusal waits for one of them."""
    waited: list[float] = []
    first = threading.Event()

    def refuse() -> None:
        with open_store(home) as store:
            first.wait()
            began = time.monotonic()
            record_consents(store, [GRANT], recorded_at=AS_OF)
            waited.append(time.monotonic() - began)

    with open_store(home) as sending:
        other = threading.Thread(target=refuse)
        other.start()
        for _ in range(12):
            with sending.write():
                first.set()
                time.sleep(0.25)
        began_last = time.monotonic()
        other.join()
    assert waited[0] < 1.5, "one batch, and not all of the send"
    assert time.monotonic() - began_last < 1.0


def test_errors_never_quote_a_value(store: Store) -> None:
    event = {"consent_event_id": "x", "identifier_value": "canary@example.com"}
    with pytest.raises(IntegrityError) as caught, store.write() as connection:
        append(connection, schema.consent_events, [event])
    assert "canary" not in str(caught.value)


def test_the_tables_are_sql_that_postgresql_takes_too() -> None:
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    for table in schema.metadata.sorted_tables:
        ddl = str(CreateTable(table).compile(dialect=dialect))
        assert "DATETIME" not in ddl and "AUTOINCREMENT" not in ddl
        assert "%(" in str(table.insert().compile(dialect=dialect))
