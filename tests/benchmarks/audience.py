"""What one large audience costs: its plan, and putting the plan into the outbox.

Everybody is a member, has one address, permits it and was never sent, so each is an addition: the
plan of a first sync. A second plan follows for which a hundredth of them has other words.

Belongs here: drawing such a published file and store, and the bill. Does not belong here: what the
day's decision costs with many segments (`decision`), sending, how figures are told (`page`).

Run as a module: `python -m tests.benchmarks.audience [--people N]`; the last line is JSON, in CPU
seconds: `reading` of the file and of permission, `hashing` of the payloads, `planning` (the plan
less these two), `queueing` (the difference into the outbox); for the second plan `again`, whole;
and the peak memory in megabytes.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import duckdb

from orchestration.activation import outbox, plan
from orchestration.activation.contact_day import read_contact_day
from orchestration.activation.outbox import SyncRun
from orchestration.activation.people import Target
from orchestration.destinations.file import create
from orchestration.home.layout import Home
from orchestration.ops.permission.consents import append_facts
from orchestration.ops.store import Store, open_store, to_micros
from tests.orchestration.activation.shop import SEGMENT, lay_decision

PEOPLE = 1_000_000
NOW = datetime(2026, 6, 1, 12)
TARGET = Target("vip", "file", "email", "marketing")
_CHUNK = 50_000
_FILLED = ("marts.customer_personalisation",)
T = TypeVar("T")


@dataclass
class Bill:
    """CPU seconds by what they were for."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def of(self, what: str) -> Iterator[None]:
        """Count what is done in the block."""
        began = time.process_time()
        yield
        self.seconds[what] = self.seconds.get(what, 0.0) + time.process_time() - began

    def counted(self, what: str, function: Callable[..., T]) -> Callable[..., T]:
        """The function, whose calls are counted."""

        def call(*arguments: Any, **named: Any) -> T:
            with self.of(what):
                return function(*arguments, **named)

        return call


def publish(home: Home, people: int, changed: int = 0) -> None:
    """A file with one segment of everybody; the first `changed` have other words."""
    home.published.unlink(missing_ok=True)
    with duckdb.connect(str(home.published)) as connection:
        for schema in ("marts", "ops", "segments", "activity"):
            connection.execute(f"create schema {schema}")
        segment = {**SEGMENT, "segment": "vip", "destinations": '["file"]'}
        lay_decision(connection, [segment], but=_FILLED)
        connection.execute(
            f"""
            create table ops.build as select 'b' as build_id, 'run1' as run_id, ? as as_of;
            create table people as select printf('c%07d', i) as customer_id, i
            from range({people}) as r(i);
            create table marts.customer_personalisation as
            select customer_id, 'segment' as level from people;
            create table marts.dim_customers as select customer_id, 'Ann' as first_name,
                'Lee' as last_name, 'GB' as country_code, null::varchar as region, true as is_known
            from people;
            create table marts.bridge_customer_identifiers as select customer_id,
                'email' as identifier_type, customer_id || '@example.com' as identifier_value,
                'newsletter' as evidence_grade, true as is_primary, false as is_dormant,
                timestamp '{NOW}' as last_seen_at
            from people;
            create table segments.seg_vip as select customer_id,
                case when i < {changed} then 'Now.' else 'Among the best.' end as reason,
                '{{}}' as context
            from people;
            drop table people
            """.replace("?", f"timestamp '{NOW}'")
        )


def permit(store: Store, people: int) -> None:
    """Everybody's yes."""
    for start in range(0, people, _CHUNK):
        rows = [_yes(number) for number in range(start, min(start + _CHUNK, people))]
        with store.write() as connection:
            append_facts(connection, rows, [])


def _yes(number: int) -> dict[str, Any]:
    at = to_micros(NOW - timedelta(days=30))
    return {
        "consent_event_id": f"yes-{number}",
        **{"identifier_type": "email", "identifier_value": f"c{number:07d}@example.com"},
        **{"channel": "email", "purpose": "marketing", "status": "granted", "occurred_at": at},
        **{"source": "form", "wording_version": "v1", "recorded_at": at, "expires_at": None},
        **{"proof": None, "lawful_basis": "consent", "level": None},
    }


def bill(people: int, folder: Path) -> dict[str, float]:
    """Plan and queue such an audience, then plan it once more; what that took."""
    home = Home(folder).create()
    publish(home, people)
    costs = Bill()
    with open_store(home) as store:
        permit(store, people)
        reading = ("load_people", "load_all_states", "member_count")
        kept = {name: getattr(plan, name) for name in reading}
        for name, function in kept.items():
            setattr(plan, name, costs.counted("reading_in_plan", function))
        with costs.of("reading"):
            day = read_contact_day(home)
        with costs.of("all"):
            first = plan.build_plan(store, home, TARGET, at=NOW, day=day)
        assert first.counts["added"] == people
        with costs.of("hashing"):
            for change in first.changes:
                plan.content_hash(change.payload)
        with costs.of("queueing"):
            _queue(store, home, first)
        for name, function in kept.items():
            setattr(plan, name, function)
        publish(home, people, people // 100)
        with costs.of("again"):
            plan.build_plan(store, home, TARGET, at=NOW)
    seconds = costs.seconds
    del day
    in_plan = seconds.pop("reading_in_plan")
    seconds["planning"] = seconds.pop("all") - in_plan - seconds["hashing"]
    seconds["reading"] += in_plan
    return {**seconds, "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def _queue(store: Store, home: Home, planned: plan.Plan) -> None:
    destination = create("file", {}, home)
    with store.write() as connection:
        sync_run = SyncRun(outbox.new_sync_run_id(connection, TARGET, NOW), TARGET, NOW)
        outbox.open_sync_run(connection, planned, sync_run)
        outbox.queue(connection, planned, sync_run, {}, destination=destination)


def main(arguments: list[str]) -> int:
    """Plan, queue and print."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.audience", description=__doc__
    )
    parser.add_argument("--people", type=int, default=PEOPLE)
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="regulars-bench-") as folder:
        print(json.dumps(bill(chosen.people, Path(folder))))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
