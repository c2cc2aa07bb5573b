"""What a destination has is held against the ledger: one row in 10,000 is found (A4)."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from ingestion import config
from ingestion.config import Settings
from orchestration.activation.reconcile import Drift, reconcile
from orchestration.activation.sync import sync
from orchestration.destinations import open_destination
from orchestration.destinations.audience_tables import MEMBERS
from orchestration.destinations.base import RetryLaterError
from orchestration.health.doctor import diagnose
from orchestration.ops.permission.consents import ConsentEvent, record_consents
from tests.locks import held_elsewhere
from tests.orchestration.activation.shop import NOW, TARGET, Shop

PEOPLE = 10_000
OPTIONS = {"url_env": "AUDIENCES_URL"}
NAME = TARGET.destination


@pytest.fixture
def execute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Any]:
    """A statement in the database that the shop delivers to."""
    file = tmp_path / "audiences.db"
    file.touch()
    monkeypatch.setenv("AUDIENCES_URL", f"sqlite:///{file}")

    def run(statement: str) -> Any:
        with closing(sqlite3.connect(file)) as connection, connection:
            return connection.execute(statement).fetchall()

    return run


def _opened(shop: Shop) -> Any:
    return open_destination(NAME, config.Destination(kind="sql", options=OPTIONS), shop.home)


def _sync(shop: Shop) -> None:
    sync(shop.store, shop.home, TARGET, _opened(shop), at=NOW, wait=lambda _: None)


def _people(shop: Shop, count: int) -> None:
    for number in range(count):
        shop.add(f"c{number:05d}", f"c{number:05d}@example.com")
    events = [
        ConsentEvent(
            *("email", f"c{number:05d}@example.com", "email", "marketing", "granted"),
            *(NOW.replace(month=1), "form", "v1"),
        )
        for number in range(count)
    ]
    record_consents(shop.store, events, recorded_at=NOW)
    shop.publish()


def _drift(shop: Shop) -> tuple[int, int, set[str], set[str]]:
    (drift,) = reconcile(shop.store, NAME, _opened(shop))
    return drift.known, drift.held, set(drift.missing), set(drift.surplus)


@pytest.mark.faults
def test_one_row_in_ten_thousand_is_found_and_the_next_sync_makes_it_right(
    shop: Shop, execute: Callable[[str], Any]
) -> None:
    _people(shop, PEOPLE)
    assert reconcile(shop.store, NAME, _opened(shop)) == []
    _sync(shop)
    assert _drift(shop) == (PEOPLE, PEOPLE, set(), set())
    execute(f"delete from {MEMBERS} where customer_id = 'c04711'")
    execute(f"update {MEMBERS} set customer_id = 'x' where customer_id = 'c00815'")
    assert _drift(shop) == (PEOPLE, PEOPLE - 1, {"c04711", "c00815"}, {"x"})
    _sync(shop)
    assert _drift(shop) == (PEOPLE, PEOPLE, set(), set())
    assert execute(f"select email, version from {MEMBERS} where customer_id = 'c04711'") == [
        ("c04711@example.com", 1)
    ]


def test_a_row_that_may_have_arrived_is_no_drift(
    shop: Shop, execute: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    _people(shop, 3)
    _sync(shop)
    shop.members.pop("c00001")
    shop.publish()
    destination = _opened(shop)
    deliver = destination.deliver

    def lost(batch: Any) -> Any:
        deliver(batch)
        raise RetryLaterError("answer_lost")

    destination.deliver = lost
    sync(shop.store, shop.home, TARGET, destination, at=NOW, wait=lambda _: None)
    assert _drift(shop) == (3, 2, set(), set())
    _sync(shop)
    assert _drift(shop) == (2, 2, set(), set())


def test_the_doctor_tells_counts_and_nobody(shop: Shop, execute: Callable[[str], Any]) -> None:
    _people(shop, 3)
    _sync(shop)
    settings = Settings(destinations={NAME: config.Destination(kind="sql", options=OPTIONS)})

    def told() -> tuple[str, str, str]:
        checks = diagnose(shop.home, settings, connect=True, now=NOW)
        (check,) = [check for check in checks if check.name == f"connect {NAME}"]
        return check.status, check.sentence, check.hint

    assert told() == ("ok", "Has 3 of `vip`; the ledger, 3; the same people.", "")
    execute(f"delete from {MEMBERS} where customer_id = 'c00001'")
    assert told() == (
        "failed",
        "Has 2 of `vip`; the ledger, 3: 1 are missing and 0 were not sent.",
        f"`regulars sync vip {NAME}` makes it right.",
    )
    with held_elsewhere(shop.home.sending_lock):
        assert told()[0] == "warning"
    execute(f"drop table {MEMBERS}_columns")
    execute(f"alter table {MEMBERS} rename column segment to part")
    status, sentence, _ = told()
    assert status == "failed"
    assert "example.com" not in sentence


def test_a_segment_of_which_all_were_removed_is_compared_too(
    shop: Shop, execute: Callable[[str], Any]
) -> None:
    _people(shop, 1)
    _sync(shop)
    shop.members.clear()
    shop.publish()
    _sync(shop)
    assert reconcile(shop.store, NAME, _opened(shop)) == [
        Drift("vip", 0, 0, frozenset(), frozenset())
    ]
