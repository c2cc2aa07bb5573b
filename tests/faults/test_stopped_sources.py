"""A source that stops its run may hold a refusal nobody has read: nothing is sent until one has."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from ingestion.config import Destination, Settings, SourceSettings
from ingestion.errors import RegularsError
from orchestration.activation import delivery
from orchestration.cli import app
from orchestration.defs.activation import Pair, sync_asset
from orchestration.defs.ingestion import source_assets
from orchestration.defs.permission import ops_export
from orchestration.defs.resources import RunResource
from orchestration.health import opening
from orchestration.health.doctor import diagnose
from orchestration.home.kind import claim
from orchestration.home.layout import Home
from orchestration.host.launch import failure_of
from orchestration.ops import runs, schema
from orchestration.ops.store import open_store
from orchestration.ops.unread_sources import begin_reading, finish_reading, mark_restored
from orchestration.run import console
from orchestration.run.run import RunRequest, clock, open_run
from tests.orchestration.activation.shop import NOW, Receiver, Shop
from tests.orchestration.ops.raw_file import write_raw

pytestmark = pytest.mark.faults

SOURCES = ("consents", "contacts", "email")
ANN, BOB = "ann@example.com", "bob@example.com"
UNREAD = "stopped before it had read all of email"


class World:
    """A home in which two people may be written to, an input folder, and a receiver."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.home = Home(root / "home").create()
        self.input = root / "input"
        self.receiver = Receiver()
        monkeypatch.setenv("REGULARS_HOME", str(self.home.root))
        self.settings = Settings(
            input=str(self.input), destinations={"receiver": Destination(send=True)}
        )
        for module in (delivery, opening):
            monkeypatch.setattr(module, "load_settings", lambda: self.settings)
            monkeypatch.setattr(module, "check_settings", lambda _: None)
            monkeypatch.setattr(module, "check_destinations", lambda *_: None)
        monkeypatch.setattr(delivery, "open_destination", lambda *_: self.receiver)
        claim(self.home, "shop")
        with open_store(self.home) as store:
            shop = Shop(self.home, store)
            for customer, address in (("c1", ANN), ("c2", BOB)):
                shop.add(customer, address)
                shop.grant(address)
            shop.publish()
            runs.start_run(store, runs.Run("run1", NOW, "test"), started_at=NOW)
            runs.finish_run(store, "run1", runs.SUCCEEDED, finished_at=NOW)

    def write(self, file: str, *rows: dict[str, Any]) -> None:
        path = self.input / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(json.dumps(row) for row in rows), "utf-8")

    def read(self) -> str:
        """Let a run read the input and record what it says of permission; why it stopped."""
        steps = [*map(source_assets, SOURCES), ops_export]
        run = RunResource(as_of="2026-06-02")
        with dg.DagsterInstance.ephemeral() as instance, console.listening([].append):
            done = dg.materialize(
                steps, resources={"run": run}, instance=instance, raise_on_error=False
            )
            return "" if done.success else failure_of(instance, done.run_id).message

    def sync(self) -> set[str]:
        """Send; who is there afterwards."""
        delivery.sync_all(self.home, None, None).raise_failures()
        return set(self.receiver.members)

    def refused(self) -> set[str]:
        with open_store(self.home) as store, store.read() as connection:
            return set(connection.execute(select(schema.suppressions.c.identifier_value)).scalars())


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    return World(tmp_path, monkeypatch)


def _events(at: object) -> list[dict[str, Any]]:
    """Six events of which one is Ann's unsubscribe."""
    people = [(f"p{number}@example.com", "open") for number in range(5)] + [(ANN, "unsubscribe")]
    return [
        {"email": address, "event": event, "timestamp": at, "sg_event_id": f"e{number}"}
        for number, (address, event) in enumerate(people)
    ]


