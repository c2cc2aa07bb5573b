"""Drifts of schema: what arrives changed is loaded, held or stops the run, never silently empty.

RELIABILITY B5. Each drift is tried on a source that had been read and published before.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ingestion.config import Breaker, Settings
from ingestion.errors import SourceError
from ingestion.files.folder import InputFolder
from ingestion.pipelines import RunContext, run_source
from orchestration.home.layout import Home
from orchestration.ops.runs import FAILED, SUCCEEDED, AuditLog, Run, finish_run, start_run
from orchestration.ops.store import Store, open_store
from orchestration.published.audit import AuditRecord
from orchestration.published.checks import CheckResult
from orchestration.quality.drift import EmptyShare, check_drift, judge_drift
from orchestration.quality.releases import apply_releases, baseline_of, find_releases, release

pytestmark = pytest.mark.faults

AS_OF = datetime(2026, 7, 1)
ROWS = 60
Row = dict[str, Any]


def web(number: int) -> Row:
    return {
        "type": "track", "messageId": f"m{number}", "anonymousId": f"d{number}",
        "userId": f"u{number}", "event": "Product Viewed", "timestamp": "2026-01-02T03:04:05Z",
        "properties": {"product_id": "p1", "price": 12.5}, "context": {"ip": "192.0.2.1"},
    }  # fmt: skip


def contact(number: int) -> Row:
    return {
        "email": f"p{number}@example.com", "first_name": f"Name{number}", "country": "GB",
        "birthday": "1980-02-03", "source": "newsletter", "created_at": "2026-01-02T03:04:05Z",
    }  # fmt: skip


def product(number: int) -> Row:
    return {
        "product_id": f"p{number}", "sku": f"s{number}", "name": f"Thing {number}",
        "category": "tea", "brand": "Acme", "price": "12.50", "in_stock": "true",
        "updated_at": "2026-01-02T03:04:05Z",
    }  # fmt: skip


def payment(number: int) -> Row:
    return {
        "order_id": f"o{number}", "provider": "stripe", "fingerprint": f"f{number}",
        "status": "paid", "amount": "12.50", "currency": "GBP", "paid_at": "2026-01-02T03:04:05Z",
    }  # fmt: skip


MADE: dict[str, tuple[Callable[[int], Row], str]] = {
    "web": (web, "events"),
    "contacts": (contact, "contacts"),
    "products": (product, "products"),
    "payments": (payment, "payments"),
}


@dataclass
class Source:
    """A home whose source was read and published once, and files of the next day."""

    home: Home
    input: Path
    store: Store
    number: int = 0
    settings: Settings = field(default_factory=Settings)

    def write(self, source: str, rows: list[Row], day: int) -> None:
        folder = self.input / source
        folder.mkdir(parents=True, exist_ok=True)
        if source == "web":
            text = "".join(json.dumps(row) + "\n" for row in rows)
            (folder / f"2026-01-{day:02d}.jsonl").write_text(text, "utf-8")
            return
        names = list(dict.fromkeys(name for row in rows for name in row))
        written = io.StringIO()
        writer = csv.DictWriter(written, names, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        (folder / f"2026-01-{day:02d}.csv").write_text(written.getvalue(), "utf-8")

    def run(self, source: str, status: str = SUCCEEDED) -> list[CheckResult]:
        """Read the source as a run does; what the check of drift says."""
        self.number += 1
        run_id = f"run-{self.number}"
        at = datetime(2026, 7, self.number)
        start_run(self.store, Run(run_id, AS_OF, "test"), started_at=at)
        folder = InputFolder.at(self.input)
        try:
            run_source(
                source,
                RunContext(
                    self.home.raw, self.home.root / "dlt", run_id, AS_OF, self.settings, folder
                ),
            )
            results = check_drift(self.home, self.settings, self.store)
        except SourceError:
            status = FAILED
            raise
        finally:
            finish_run(self.store, run_id, status, finished_at=at)
        return results

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.home.raw), read_only=True) as connection:
            return connection.execute(sql).fetchall()


@pytest.fixture
def source(tmp_path: Path) -> Iterator[Source]:
    home = Home(tmp_path / "home")
    home.root.mkdir()
    with open_store(home) as store:
        yield Source(home, tmp_path / "input", store)


def without(name: str) -> Callable[[Row], Row]:
    return lambda row: {key: value for key, value in row.items() if key != name}


def renamed(name: str, new: str) -> Callable[[Row], Row]:
    return lambda row: {new if key == name else key: value for key, value in row.items()}


def changed(name: str, value: Any) -> Callable[[Row], Row]:
    return lambda row: {**row, name: value}


def within(name: str, **more: Any) -> Callable[[Row], Row]:
    return lambda row: {**row, name: {**row[name], **more}}


def in_capitals(row: Row) -> Row:
    return {key.upper(): value for key, value in row.items()}


KEPT, HELD = "every value is there", "the source stops, its rows in quarantine"
# name: source, what happens to each row, what becomes of it (or the column that stops the run)
DRIFTS: dict[str, tuple[str, Callable[[Row], Row], str]] = {
    "a field added": ("web", changed("integrations", {"All": True}), KEPT),
    "a field added within another": ("web", within("context", app=1), KEPT),
    "a number written as text": ("web", within("properties", price="12.5"), KEPT),
    "a time with its offset": ("web", changed("timestamp", "2026-01-02T04:04:05+01:00"), KEPT),
    "a time as epoch milliseconds": ("web", changed("timestamp", 1767323045000), KEPT),
    "another case of a word": ("web", changed("type", "TRACK"), KEPT),
    "an id as a number": ("web", lambda row: {**row, "userId": int(row["userId"][1:])}, KEPT),
    "the key dropped": ("web", without("messageId"), HELD),
    "the key renamed": ("web", renamed("messageId", "message_uuid"), HELD),
    "the key nested": ("web", lambda row: {**row, "messageId": {"id": row["messageId"]}}, HELD),
    "the time dropped": ("web", without("timestamp"), HELD),
    "the time as words": ("web", changed("timestamp", "just now"), HELD),
    "an unknown kind": ("web", changed("type", "conversion"), HELD),
    "the event's name dropped": ("web", without("event"), HELD),
    "the login dropped": ("web", without("userId"), "web.events.user_id"),
    "the login renamed": ("web", renamed("userId", "profileId"), "web.events.user_id"),
    "the context dropped": ("web", without("context"), "web.events.context"),
    "the properties null": ("web", changed("properties", None), "web.events.properties"),
    "a column added": ("contacts", changed("favourite_colour", "blue"), KEPT),
    "the columns in another order": ("contacts", lambda row: dict(reversed(row.items())), KEPT),
    "headers in capitals": ("contacts", in_capitals, KEPT),
    "a header with spaces": ("contacts", renamed("first_name", " First Name "), KEPT),
    "the only identifier dropped": ("contacts", without("email"), HELD),
    "a name dropped": ("contacts", without("first_name"), "contacts.contacts.first_name"),
    "a birthday in words": ("contacts", changed("birthday", "soon"), "contacts.contacts.birthday"),
    "a country emptied": ("contacts", changed("country", ""), "contacts.contacts.country"),
    "a price as words": ("products", changed("price", "ask"), "products.products.price"),
    "a brand renamed": ("products", renamed("brand", "maker"), "products.products.brand"),
    "stock in other words": ("products", changed("in_stock", "so"), "products.products.in_stock"),
    "a product's key dropped": ("products", without("product_id"), HELD),
    "a fingerprint dropped": ("payments", without("fingerprint"), "payments.payments.fingerprint"),
    "an amount with its currency": ("payments", changed("amount", "GBP 12.50"), KEPT),
    "a currency that is none": ("payments", changed("currency", "GBX"), HELD),
}  # fmt: skip


def test_there_are_thirty_drifts() -> None:
    assert len(DRIFTS) >= 30


@pytest.mark.parametrize("drift", DRIFTS)
def test_a_drift_is_loaded_held_or_stopped_and_never_silent(source: Source, drift: str) -> None:
    name, change, fate = DRIFTS[drift]
    make, table = MADE[name]
    source.write(name, [make(number) for number in range(ROWS)], day=1)
    assert all(result.passed for result in source.run(name))
    rows = [change(make(number)) for number in range(ROWS, 2 * ROWS)]
    source.write(name, rows, day=2)
    if fate == HELD:
        with pytest.raises(SourceError):
            source.run(name)
        loaded = f"select count(*) from raw_{name}.{table} where _run_id = 'run-2'"
        assert source.query(loaded) == [(0,)]
        kept = f"select count(*), count(reason) from raw_{name}.quarantine_of_a_stop"
        assert source.query(kept) in ([(ROWS, ROWS)], [(1, 1)])  # its rows, or the file as one
        return
    results = source.run(name)
    stops = [result.subject for result in results if result.stops]
    empty = columns_emptier(source, name, table)
    if fate == KEPT:
        assert (stops, empty) == ([], [])
        assert source.query(f"select count(*) from raw_{name}.{table}") == [(2 * ROWS,)]
    else:
        assert stops == [f"{name}.{table}.{column}" for column in empty]
        assert stops == [fate]


def columns_emptier(source: Source, name: str, table: str) -> list[str]:
    """The columns that have fewer values in the second day's rows; none of them may be silent."""
    found = source.query(f"describe raw_{name}.{table}")
    columns = sorted(str(row[0]) for row in found if not str(row[0]).startswith("_"))
    counts = ", ".join(f'count("{column}")' for column in columns)
    first, second = (
        source.query(f"select {counts} from raw_{name}.{table} where _run_id = 'run-{run}'")[0]
        for run in (1, 2)
    )
    return [
        column
        for column, before, after in zip(columns, first, second, strict=True)
        if after < before
    ]