def test_nothing_is_sent_until_a_stopped_source_is_read(world: World) -> None:
    world.write("contacts/list.jsonl", {"email": BOB, "status": "unsubscribed"})
    world.write("email/day.jsonl", *_events("soon"))
    assert "day.jsonl" in world.read()

    assert world.refused() == {BOB}, "what the run could read counts at once"
    with pytest.raises(RegularsError, match=UNREAD) as told:
        world.sync()
    assert (told.value.exit_code, world.receiver.calls) == (1, 0)
    found = [check for check in diagnose(world.home, Settings()) if UNREAD in check.sentence]
    assert [check.status for check in found] == ["failed"]
    told_by_plan = CliRunner().invoke(app, ["plan"])
    assert UNREAD in told_by_plan.stderr

    world.write("email/day.jsonl", *_events(int((NOW - timedelta(days=1)).timestamp())))
    assert world.read() == ""
    assert world.refused() == {ANN, BOB}
    assert world.sync() == set()
    assert not [check for check in diagnose(world.home, Settings()) if UNREAD in check.sentence]


def test_a_run_that_read_everything_sends(world: World) -> None:
    world.write("contacts/list.jsonl", {"email": BOB, "status": "unsubscribed"})
    assert world.read() == ""
    assert world.sync() == {"c1"}


def test_a_schedule_sends_nothing_either(world: World) -> None:
    with open_store(world.home) as store:
        begin_reading(store, "email", "run2")
    step = sync_asset(Pair("vip", "receiver"))
    run = RunResource(send="scheduled")
    with dg.DagsterInstance.ephemeral() as instance:
        done = dg.materialize(
            [step], resources={"run": run}, instance=instance, raise_on_error=False
        )
        told = failure_of(instance, done.run_id)
    assert UNREAD in told.message
    assert not world.receiver.calls


def test_a_source_read_by_a_run_that_died_before_it_recorded_is_not_known(world: World) -> None:
    with open_store(world.home) as store:
        begin_reading(store, "email", "run2")
        finish_reading(store, "email")
    with pytest.raises(RegularsError, match=UNREAD):
        world.sync()


def test_a_source_that_never_speaks_of_permission_stops_no_sync(world: World) -> None:
    with open_store(world.home) as store:
        begin_reading(store, "rates", "run2")
    assert world.sync() == {"c1", "c2"}


def test_facts_that_cannot_be_recorded_leave_the_runs_own_failure(world: World) -> None:
    world.home.raw.write_bytes(b"\0" * 20_000)
    said: list[str] = []
    with (
        suppress(ZeroDivisionError),
        open_run(world.home, Settings(), RunRequest(clock()), say=said.append) as run,
    ):
        begin_reading(run.store, "email", run.run_id)
        finish_reading(run.store, "email")
        raise ZeroDivisionError
    with open_store(world.home) as store:
        assert runs.run_status(store, run.run_id) == runs.FAILED
    assert any("could not be recorded" in line for line in said)
    with pytest.raises(RegularsError, match=UNREAD):
        world.sync()


def test_a_run_that_stops_after_reading_records_what_it_read(world: World) -> None:
    event = {"email": ANN, "event": "unsubscribe", "occurred_at": datetime(2026, 5, 31)}
    write_raw(world.home.raw, "load1", raw_email__events=[{**event, "sg_event_id": "e1"}])
    with open_run(world.home, Settings(), RunRequest(clock())) as run:
        begin_reading(run.store, "email", run.run_id)
        finish_reading(run.store, "email")
    assert world.refused() == {ANN}
    assert world.sync() == {"c2"}


def test_after_a_restore_an_input_without_a_source_keeps_the_lock(world: World) -> None:
    with open_store(world.home) as store:
        mark_restored(store, "2026-05-30T12:00:00", ["contacts", "email"])
    world.write("contacts/list.jsonl", {"email": BOB, "status": "unsubscribed"})
    pushed = world.home.inbox / "email" / "sendgrid" / "2026-06-01" / "one.json"
    pushed.parent.mkdir(parents=True)
    opened = int((NOW - timedelta(days=1)).timestamp())
    pushed.write_text(json.dumps(_events(opened)[:1]), "utf-8")
    assert world.read() == ""
    with pytest.raises(RegularsError, match="nothing was read since of email, so"):
        world.sync()

    world.write("email/day.jsonl", *_events(int((NOW - timedelta(days=1)).timestamp())))
    off = {"email": SourceSettings(enabled=False)}
    world.settings = world.settings.with_sections(off)
    assert world.read() == ""
    with pytest.raises(RegularsError, match="nothing was read since of email, so"):
        world.sync()
    assert world.receiver.calls == 0

    world.settings = world.settings.with_sections({"email": SourceSettings()})
    assert world.read() == ""
    assert world.refused() == {ANN, BOB}
    assert world.sync() == set()