def test_nothing_stops_a_first_run_a_new_system_or_few_rows(source: Source) -> None:
    source.write("contacts", [contact(number) for number in range(ROWS)], day=1)
    assert [result.passed for result in source.run("contacts")] == [True]
    few = [without("first_name")(contact(number)) for number in range(100, 140)]
    source.write("contacts", few, day=2)
    assert [result.passed for result in source.run("contacts")] == [True]
    other = source.input / "contacts" / "till.csv"
    text = "".join(f"q{number}@example.com\n" for number in range(ROWS))
    other.write_text(f"email\n{text}", "utf-8")
    assert [result.passed for result in source.run("contacts")] == [True]


def test_a_mended_file_is_judged_by_its_newest_version(source: Source) -> None:
    good = [contact(number) for number in range(3 * ROWS)]
    source.write("contacts", good[:ROWS], day=1)
    source.run("contacts")
    source.write("contacts", [without("country")(row) for row in good[ROWS : 2 * ROWS]], day=2)
    (stop,) = [result for result in source.run("contacts", FAILED) if result.stops]
    assert stop.subject == "contacts.contacts.country"
    source.write("contacts", [{**row, "job": "x"} for row in good[ROWS : 2 * ROWS]], day=2)
    assert [result.passed for result in source.run("contacts")] == [True]


def test_a_stop_lasts_until_a_person_releases_it(source: Source) -> None:
    source.write("contacts", [contact(number) for number in range(ROWS)], day=1)
    source.run("contacts")
    rows = [without("country")(contact(number)) for number in range(ROWS, 2 * ROWS)]
    source.write("contacts", rows, day=2)
    source.run("contacts", FAILED)
    (stop,) = source.run("contacts", FAILED)
    assert "example" not in stop.sentence + stop.hint
    assert "of 60 rows read since the last publication 100% have no country" in stop.sentence
    assert "60 before them 0% had none" in stop.sentence
    record = AuditRecord("digest", "build", "run-3", AS_OF, (stop,))
    AuditLog(source.store).record_audit(record.digest, record.to_json())
    given = {"person": "Ada", "reason": "The form asks no more.", "released_at": AS_OF}
    release(source.home, source.store, stop.subject, **given)
    released = find_releases(source.store, baseline_of(source.home))
    (passed,) = apply_releases(check_drift(source.home, Settings(), source.store), released)
    assert passed.passed
    assert "Released by Ada" in passed.sentence


def test_a_setting_lets_every_rise_through(source: Source) -> None:
    source.settings = Settings(breaker=Breaker(max_empty_rise=1.0))
    source.write("contacts", [contact(number) for number in range(ROWS)], day=1)
    source.run("contacts")
    rows = [without("country")(contact(number)) for number in range(ROWS, 2 * ROWS)]
    source.write("contacts", rows, day=2)
    assert [result.passed for result in source.run("contacts")] == [True]


@pytest.mark.parametrize(
    ("before", "after", "is_stopped"),
    [
        ((1000, 100), (1000, 290), False),  # 19 points
        ((1000, 100), (1000, 360), True),  # 26 points, beyond chance
        ((50, 25), (50, 38), False),  # 26 points that chance explains
        ((50, 25), (50, 50), True),
        ((1000, 900), (1000, 100), False),  # fuller
    ],
)
def test_a_rise_is_more_than_twenty_points_and_chance(
    before: tuple[int, int], after: tuple[int, int], is_stopped: bool
) -> None:
    share = EmptyShare("s.t.c", "raw_s.t", "s/#.csv", *before, *after)
    assert [result.stops for result in judge_drift([share], 0.20)] == [True] * is_stopped
